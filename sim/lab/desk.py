"""The hub of one account, in memory: the ladder, then the allowance, then what is told, then what detectors make of it.

The order is that of `Desk.admit` and `Desk.release` (app/access.py). Nothing is drawn here, and no clock is read.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from msgspec.structs import replace

from ecluse.app.access import REFUSED_MAX
from ecluse.app.tries import Tried
from ecluse.gate.alerts import Alert
from ecluse.gate.allowance import DEBT_DAYS, Caps, Opened, Standing, counted, day_of, opened, spent
from ecluse.gate.containment import Alerted, CapReached, Containment, Denied, Event, Kind, Proved, allows, move
from ecluse.gate.dated import Counted, alert_of, row_of
from ecluse.gate.disclosure import allowed
from ecluse.gate.features import NOTHING, Features
from ecluse.gate.lessons import Ripe, Waiting
from ecluse.gate.presence import Presence
from ecluse.gate.profile import Profile
from ecluse.gate.sensing import Question, Sensed, begun, ripened, sense, stepped
from ecluse.gate.signals import Name, Step
from ecluse.journal.entry import Operation
from ecluse.kernel.days import DAY_US
from sim.attacks.thief import Answer

WATCH_S = 0.25  # `gate.watch_s`
S_US, DAY_S = 1_000_000, 86_400
TYPED_FIELDS = allowed(Operation.RIGHTS_CHECK, Presence.TYPED).bit_count()
MISSED = Answer()
KNOWN = Answer(confirmed=True, fields=TYPED_FIELDS)
NEW = Answer(confirmed=True, fields=TYPED_FIELDS, is_new=True)
ACR = "a level the settings accept"


class Place(NamedTuple):
    """From where a question is sent; `login_s`: when who sends it logged in."""

    network: str
    software: str
    session: str
    login_s: float = 0.0


class Desk:
    """What the hub keeps of one account. Times in seconds since 1970, days numbered from then.

    `senses`: detectors are fed; `profile`: what they have learnt of the account already, None of a new one.
    """

    def __init__(
        self, caps: Caps, profession: str, opened_s: int, *, senses: bool, profile: Profile | None = None
    ) -> None:
        self.caps, self.senses = caps, senses
        self.standing = Standing()
        self.state = Containment(Kind.ACCOUNT)
        self.sensed: Sensed = begun(profession, opened_s)
        if profile:
            self.sensed = replace(self.sensed, profile=profile)
        self.refused = Tried()
        self.openings: dict[int, Opened] = {}
        self.shown: set[int] = set()
        self.by_day: dict[int, list[int]] = defaultdict(list)
        self.waiting: dict[int, Waiting] = {}
        self.denials: list[int] = []  # the days of "not me"
        self.due: list[tuple[float, Event]] = []  # what the watcher has not come to yet
        self.moves: list[tuple[float, Step, str]] = []  # when, to which step, why

    def fork(self) -> Desk:
        """A copy that goes its own way: what it holds is frozen, so new containers are enough."""
        other = Desk.__new__(Desk)
        other.__dict__.update(self.__dict__)
        other.openings, other.shown, other.waiting = dict(self.openings), set(self.shown), dict(self.waiting)
        other.by_day = defaultdict(list, {day: list(people) for day, people in self.by_day.items()})
        other.denials, other.moves, other.due = list(self.denials), list(self.moves), list(self.due)
        return other

    def ask(
        self,
        who: int,
        exists: bool,
        at_s: float,
        place: Place,
        insurer: str = "",
        features: Features = NOTHING,
        presence: Presence = Presence.TYPED,
    ) -> Answer:
        """A rights check about somebody (a number); `exists`: their rights are open with the insurer that was named."""
        self.watch(at_s)
        verdict = allows(self.state, presence, int(place.login_s * S_US))
        if verdict.refusal:
            return Answer(code=verdict.refusal.code)
        day, known = int(at_s // DAY_S), who in self.openings or who in self.shown
        if presence is not Presence.TYPED:
            if exists:
                self._shown(who, day)
            return MISSED if not exists else KNOWN if known else NEW
        if self.refused.lately(at_s) >= REFUSED_MAX:  # nobody is looked for any more
            return Answer(code="allowance_spent")
        if not known and self._counted(who if exists else None, at_s, day, slowed=verdict.slowed):
            self.refused = self.refused.again(at_s)
            return Answer(code="allowance_spent")
        if self.senses:
            question = Question(int(at_s), not exists, known, who & 0xFFFFFFFF, insurer, features, *place[:3])
            if known and who in self.openings:
                question = replace(question, since_day=self.openings[who].day)
            self.sensed, alerts, waiting = sense(self.sensed, question)
            if waiting:
                self.waiting[who] = waiting
            self._alerted(alerts, at_s)
        return MISSED if not exists else KNOWN if known else NEW

    def settle(self, who: int, day: int) -> None:
        """A claim of the practice for this person is settled."""
        row = self.openings.get(who)
        if row and not row.denied and not row.is_settled and row.until > row.day:
            self.openings[who] = Opened(row.day, day if row.justified is None else row.justified)

    def deny(self, who: int, day: int) -> None:
        """The person says "not me"."""
        row = self.openings.get(who)
        if row is None or row.denied:
            return
        self.openings[who] = Opened(row.day, None, denied=True)
        self.denials.append(day)
        people = sum(len(self.by_day[each]) for each in range(day - 2 * DEBT_DAYS + 1, day + 1))
        self._moved(Denied(sum(each > day - DEBT_DAYS for each in self.denials), people), day * DAY_S)
        if self.senses and (alert := self._denials(day)):
            self._alerted((alert,), day * DAY_S)

    def watch(self, at_s: float) -> None:
        """The hub's watcher looks every `WATCH_S` at what was asked, and moves the ladder then: a thief goes on meanwhile."""
        while self.due and (at_s - self.due[0][0] >= WATCH_S or at_s < self.due[0][0]):
            seen_s, event = self.due.pop(0)
            self._moved(event, max(at_s, seen_s))

    def prove(self, at_s: float) -> float:
        """Somebody logs in anew; when. Nothing is lifted from a quarantine, nor from nothing."""
        self.watch(at_s)
        login_us = max(int(at_s * S_US), self.state.since_us + 1)
        if self.state.step not in (Step.OPEN, Step.QUARANTINED):
            self._moved(Proved(login_us, ACR), login_us / S_US)
        return (login_us + 1) / S_US  # not rounded below it

    def close(self, day: int) -> None:
        """The day is over: its people are counted, look-ups of thirty days ago have matured."""
        ripe_day, at_s = day - DEBT_DAYS, (day + 1) * DAY_S
        if self.senses:
            ripe = tuple(self._ripe(who) for who in self.by_day[ripe_day])
            self.sensed, alerts = ripened(self.sensed, at_s, ripe_day, ripe)
            self._alerted(alerts, at_s)
        self.watch(at_s + WATCH_S)

    @property
    def loudest(self) -> float:
        """The highest E of a signal now."""
        return max(row.e_value for row in self.sensed.watch.rows)

    def _denials(self, day: int) -> Alert | None:
        """What all that was ever said speaks for."""
        days = [
            Counted(each, len(people), sum(self.openings[who].denied for who in people))
            for each, people in sorted(self.by_day.items())
            if people
        ]
        cleared = day_of(self.state.cleared_us)
        return alert_of(Name.DENIALS, row_of(Name.DENIALS, days, days[0].day, cleared), day * DAY_S)

    def _counted(self, who: int | None, at_s: float, day: int, *, slowed: bool) -> str:
        """Count an opening (nobody: None), after the settled claims of the day were looked for. Which cap refused it."""
        if self.standing.day != day:
            self.standing = counted(self.standing, self.openings.values(), self.caps, day)
        caps, at_us = self.caps.slowed() if slowed else self.caps, int(at_s * S_US)
        refused = spent(self.standing, caps, at_us)
        if refused == "debt" or refused == "year":
            self.due.append((at_s, CapReached(refused, self.standing.debt, self.caps.debt)))
        if not refused and who is not None:
            self.standing = opened(self.standing, caps, at_us)
            self.openings[who] = Opened(day)
            self.by_day[day].append(who)
        return refused

    def _shown(self, who: int, day: int) -> None:
        self.shown.add(who)
        row = self.openings.get(who)
        if row and row.justified is None and not row.denied:
            self.openings[who] = Opened(row.day, day, shown=True)

    def _ripe(self, who: int) -> Ripe:
        row = self.openings[who]
        return Ripe(self.waiting.pop(who), row.justified is not None, row.denied)

    def _alerted(self, alerts: tuple[Alert, ...], at_s: float) -> None:
        self.due += [(at_s, Alerted(alert)) for alert in alerts]

    def _moved(self, event: Event, at_s: float) -> None:
        self.state, done = move(self.state, event, int(at_s * S_US))
        if done is None:
            return
        self.sensed, alerts = stepped(self.sensed, done)
        self._alerted(alerts, at_s)
        why = event.alert.signal.name if isinstance(event, Alerted) else type(event).__name__
        self.moves.append((at_s, Step(done.after), why))


assert DAY_US == DAY_S * S_US
