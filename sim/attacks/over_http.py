"""What a thief gets with stolen logins: scenarios played over HTTP, beside the open portal of 2024 on the same people.

The thief has read every line of this project, holds a true list of everybody in the département and valid tokens, and goes as
fast as the hub answers, after a day of honest care. What it was told is counted here from its answers alone, and then asked of
the hub: `ecluse exposure` must name as many people. Only what a day can hold is played: no attack here waits a week.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ecluse.kernel.errors import refusal
from sim import identifiers
from sim.auditor.lie import Oath
from sim.auditor.told import instant
from sim.communes import HERE, by_weight
from sim.hub import Address, Operator, Tokens
from sim.people import Person
from sim.player import Played
from sim.professionals import Professional
from sim.seeds import stream, weighted
from sim.world import World

AT_ONCE = 4  # connections of a thief: more than one core of a hub answers
TRIES_MAX = 2_000  # questions of a thief: what comes after is refused like what came before
SECOND_US = 1_000_000
TOLD = {"confirmed", "quoted", "granted", "accepted"}  # outcomes that tell an account of a person
YEARS_OF_AGE = 80  # of whom somebody without a list guesses

ATTACK_UNKNOWN = refusal(
    "attack_unknown", 404, "No such attack", fix="`ecluse sim attacks` lists those that can be played."
)
Timeline = list[tuple[int, int]]  # questions asked, people newly told of by then


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom a question is about, as on a list; `person` is their number in the world, -1 of a guess."""

    insurer: str
    nir: str
    birth_date: str
    birth_rank: int
    person: int = -1


Job = tuple[Professional, Aim]  # whose account asks about whom


@dataclass(frozen=True, slots=True)
class Scenario:
    """An attack: what is stolen, and in which order people are asked about. `title` and `about` are shown, in French."""

    name: str
    title: str
    about: str
    accounts: slice  # of the professionals, general practitioners first: no account is stolen twice
    aims: Callable[[World, random.Random], Iterator[Aim]]
    has_token: bool = True


def leaked(world: World, draw: random.Random) -> Iterator[Aim]:
    """Everybody covered, true to the letter, in no order."""
    people = [person for person in world.people if world.rights(person)]
    draw.shuffle(people)
    return (_aim(world, person) for person in people)


def guessed(world: World, draw: random.Random) -> Iterator[Aim]:
    """Numbers that could be: sex, year, month, a commune of the département by its size, an order, a day."""
    while True:
        year, month, day = (
            world.day.year - draw.randrange(1, YEARS_OF_AGE),
            draw.randrange(1, 13),
            draw.randrange(1, 29),
        )
        commune = weighted(draw, by_weight(HERE)).code
        body = f"{draw.randrange(1, 3)}{year % 100:02}{month:02}{commune}{draw.randrange(1, 40):03}"
        insurer = draw.choice(world.insurers).number
        yield Aim(insurer, body + identifiers.nir_key(body), f"{year}-{month:02}-{day:02}", 1)


def _aim(world: World, person: Person) -> Aim:
    return Aim(world.rights(person)[0].insurer, person.nir, person.birth_date, person.birth_rank, person.number)


SCENARIOS = {
    each.name: each
    for each in (
        Scenario(
            "leaked",
            "Une liste volée, un compte volé",
            "Le voleur a la liste exacte des assurés et le jeton d’un médecin généraliste ; il demande tout, au plus vite.",
            slice(0, 1),
            leaked,
        ),
        Scenario(
            "blind",
            "Au hasard, un compte volé",
            "Sans liste : des NIR vraisemblables du département, un organisme au hasard.",
            slice(1, 2),
            guessed,
        ),
        Scenario(
            "hundred",
            "Une liste volée, cent comptes volés",
            "Cent comptes à la fois (tous, s’il y en a moins), chacun sur sa part de la liste.",
            slice(2, 102),
            leaked,
        ),
        Scenario(
            "bad-token",
            "Une liste volée, un jeton forgé",
            "La liste exacte, et un jeton que personne n’a signé.",
            slice(0, 1),
            leaked,
            has_token=False,
        ),
    )
}


@dataclass
class Loot:
    """What one scenario gave: people newly told of by questions asked, refusals by code, and what the hub says of it.

    `confirmed`: people told of, new to the account or not; `displayed`: the same, as `ecluse exposure` answers.
    """

    scenario: Scenario
    accounts: int
    asked: int = 0
    newly: int = 0
    confirmed: int = 0
    fields: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    timeline: Timeline = field(default_factory=lambda: [(0, 0)])
    portal: Timeline = field(default_factory=lambda: [(0, 0)])
    displayed: int = 0
    took_s: float = 0.0


