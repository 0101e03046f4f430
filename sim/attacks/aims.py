"""Whom thieves ask about: a true list, guesses, or births that a register tells; and whom an open portal would have told of."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sim import identifiers
from sim.communes import HERE, by_weight
from sim.people import Person
from sim.seeds import weighted
from sim.world import World

Timeline = list[tuple[int, int]]  # questions asked, people newly told of by then

YEARS_OF_AGE = 80  # of whom somebody without a list guesses
ORDERS = 20  # a register of births tells the order of a birth in its month within so many (assumed: a small town)


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom a question is about, as on a list; `person` is their number in the world, -1 of a guess that is nobody."""

    insurer: str
    nir: str
    birth_date: str
    birth_rank: int
    person: int = -1


Aims = Callable[[World, random.Random], Iterator[Aim]]


def leaked(world: World, draw: random.Random) -> Iterator[Aim]:
    """Everybody covered, true to the letter, in no order."""
    people = [person for person in world.people if world.rights(person)]
    draw.shuffle(people)
    return (aim_at(world, person) for person in people)


def guessed(world: World, draw: random.Random) -> Iterator[Aim]:
    """Numbers that could be: sex, year, month, a commune of the département by its size, an order, a day."""
    places = by_weight(HERE)
    while True:
        year, month, day = (
            world.day.year - draw.randrange(1, YEARS_OF_AGE),
            draw.randrange(1, 13),
            draw.randrange(1, 29),
        )
        commune = weighted(draw, places).code
        body = f"{draw.randrange(1, 3)}{year % 100:02}{month:02}{commune}{draw.randrange(1, 40):03}"
        insurer = draw.choice(world.insurers).number
        yield Aim(insurer, body + identifiers.nir_key(body), f"{year}-{month:02}-{day:02}", 1)


def born(world: World, draw: random.Random) -> Iterator[Aim]:
    """Births that registers tell: sex, day and commune are known, the order within twenty; the largest insurer is named."""
    people = [person for person in world.people if not person.dependant]
    insurer = max(world.insurers, key=lambda each: each.share).number
    while True:
        person = draw.choice(people)
        true = int(person.nir[10:13])
        first = max(1, true - draw.randrange(ORDERS))
        for order in range(first, min(first + ORDERS, 999)):
            body = f"{person.nir[:10]}{order:03}"
            found = order == true and any(row.insurer == insurer for row in world.rights(person))
            number = person.number if found else -1
            yield Aim(insurer, body + identifiers.nir_key(body), person.birth_date, person.birth_rank, number)


def aim_at(world: World, person: Person) -> Aim:
    """A question about somebody covered, as it should be asked."""
    return Aim(world.rights(person)[0].insurer, person.nir, person.birth_date, person.birth_rank, person.number)


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
