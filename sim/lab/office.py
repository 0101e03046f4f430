"""A practice in the laboratory: its honest days at its hub's desk, while time goes by and a thief may be using its login."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import NamedTuple

from ecluse.gate.allowance import Caps
from ecluse.gate.features import NOTHING, Last, features
from ecluse.gate.presence import Presence
from ecluse.gate.profile import Lesson, Profile, Taught, cold, learn
from ecluse.gate.signals import SIGNALS, Name, Proof
from sim.attacks.aims import Aim
from sim.attacks.thief import PROVABLE, Answer
from sim.lab.desk import DAY_S, Desk, Place
from sim.lab.rates import Habit, questions, settles_on

OPENS_S, CLOSES_S, NOON_S = 8 * 3600, 18 * 3600, 13 * 3600
FROM_AFAR = 0.27  # of the simulated people: born where less than one in a hundred is (tests/simulator/test_lab.py)
NEW_PLACE = 0.01  # of honest days: another device, network or software (assumed)
THIEF = Place("elsewhere", "curl", "stolen")
GROWN_DAYS = 2 * 365
STRANGERS_FROM = 1_000_000  # numbers of people whom only the practice knows: nobody's on a thief's list
NOTICED = 0.05  # of people told of a first look-up that was not theirs, those who say "not me" (assumed)
NOTICED_WITHIN_DAYS = 14  # between the look-up and their word (assumed: the insurer's notice, a quiet weekend)
PROTESTED = 0.10  # of people told that care they never had was paid for, those who say so (assumed)
MISTAKEN = 1 / 2_000  # of honest first look-ups, those a patient denies by mistake (below `denials.MISTAKEN`, assumed)
KNOWN_BEFORE = 500  # people the practice knows when its story begins
MEMORY = 2_000  # people a practice asks about again


class Card(NamedTuple):
    """What a question about somebody says of them: a NIR of the world, an insurer."""

    nir: str
    insurer: str


@dataclass
class Served:
    """How the honest questions of a practice fared."""

    asked: int = 0
    with_pass: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # typed, by code
    refused_with_pass: int = 0


class Office:
    """One account: its habit, its desk, and what is due on which day. `cards`: of the world's people, to ask about."""

    def __init__(
        self, who: Habit, caps: Caps, cards: list[Card], draw: Random, day: int, *, senses: bool, grown: bool = True
    ) -> None:
        self.habit, self.cards, self.draw = who, cards, draw
        profile = grown_up(who) if senses and grown else None
        opened_s = (day - GROWN_DAYS * grown) * DAY_S
        self.desk = Desk(caps, who.profession, opened_s, senses=senses, profile=profile)
        self.places = 0
        self.half_day, self.login_s, self.stolen_s = -1, 0.0, 0.0  # of the practice's last login; of the thief's
        self.served = Served()
        self.last: Last | None = None
        self.numbers = count(STRANGERS_FROM)
        self.known = [next(self.numbers) for _ in range(KNOWN_BEFORE if grown else 1)]
        self.desk.shown.update(self.known)
        self.day = day
        self.plan: list[float] = []
        self.settled: dict[int, list[int]] = defaultdict(list)
        self.denied: dict[int, list[int]] = defaultdict(list)
        self.begin()

    def fork(self, draw: Random) -> Office:
        """The same practice, from here on another story."""
        other = Office.__new__(Office)
        other.__dict__.update(self.__dict__)
        other.draw, other.desk, other.served = draw, self.desk.fork(), Served()
        other.known, other.plan = list(self.known), list(self.plan)
        other.settled = defaultdict(list, {day: list(people) for day, people in self.settled.items()})
        other.denied = defaultdict(list, {day: list(people) for day, people in self.denied.items()})
        other.numbers = count(next(self.numbers) + 1_000_000)
        return other

    def begin(self) -> None:
        """A morning: what is due is done, and the day's questions are spread over it."""
        for who in self.settled.pop(self.day, ()):
            self.desk.settle(who, self.day)
        for who in self.denied.pop(self.day, ()):
            self.desk.deny(who, self.day)
        number = questions(self.draw, self.habit, self.day)
        self.places += self.draw.random() < NEW_PLACE
        self.plan = sorted(self.day * DAY_S + self.draw.uniform(OPENS_S, CLOSES_S) for _ in range(number))
        self.plan.reverse()

    def until(self, at_s: float) -> None:
        """Play the practice's own life up to an instant."""
        while (self.day + 1) * DAY_S <= at_s:
            self._play((self.day + 1) * DAY_S)
            self.desk.close(self.day)
            self.day += 1
            self.begin()
        self._play(at_s)

    def typed(self, who: int, exists: bool, card: Card, at_s: float, place: Place) -> Answer:
        """A typed question at the desk, with the features that the door sees."""
        told, self.last = features(card.nir, at_s, self.last)
        return self.desk.ask(who, exists, at_s, place, card.insurer, told)

    def steal(self, who: int, exists: bool, card: Card, at_s: float, *, elsewhere: bool) -> Answer:
        """A thief's question: whoever is newly told of may say "not me"."""
        place = THIEF._replace(login_s=self.stolen_s) if elsewhere else self.place(at_s)
        answer = self.typed(who, exists, card, at_s, place)
        if answer.is_new and self.draw.random() < NOTICED:
            self.denied[self.day + 1 + self.draw.randrange(NOTICED_WITHIN_DAYS)].append(who)
        return answer

    def place(self, at_s: float) -> Place:
        """The practice's own line; each half day is a login, and now and then there is a new device."""
        return Place(f"line {self.places}", "software", f"{int(at_s // DAY_S)}/{at_s % DAY_S > NOON_S}", self.login_s)

    def log_in(self, at_s: float) -> None:
        """The practice logs in: a limit that a login lifts is lifted for it, and for whoever has its device."""
        self.login_s = self.desk.prove(at_s)

    def bill(self, who: int) -> None:
        """A false claim: it settles as the practice's own do."""
        least, most, often = self.habit.settles
        paid = self.day + round(self.draw.triangular(least, most, often))
        self.settled[paid].append(who)
        if self.draw.random() < PROTESTED:
            self.denied[paid + 1 + self.draw.randrange(NOTICED_WITHIN_DAYS)].append(who)

    def _play(self, until_s: float) -> None:
        while self.plan and self.plan[-1] <= until_s:
            self._honest(self.plan.pop())

    def _honest(self, at_s: float) -> None:
        draw, who = self.draw, self.habit
        if (half_day := int(at_s // DAY_S) * 2 + (at_s % DAY_S > NOON_S)) != self.half_day:
            self.half_day = half_day
            self.log_in(at_s)
        self.served.asked += 1
        has_pass = draw.random() < who.with_pass
        if draw.random() < who.missed:
            self._kept(at_s, next(self.numbers), exists=False, has_pass=has_pass)
        elif draw.random() >= who.new and self.known:
            self._kept(at_s, draw.choice(self.known), exists=True, has_pass=has_pass)
        else:
            self._newcomer(at_s, next(self.numbers), has_pass=has_pass)

    def _newcomer(self, at_s: float, person: int, *, has_pass: bool) -> None:
        if self._kept(at_s, person, exists=True, has_pass=has_pass).code:
            return
        self._remember(person)
        if due := settles_on(self.draw, self.habit, self.day):
            self.settled[due].append(person)
        if self.draw.random() < MISTAKEN:
            self.denied[self.day + 1 + self.draw.randrange(NOTICED_WITHIN_DAYS)].append(person)

    def _kept(self, at_s: float, person: int, *, exists: bool, has_pass: bool) -> Answer:
        """An honest question; refused for want of a proof, the professional logs in anew and asks again."""
        if has_pass:
            self.served.with_pass += 1
            answer = self.desk.ask(person, exists, at_s, self.place(at_s), presence=Presence.PASS)
            self.served.refused_with_pass += bool(answer.code)
            return answer
        card = self.draw.choice(self.cards)
        place = self.place(at_s)
        answer = self.typed(person, exists, card, at_s, place)
        if answer.code in PROVABLE:
            self.log_in(at_s)
            answer = self.desk.ask(person, exists, at_s, self.place(at_s), card.insurer, NOTHING)
        if answer.code:
            self.served.refused[answer.code] += 1
        return answer

    def _remember(self, person: int) -> None:
        self.known.append(person)
        if len(self.known) > MEMORY:
            del self.known[: MEMORY // 4]


def grown_up(who: Habit) -> Profile:
    """What the hub has learnt of an account after two years of its honest months."""
    profile = cold(who.profession)
    month = round(who.asks * 20)
    for number in range(1, 25):
        new = round(month * who.new)
        tried = {Name.MISSES: month, Name.STRANGERS: month, Name.HOURS: 40, Name.SURROUNDINGS: 40, Name.SURGE: 20}
        rates = {Name.MISSES: who.missed, Name.MISSES_OF_NEW: missed_of_new(who), Name.STRANGERS: who.new}
        rates |= {Name.UNCLAIMED: who.unclaimed, Name.SURROUNDINGS: NEW_PLACE, Name.HOURS: 0.0, Name.SURGE: 0.01}
        rates |= {Name.PACE: 0.1, Name.NEIGHBOURS: 0.002, Name.INSURERS: 0.02, Name.BIRTHPLACES: FROM_AFAR}
        taught = {
            signal.name: _taught(signal.proof, tried.get(signal.name, new), rates[signal.name], who.unclaimed)
            for signal in SIGNALS
            if signal.name in rates
        }
        profile = learn(profile, Lesson(number * 30, True, taught, round(new / 20)))
    return profile


def missed_of_new(who: Habit) -> float:
    """Misses among people whom the account does not know."""
    return who.missed / (who.missed + (1 - who.missed) * who.new)


def _taught(proof: Proof, trials: int, rate: float, unclaimed: float) -> Taught:
    hits = round(trials * rate)
    if proof is Proof.NEVER:
        proved = round((trials - hits) * (1 - unclaimed))
        return Taught(0, proved, hits, trials - proved)
    proved = round(trials * (1 - unclaimed))
    known = min(round(hits * (1 - unclaimed)), proved)
    return Taught(known, proved, hits - known, trials - proved)


def card_of(aim: Aim) -> Card:
    """What a thief's question says of somebody."""
    return Card(aim.nir, aim.insurer)