def scenario_of(name: str) -> Scenario:
    """A scenario by its name. Raises `attack_unknown`."""
    if name not in SCENARIOS:
        raise ATTACK_UNKNOWN(f"{name[:40]!r}: there is {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def tries(world: World) -> int:
    """How many questions a thief asks: about everybody once, or `TRIES_MAX`."""
    return min(TRIES_MAX, len(world.people))


@dataclass(frozen=True, slots=True)
class Robber:
    """Plays attacks on one world, after the exchanges `played` there, and asks the hub in `directory` what it knows of them."""

    world: World
    played: Sequence[Played]
    tokens: Tokens
    operator: Operator
    directory: Path
    oath: Oath

    def play(self, address: Address, scenario: Scenario, advance: Callable[[int], None]) -> Loot:
        """Play one scenario against the hub at `address`. Raises `Lie` when the hub knows of other people than were told."""
        stolen = _stolen(self.world.professionals, scenario.accounts)
        drawn = scenario.aims(self.world, stream(self.world.seed, "attack", scenario.name))
        aims = list(itertools.islice(drawn, tries(self.world)))
        loot = Loot(scenario, len(stolen), portal=portal(self.world, aims))
        began_ts, began_s = time.time(), time.perf_counter()
        self._rob(loot, address, [(stolen[place % len(stolen)], aim) for place, aim in enumerate(aims)], advance)
        loot.took_s = time.perf_counter() - began_s
        loot.displayed = self._displayed(stolen, began_ts)
        self.oath.same("what a thief was told is known", scenario.name, loot.displayed, loot.confirmed)
        return loot

    def _rob(self, loot: Loot, address: Address, jobs: list[Job], advance: Callable[[int], None]) -> None:
        known = {(each.planned.account, each.planned.must.person) for each in self.played if _tells(each)}
        told: set[tuple[str, str, int]] = set()
        thief = Thief(address, self.world.day.isoformat())

        def ask(job: Job) -> dict[str, str]:
            token = self.tokens.of(job[0].account) if loot.scenario.has_token else "forged"
            return thief.ask(token, *job)

        with ThreadPoolExecutor(AT_ONCE) as connections:
            for (who, aim), answer in zip(jobs, connections.map(ask, jobs), strict=True):
                loot.asked += 1
                if answer.get("outcome") == "confirmed":
                    told.add((aim.nir, aim.birth_date, aim.birth_rank))
                    loot.fields += len(answer) - 1  # the id of the check says nothing
                    loot.newly += (who.account, aim.person) not in known
                    loot.timeline.append((loot.asked, loot.newly))
                elif "code" in answer:
                    loot.refused[answer["code"]] += 1
                advance(1)
        thief.close()
        loot.confirmed = len(told)
        loot.timeline.append((loot.asked, loot.newly))

    def _displayed(self, stolen: Sequence[Professional], began_ts: float) -> int:
        """How many people the hub says it showed these accounts since."""
        place = ("--dir", str(self.directory))
        words = ["--from", instant(int(began_ts * SECOND_US)), "--to", instant(int(time.time() * SECOND_US)), *place]
        for who in stolen:
            words += ["--account", who.account]
        self.operator.command("journal", "export", *place)
        said = self.operator.command("exposure", *words)
        people: int = said["displayed"]["people"]["at_most"]
        return people


def _tells(played: Played) -> bool:
    return played.planned.must.outcome in TOLD


def _stolen(professionals: tuple[Professional, ...], which: slice) -> list[Professional]:
    """General practitioners first: their caps are those that the design's targets name."""
    return sorted(professionals, key=lambda who: (who.trade.profession != "general_practitioner", who.account))[which]


class Thief:
    """Asks over HTTP as a practice's software would."""

    def __init__(self, address: Address, day: str) -> None:
        self._http = httpx.Client(base_url=f"http://{address[0]}:{address[1]}", timeout=60)
        self._day = day

    def ask(self, token: str, who: Professional, aim: Aim) -> dict[str, str]:
        """What the hub answers, a refusal too."""
        beneficiary = {"nir": aim.nir, "birth_date": aim.birth_date, "birth_rank": aim.birth_rank}
        body = {"insurer": aim.insurer, "beneficiary": beneficiary, "care_date": self._day, "domain": who.trade.domain}
        reply = self._http.post("/v1/rights/checks", json=body, headers={"authorization": f"Bearer {token}"})
        answer: dict[str, str] = reply.json()
        return answer

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def portal(world: World, aims: list[Aim]) -> Timeline:
    """The portal of 2024 as far as it was told of: a number in, the record of the whole family out, and no count kept.

    What was said in public is in docs/simulator.md; that nothing stopped the extraction follows from its size.
    """
    families: dict[int, set[int]] = {}
    for person in world.people:
        if world.rights(person):
            families.setdefault(person.family, set()).add(person.number)
    family = {person.number: person.family for person in world.people}
    told: set[int] = set()
    line = [(0, 0)]
    for asked, aim in enumerate(aims, 1):
        if aim.person >= 0:
            told |= families[family[aim.person]]
            line.append((asked, len(told)))
    return [*line, (len(aims), len(told))]
