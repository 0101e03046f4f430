"""Fleet breakers: how many people all accounts together open in a day of one insurer, département, software or network.

Each is compared with its own usual working day, because sizes differ a thousandfold; one that is not known yet has a fixed cap.
What must not trip: a Monday after a holiday, 1.8 usual days; a flu, half as many again; the day after a quiet August. A breaker
limits typed questions only, and two operators lift it (`gate/containment.py`).
"""

from __future__ import annotations

import msgspec

from ecluse.gate.containment import CapReached, Kind

LEARNT_DAYS = 14  # until then a day of it is not known
RISE_DAYS, FALL_DAYS = 28, 120  # it rises in a month, and falls in a season: nights and holidays are not what is usual
TAUGHT_TIMES = 2  # a day teaches at most twice the usual: an attacker who doubles it needs 20 days, each above it
FINESS_CHARS = 9
OVERSEAS = {"9A": "971", "9B": "972", "9C": "973", "9D": "974", "9F": "976"}  # as FINESS writes them since 2012
OVERSEAS_BEFORE = {"9701": "971", "9702": "972", "9703": "973", "9704": "974", "9805": "976"}  # of most numbers still


class FleetCap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cap of a kind, in people newly opened in a day: `times` the usual day, never below `least`; `new` until that is known."""

    least: int
    times: float
    new: int

    def __post_init__(self) -> None:
        if min(self.least, self.new) < 1 or self.times < 1:
            raise ValueError("a cap is 1 at least")


class Breaker(msgspec.Struct, frozen=True, gc=False):
    """What is counted of one: people of `day`, and the usual day as `days` before it taught, at most `FALL_DAYS`."""

    day: int = 0
    people: int = 0
    usual: float = 0.0
    days: int = 0


def opened(breaker: Breaker, cap: FleetCap, day: int) -> tuple[Breaker, CapReached | None]:
    """The breaker after one more person was opened, and what it trips with, if it does."""
    breaker = _on(breaker, cap, day)
    after = msgspec.structs.replace(breaker, people=breaker.people + 1)
    most = cap_of(breaker, cap)
    return after, CapReached("fleet", after.people, most) if after.people > most else None


def lifted(breaker: Breaker) -> Breaker:
    """The breaker after operators lifted its limit: it counts that day anew."""
    return msgspec.structs.replace(breaker, people=0)


def cap_of(breaker: Breaker, cap: FleetCap) -> int:
    """How many people of one may be opened in a day."""
    return max(cap.least, int(cap.times * breaker.usual)) if breaker.days >= LEARNT_DAYS else cap.new


def places(insurer: str, practice: str, software: str, network: str) -> tuple[tuple[Kind, str], ...]:
    """What a question is counted under, and held to: the insurer, the practice's département, the software, the network."""
    every = (
        (Kind.INSURER, insurer),
        (Kind.DEPARTMENT, department(practice)),
        (Kind.VENDOR, software),
        (Kind.NETWORK, network),
    )
    return tuple(each for each in every if each[1])


def department(practice: str) -> str:
    """The département of a practice by its FINESS number (`75`, `2A`, `974`); empty for a SIRET, which has none in it."""
    if len(practice) != FINESS_CHARS:
        return ""
    if found := OVERSEAS.get(practice[:2]) or OVERSEAS_BEFORE.get(practice[:4]):
        return found
    return practice[:3] if practice.startswith("97") else practice[:2]


def _on(breaker: Breaker, cap: FleetCap, day: int) -> Breaker:
    """The breaker on a later day: the last one and empty ones since have taught what is usual."""
    if day <= breaker.day:
        return breaker
    usual, days = breaker.usual, breaker.days
    if breaker.day:
        taught = min(float(breaker.people), max(float(cap.least), TAUGHT_TIMES * usual))
        for people in (taught, *(0.0,) * min(day - breaker.day - 1, FALL_DAYS)):
            days = min(days + 1, FALL_DAYS)
            usual += (people - usual) / min(days, RISE_DAYS if people > usual else FALL_DAYS)
    return Breaker(day, 0, usual, days)
