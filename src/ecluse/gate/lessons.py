"""What a day of an account teaches its profile, once its openings have matured: claims prove some, the rest is on credit.

An opening remembers which trials it was (`Waiting`), for only a claim or a presence says whether they were honest; questions that
opened nobody are added up by day (`Tally`). Nothing here names anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from ecluse.gate.profile import GROWTH, Lesson, Profile, Taught
from ecluse.gate.signals import Name

NONE_TRIED = (0,) * len(Name)
Trials = Iterable[tuple[int, bool]]


class Waiting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An opening that waits for a claim or a presence. `tried`, `hits`: the trials it was, a bit for each signal.

    `insurer`: `profile.insurer_class`; `department`: of birth, 0 unknown; `hour`: `profile.hour_class`.
    """

    day: int
    tried: int
    hits: int
    insurer: int
    department: int
    hour: int


class Ripe(msgspec.Struct, frozen=True, gc=False):
    """An opening whose 30 days are over: whether it was claimed, or the person shown; whether they said "not me"."""

    waiting: Waiting
    claimed: bool
    denied: bool = False


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """A day of an account. `clean`: it was open all that day; `people`: newly opened; `known`: others it asked about.

    `tried`, `hits`: by signal, of questions that confirmed nobody; `surged`: more people than usual, once the day is closed.
    """

    day: int = 0
    clean: bool = True
    people: int = 0
    known: int = 0
    tried: tuple[int, ...] = NONE_TRIED
    hits: tuple[int, ...] = NONE_TRIED
    surged: bool = False


def tallied(tally: Tally, trials: Trials) -> Tally:
    """The day with the trials of one more question that confirmed nobody."""
    tried, hits = list(tally.tried), list(tally.hits)
    for name, hit in trials:
        tried[name] += 1
        hits[name] += hit
    return replace(tally, tried=tuple(tried), hits=tuple(hits))


def bits(trials: Trials) -> tuple[int, int]:
    """Which signals were tried, and which of them hit, a bit for each."""
    tried = hits = 0
    for name, hit in trials:
        tried |= 1 << name
        hits |= hit << name
    return tried, hits


def lesson(tally: Tally, ripe: Sequence[Ripe], profile: Profile) -> Lesson:
    """The lesson of a day whose openings have matured.

    Known people prove nothing by themselves, or asking about them again would train a profile for nothing. Only for the share of
    strangers are they believed, up to a quarter more than usual for each new person who was claimed: without them it would rise
    for ever.
    """
    claimed = [each.waiting for each in ripe if each.claimed]
    unclaimed = [each.waiting for each in ripe if not each.claimed]
    taught = {name: _taught(name, tally, claimed, unclaimed) for name in Name}
    taught[Name.UNCLAIMED] = Taught(0, len(claimed), len(unclaimed), len(unclaimed))
    misses = taught[Name.MISSES]
    taught[Name.MISSES] = replace(misses, others=misses.others + tally.known)
    mean = profile.rates[Name.STRANGERS].mean
    believed = min(tally.known, round(GROWTH * len(claimed) * (1 - mean) / mean))
    taught[Name.STRANGERS] = (
        Taught(  # of openings, tried or not: an account that joins has yet to learn how many are new to it
            len(claimed), len(claimed) + believed, len(unclaimed), len(unclaimed) + tally.known - believed
        )
    )
    if 2 * len(claimed) > len(ripe):  # a day is honest when most of its people were
        taught[Name.SURGE] = Taught(int(tally.surged), 1)
    return Lesson(
        day=tally.day,
        clean=tally.clean and not any(each.denied for each in ripe),
        taught={name: each for name, each in taught.items() if each.proved or each.others},
        people=len(claimed),
        insurers=Counter(each.insurer for each in claimed),
        departments=Counter(each.department for each in claimed if each.department),
        hours=Counter(each.hour for each in claimed),
    )


def _taught(name: Name, tally: Tally, claimed: Iterable[Waiting], unclaimed: Iterable[Waiting]) -> Taught:
    proved, proved_hits = _count(name, claimed)
    others, other_hits = _count(name, unclaimed)
    return Taught(proved_hits, proved, other_hits + tally.hits[name], others + tally.tried[name])


def _count(name: Name, openings: Iterable[Waiting]) -> tuple[int, int]:
    """How many of the openings tried this signal, and how many of those hit."""
    bit, tried, hits = 1 << name, 0, 0
    for each in openings:
        tried += bool(each.tried & bit)
        hits += bool(each.hits & bit)
    return tried, hits
