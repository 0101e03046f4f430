"""Families of one département, with valid NIRs of every kind a hub must read, and names that must never reach it.

Assumed everywhere below: ages and families follow round figures in the manner of INSEE's pyramid, not a table of it.
Kinds of NIR, and the key of a person (NIR of the insured, birth date, birth rank): sources in docs/simulator.md.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sim import identifiers
from sim.communes import HERE, Place, by_weight, rows
from sim.seeds import chance, stream, weighted

AGES = ((range(18, 30), 17), (range(30, 45), 24), (range(45, 60), 25), (range(60, 75), 22), (range(75, 98), 12))
BORN_HERE, BORN_ELSEWHERE, BORN_ABROAD = 520, 360, 120  # per mille; assumed, abroad near INSEE's share of immigrants
TEMPORARY = 8  # per mille of adults who wait for their number: first digit 7 or 8 (docs/simulator.md); assumed
UNKNOWN_MONTH = 60  # per mille of those born abroad whose month is not known; assumed
MONTHS_UNKNOWN = range(31, 43)  # 20 + month for one form of incomplete birth records; assumed
TWINS = 16  # per mille of births; assumed
BEFORE_INDEPENDENCE = {"99352": ("91", "92", "93", "94"), "99350": ("95",), "99351": ("96",)}  # docs/simulator.md
INDEPENDENCE = {"99352": 1962, "99350": 1956, "99351": 1956}


@dataclass(frozen=True, slots=True)
class Person:
    """One person as the world knows them. `nir` is that of the insured, who for a child is a parent."""

    number: int
    family: int
    nir: str
    birth_date: str
    birth_rank: int
    sex: int
    first_name: str
    last_name: str
    commune: str
    age: int
    dependant: bool


def families(seed: int, count: int, day: date) -> Iterator[list[Person]]:
    """Families until `count` people have been born; the last family is cut to measure."""
    number = family = 0
    taken: set[str] = set()
    while number < count:
        draw = stream(seed, "family", family)
        members = family_of(draw, family, number, day, taken)[: count - number]
        number += len(members)
        family += 1
        yield members


def family_of(draw: random.Random, family: int, number: int, day: date, taken: set[str]) -> list[Person]:
    """One or two adults and the children who are under the number of the first; `taken` keeps numbers unique."""
    home = weighted(draw, by_weight(HERE))
    last = draw.choice(rows("last_names.csv"))[0]
    head = adult(draw, family, number, day, home, last, taken, weighted(draw, AGES))
    members = [head]
    if chance(draw, 560):
        near = range(max(18, head.age - 6), min(99, head.age + 7))
        other = last if chance(draw, 600) else draw.choice(rows("last_names.csv"))[0]
        members.append(adult(draw, family, number + 1, day, home, other, taken, near))
    if 26 <= head.age <= 57 and chance(draw, 620):
        members += children(draw, head, number + len(members), day)
    return distinct(members)


def adult(
    draw: random.Random, family: int, number: int, day: date, home: Place, last: str, taken: set[str], ages: range
) -> Person:
    """One adult with their own number."""
    sex = 1 + draw.randrange(2)
    age = draw.choice(ages)
    born = day - timedelta(days=365 * age + draw.randrange(1, 360))
    age = identifiers.years_between(born, day)
    place, month = birthplace(draw, born)
    first_digit = sex + 6 if chance(draw, TEMPORARY) else sex
    nir = identifiers.nir(first_digit, born.year, month, place, draw.randrange(1, 999))
    while nir in taken:
        nir = identifiers.nir(first_digit, born.year, month, place, draw.randrange(1, 999))
    taken.add(nir)
    text = f"{born.year}-{month:02d}-{born.day:02d}"
    return Person(number, family, nir, text, 1, sex, first_name(draw, sex), last, home.code, age, False)


def birthplace(draw: random.Random, born: date) -> tuple[str, int]:
    """The five characters of the place, and the month as the civil register has it."""
    kind = weighted(draw, (("here", BORN_HERE), ("elsewhere", BORN_ELSEWHERE), ("abroad", BORN_ABROAD)))
    if kind == "abroad":
        place = weighted(draw, by_weight("births_abroad.csv")).code
        month = draw.choice(MONTHS_UNKNOWN) if chance(draw, UNKNOWN_MONTH) else born.month
        return colonial(draw, place, born), month
    return weighted(draw, by_weight(HERE if kind == "here" else "births_elsewhere.csv")).code, born.month


def colonial(draw: random.Random, place: str, born: date) -> str:
    """Places of Algeria, Morocco and Tunisia had numbers of départements before independence."""
    if place in INDEPENDENCE and born.year < INDEPENDENCE[place]:
        return draw.choice(BEFORE_INDEPENDENCE[place]) + f"{draw.randrange(1, 500):03d}"
    return place


def children(draw: random.Random, head: Person, number: int, day: date) -> list[Person]:
    """One to three children under the number of `head`; twins share a birth date and differ by their rank."""
    found: list[Person] = []
    for _ in range(weighted(draw, ((1, 45), (2, 40), (3, 15)))):
        age = draw.randrange(0, min(18, head.age - 19))
        born = day - timedelta(days=365 * age + draw.randrange(1, 360))
        births = 2 if chance(draw, TWINS) else 1
        for rank in range(1, births + 1):
            found.append(child(draw, head, number + len(found), born, rank, day))
    return found


def child(draw: random.Random, head: Person, number: int, born: date, rank: int, day: date) -> Person:
    """One child, known by the number of `head`."""
    sex = 1 + draw.randrange(2)
    name = first_name(draw, sex)
    age = identifiers.years_between(born, day)
    return Person(
        number, head.family, head.nir, born.isoformat(), rank, sex, name, head.last_name, head.commune, age, True
    )


def distinct(members: list[Person]) -> list[Person]:
    """Leaves out who could not be told from another by number, birth date and rank, and counts again."""
    seen: set[tuple[str, int]] = set()
    kept: list[Person] = []
    start = members[0].number
    for person in members:
        if (person.birth_date, person.birth_rank) not in seen:
            seen.add((person.birth_date, person.birth_rank))
            kept.append(renumbered(person, start + len(kept)))
    return kept


def renumbered(person: Person, number: int) -> Person:
    """The same person under another number of the world."""
    fields = {name: getattr(person, name) for name in Person.__slots__}
    return Person(**(fields | {"number": number}))


def first_name(draw: random.Random, sex: int) -> str:
    """An ordinary first name."""
    return draw.choice([name for code, name in rows("first_names.csv") if code == str(sex)])
