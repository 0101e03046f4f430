"""The simulation: people who are in this leak, the other leaks they are in, and what a thief who joins them knows.

A run draws every uncertain number of the catalogue once (how many people, how sure a join is), then people. A person is in a
leak by the share of their age; leaks of one person are joined two by two; what is joined, directly or through others, is known
together. A harm is there when one such whole has the fields. Leaks are independent but for age.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import msgspec

from ecluse.breach.crossing.catalogue import CONTACT, LEAKS_MAX, Catalogue, Group, Leak
from ecluse.breach.crossing.draws import SLOTS, between, draws

MEMBER, VALID, SOME, JOINED = 0, 1, 2, 10  # which draw is for what; from JOINED on, one for each other leak
assert JOINED + LEAKS_MAX < SLOTS, "a draw for every pair"
GROUPS: tuple[Group, ...] = ("child", "adult", "senior")


class Number(msgspec.Struct, frozen=True):
    """A leak with the numbers of one run: the share of each age in it, of fields, of contacts that are right."""

    leak: Leak
    place: int
    shares: dict[Group, float]
    some: tuple[tuple[str, float], ...]
    valid: float


class Seen(msgspec.Struct, frozen=True):
    """Shares of people with each harm in one run, by age and all together: `stages` follow the leaks in order of their days."""

    stages: tuple[dict[str, tuple[float, ...]], ...]
    people: dict[Group, int]


def simulate(table: Catalogue, others: Sequence[Leak], this: Leak, seed: int, runs: int, people: int) -> Iterator[Seen]:
    """One result a run. Stage 0 is before this leak; stage 1 with it; then one for each later leak."""
    bits = {name: 1 << at for at, name in enumerate(sorted(_names(table, [*others, this])))}
    met = _met([[_mask(part, bits) for part in harm.of] for harm in table.harms])
    before = [each for each in others if each.on < this.on]
    after = sorted((each for each in others if each.on >= this.on), key=lambda each: each.on)
    for run in range(runs):
        numbers = [_number(table, each, seed, run) for each in (*before, this, *after)]
        sure = draws(seed, run, -1, "joins")
        joins = [
            (_mask(j.both, bits), _mask(j.one_each, bits), between(j.sure, sure[at]))
            for at, j in enumerate(table.joins)
        ]
        tally = _Tally(len(after) + 2, [harm.name for harm in table.harms])
        for person in range(people):
            group = _group(table, this, draws(seed, run, person, "age")[0])
            known = _Known(joins)
            for at, number in enumerate(numbers):
                drawn = draws(seed, run, person, number.leak.id)
                if number.leak is this or drawn[MEMBER] < number.shares[group]:
                    known.add(number.place, _fields(number, drawn, bits), drawn)
                if at >= len(before) - 1:
                    tally.count(at - len(before) + 1, group, met(known.fields()))
            if not before:
                tally.count(0, group, met(frozenset()))
        yield tally.seen()


class _Known:
    """What is known of one person: wholes of joined leaks, as sets of bits."""

    def __init__(self, joins: Sequence[tuple[int, int, float]]) -> None:
        self._joins = joins
        self._parts: list[tuple[int, int, int]] = []  # place of the leak, its fields, its whole
        self.wholes: dict[int, int] = {}

    def add(self, place: int, fields: int, drawn: Sequence[float]) -> None:
        """One leak more, joined with those it can be joined with."""
        whole, label = fields, place
        touched = {label}
        for other, theirs, of in self._parts:
            if of not in touched and drawn[JOINED + other] < self._sure(fields, theirs):
                touched.add(of)
                whole |= self.wholes[of]
        self._parts = [(p, f, label if of in touched else of) for p, f, of in self._parts]
        self._parts.append((place, fields, label))
        for of in touched:
            self.wholes.pop(of, None)
        self.wholes[label] = whole

    def fields(self) -> frozenset[int]:
        """The fields of each whole."""
        return frozenset(self.wholes.values())

    def _sure(self, mine: int, theirs: int) -> float:
        both = mine & theirs
        return max(
            (sure for need, each, sure in self._joins
             if need & both == need and (not each or (each & mine and each & theirs))),
            default=0.0,
        )  # fmt: skip


class _Tally:
    """Counts people with each harm, by stage and age."""

    def __init__(self, stages: int, names: Sequence[str]) -> None:
        self._names = names
        self._counts = {group: [[0] * len(names) for _ in range(stages)] for group in GROUPS}
        self._people: dict[Group, int] = dict.fromkeys(GROUPS, 0)

    def count(self, stage: int, group: Group, met: Sequence[int]) -> None:
        """One person at one stage, and the harms there are."""
        self._people[group] += stage == 0
        row = self._counts[group][stage]
        for at in met:
            row[at] += 1

    def seen(self) -> Seen:
        """The shares."""
        stages = range(len(self._counts[GROUPS[0]]))
        whole = sum(self._people.values())
        told = []
        for stage in stages:
            shares: dict[str, tuple[float, ...]] = {}
            for group in GROUPS:
                of = self._people[group]
                shares[group] = tuple(each / of if of else 0.0 for each in self._counts[group][stage])
            totals = [sum(self._counts[g][stage][at] for g in GROUPS) for at in range(len(self._names))]
            shares["all"] = tuple(each / whole for each in totals)
            told.append(shares)
        return Seen(tuple(told), dict(self._people))


def _met(harms: Sequence[Sequence[int]]) -> Callable[[frozenset[int]], tuple[int, ...]]:
    """Which harms there are by what is known. Kept, for many people are in the same leaks: a third of the time."""

    @cache
    def met(known: frozenset[int]) -> tuple[int, ...]:
        return tuple(
            at for at, parts in enumerate(harms) if any(whole & part == part for whole in known for part in parts)
        )

    return met


def _number(table: Catalogue, leak: Leak, seed: int, run: int) -> Number:
    drawn = draws(seed, run, -1, leak.id)
    people = between(leak.people, drawn[0]) / between(leak.accounts_each, drawn[1])
    weights = {group: table.population.groups[group] * leak.reach[group] for group in GROUPS}
    per_weight = people / (table.population.people * (sum(weights.values()) or 1.0))
    shares: dict[Group, float] = {group: min(1.0, per_weight * leak.reach[group]) for group in GROUPS}
    some = tuple((name, between(span, drawn[3 + at])) for at, (name, span) in enumerate(sorted(leak.some.items())))
    place = next((at for at, each in enumerate(table.leaks) if each.id == leak.id), len(table.leaks))
    return Number(leak, place, shares, some, between(leak.valid, drawn[2]))


def _fields(number: Number, drawn: Sequence[float], bits: dict[str, int]) -> int:
    """What this leak has of this person: contacts only if they are still right."""
    names = {*number.leak.fields}
    names |= {name for at, (name, share) in enumerate(number.some) if drawn[SOME + at] < share}
    if drawn[VALID] >= number.valid:
        names -= CONTACT
    return _mask(names, bits)


def _group(table: Catalogue, this: Leak, share: float) -> Group:
    weights = [(group, table.population.groups[group] * this.reach[group]) for group in GROUPS]
    whole = sum(weight for _, weight in weights)
    for group, weight in weights:
        share -= weight / whole
        if share < 0 and weight:
            return group
    return next(group for group, weight in reversed(weights) if weight)


def _names(table: Catalogue, leaks: Sequence[Leak]) -> set[str]:
    said = [each.fields | each.some.keys() for each in leaks]
    return set().union(
        *said, *(part for h in table.harms for part in h.of), *(j.both | j.one_each for j in table.joins)
    )


def _mask(names: object, bits: dict[str, int]) -> int:
    assert isinstance(names, set | frozenset)
    return sum(bits[name] for name in names)
