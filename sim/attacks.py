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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from ecluse.kernel.errors import refusal
from sim import identifiers
from sim.auditor.told import instant
from sim.communes import HERE, by_weight
from sim.hub import Address
from sim.people import Person
from sim.professionals import Professional
from sim.seeds import stream, weighted
from sim.world import World

if TYPE_CHECKING:
    from sim.run import Run

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
    """What one scenario gave: people newly told of by questions asked, refusals by code, and what the hub says of it."""

    scenario: Scenario
    accounts: int
    asked: int = 0
    newly: int = 0
    confirmed: int = 0
    fields: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    timeline: Timeline = field(default_factory=lambda: [(0, 0)])
    portal: Timeline = field(default_factory=lambda: [(0, 0)])
    displayed: int = 0  # people, as `ecluse exposure` answers for the stolen accounts since the attack began
    took_s: float = 0.0


def scenario_of(name: str) -> Scenario:
    """A scenario by its name. Raises `attack_unknown`."""
    if name not in SCENARIOS:
        raise ATTACK_UNKNOWN(f"{name[:40]!r}: there is {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def tries(world: World) -> int:
    """How many questions a thief asks: about everybody once, or `TRIES_MAX`."""
    return min(TRIES_MAX, len(world.people))


def play(run: Run, address: Address, scenario: Scenario, advance: Callable[[int], None]) -> Loot:
    """Play one scenario against the hub at `address`, after the run's days; the loot without what the hub says of it."""
    stolen = _stolen(run.world.professionals, scenario.accounts)
    loot = Loot(scenario, len(stolen))
    known = {
        (each.planned.account, each.planned.must.person) for each in run.played if each.planned.must.outcome in TOLD
    }
    tokens = {who.account: run.tokens.of(who.account) if scenario.has_token else "forged" for who in stolen}
    drawn = scenario.aims(run.world, stream(run.seed, "attack", scenario.name))
    aims = list(itertools.islice(drawn, tries(run.world)))
    thief = Thief(address, run.world.day.isoformat())
    began_s = time.perf_counter()
    jobs = [(stolen[place % len(stolen)], aim) for place, aim in enumerate(aims)]
    told: set[tuple[str, str, int]] = set()
    with ThreadPoolExecutor(AT_ONCE) as connections:
        answers = connections.map(lambda job: thief.ask(tokens[job[0].account], job[0], job[1]), jobs)
        for (who, aim), answer in zip(jobs, answers, strict=True):
            loot.asked += 1
            if answer.get("outcome") == "confirmed":
                told.add((aim.nir, aim.birth_date, aim.birth_rank))
                loot.fields += len(answer) - 1  # the id of the check says nothing
                loot.newly += (who.account, aim.person) not in known
                loot.timeline.append((loot.asked, loot.newly))
            elif "code" in answer:
                loot.refused[answer["code"]] += 1
            advance(1)
    loot.took_s, loot.confirmed = time.perf_counter() - began_s, len(told)
    loot.timeline.append((loot.asked, loot.newly))
    loot.portal = portal(run.world, aims)
    thief.close()
    return loot


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


def judged(run: Run, loot: Loot, began_ts: float) -> None:
    """Ask the hub what the stolen accounts were shown since; it must be what the thief was told. Raises `Lie`."""
    place = ("--dir", str(run.hub))
    words = ["--from", instant(int(began_ts * SECOND_US)), "--to", instant(int(time.time() * SECOND_US)), *place]
    for who in _stolen(run.world.professionals, loot.scenario.accounts):
        words += ["--account", who.account]
    run.operator.command("journal", "export", *place)
    said = run.operator.command("exposure", *words)
    loot.displayed = said["displayed"]["people"]["at_most"]
    run.listener.oath.same("what a thief was told is known", loot.scenario.name, loot.displayed, loot.confirmed)
