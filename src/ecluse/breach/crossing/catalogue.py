"""The catalogue of public leaks, the rules by which two of them are joined, and the harms (law/leaks.toml)."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ecluse.breach.facts import BAD_FACTS, Sent, Short
from ecluse.breach.tables import Row, load

Group = Literal["child", "adult", "senior"]
Interval = tuple[float, float]
LEAKS_MAX = 20  # of one crossing: each is joined with every other, by one draw of 16 bits
CONTACT = frozenset({"phone", "email", "address", "bank"})  # what changes in a life


class Leak(Row, frozen=True, kw_only=True):
    """One leak as it was published."""

    id: str
    name: str
    on: date
    people: tuple[int, int]
    reach: dict[Group, float]
    fields: frozenset[str]
    source: str
    read: bool
    accounts_each: Interval = (1.0, 1.0)
    some: dict[str, Interval] = msgspec.field(default_factory=dict)
    valid: Interval = (0.9, 1.0)


class Join(Row, frozen=True):
    """Two leaks that both have all of `both`, and each one of `one_each`, are joined as surely as `sure` says."""

    both: frozenset[str]
    sure: Interval
    one_each: frozenset[str] = frozenset()


class Harm(Row, frozen=True):
    """A harm, and the lists of fields that switch it on."""

    name: str
    label: str
    of: tuple[frozenset[str], ...]


class Population(Row, frozen=True):
    """How many people, and the share of each age."""

    people: int
    groups: dict[Group, float]
    labels: dict[Group, str]
    source: str


class Catalogue(Row, frozen=True):
    """leaks.toml."""

    population: Population
    joins: tuple[Join, ...]
    harms: tuple[Harm, ...]
    leaks: tuple[Leak, ...]


class Crossed(Sent, frozen=True, kw_only=True):
    """What is asked: a leak of the catalogue by `leak`, or one's own by its `fields` and day; how large the simulation is."""

    leak: Short = ""
    fields: Annotated[list[Short], Meta(max_length=50)] = msgspec.field(default_factory=list)
    on: date | None = None
    name: Short = "cette fuite"
    reach: dict[Group, Annotated[float, Meta(ge=0, le=10)]] = msgspec.field(
        default_factory=lambda: {"child": 1.0, "adult": 1.0, "senior": 1.0}
    )
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 1
    runs: Annotated[int, Meta(ge=10, le=500)] = 60
    people: Annotated[int, Meta(ge=50, le=5000)] = 300


@cache
def catalogue() -> Catalogue:
    """The table."""
    return load("leaks.toml", Catalogue)


def known_fields() -> frozenset[str]:
    """Fields that some leak, join or harm speaks of."""
    table = catalogue()
    said = [each.fields | each.some.keys() for each in table.leaks]
    return frozenset().union(*said, *(part for harm in table.harms for part in harm.of))


def leak_of(asked: Crossed) -> Leak:
    """The leak that is asked about. Raises `facts_invalid`."""
    if asked.leak:
        found = next((each for each in catalogue().leaks if each.id == asked.leak), None)
        if found is None:
            accepted = ", ".join(each.id for each in catalogue().leaks)
            raise BAD_FACTS("no such leak is in the catalogue", pointer="/leak", fix=f"Accepted here: {accepted}.")
        return found
    if not asked.fields or asked.on is None:
        raise BAD_FACTS("neither `leak`, nor `fields` with their day `on`", pointer="/leak")
    if unknown := set(asked.fields) - known_fields():
        accepted = ", ".join(sorted(known_fields()))
        raise BAD_FACTS(f"no harm hangs on {sorted(unknown)[0][:40]}", pointer="/fields", fix=f"Accepted: {accepted}.")
    if not any(asked.reach.values()):
        raise BAD_FACTS("nobody is in it", pointer="/reach", fix="State a number above 0 for one age at least.")
    reach: dict[Group, float] = {"child": 0.0, "adult": 0.0, "senior": 0.0, **asked.reach}
    return Leak(
        id="asked", name=asked.name, on=asked.on, people=(1, 1), reach=reach, fields=frozenset(asked.fields),
        source="faits donnés", read=True, valid=(1.0, 1.0),
    )  # fmt: skip
