"""The two upper counts of an exposure: people the hub held, and people the accounts could have been answered about.

**Referenced** is what operators announced in 2024, because it was all they knew: the people an insurer's rights held. It is known
after each member file that was loaded; over a window it is the largest number held at one time in it.

**Reachable** is an upper bound, the smallest of two:

- everybody referenced: who asks must hold what is on a person's card, and the journal cannot know what a thief held;
- R + Σ (N(T) - n), over the accounts: R, people who had been told of at their practices by the end of the window (whoever works
  there may ask about them again); N(T), what the allowance lets one account open in a window that long (`gate/allowance.py`);
  n, what it opened. Who showed a pass was displayed, and is in R. T ends where an account was held to presence, and stayed so.

The second holds only where the tables of caps of the whole window are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ecluse.exposure.question import Question
from ecluse.gate.allowance import Caps, opened_at_most
from ecluse.kernel.days import DAY_US


class Held(msgspec.Struct, frozen=True, array_like=True):
    """How many people an insurer's rights held from an instant on (µs, UTC), once a member file was loaded."""

    insurer: str
    since_ts_us: int
    people: int


class Room(msgspec.Struct, frozen=True):
    """One account in the window: its caps, how long it could ask without a pass, how many people it opened, and how many
    openings gave it room again."""

    caps: Caps
    asking_us: int
    typed: int
    justified: int

    @property
    def people(self) -> int:
        """How many more people it could have opened."""
        days = self.asking_us / DAY_US
        return max(0, opened_at_most(self.caps, days, self.justified) - self.typed) if self.asking_us > 0 else 0


def referenced(held: Iterable[Held], question: Question) -> dict[str, int]:
    """The largest number of people held at one time in the window, by insurer; none for insurers without rights by its end."""
    most: dict[str, int] = {}
    for each in sorted(held, key=lambda one: (one.insurer, one.since_ts_us)):
        if each.since_ts_us >= question.end_ts_us or (question.insurers and each.insurer not in question.insurers):
            continue
        before = most.get(each.insurer, 0) if each.since_ts_us > question.start_ts_us else 0
        most[each.insurer] = max(before, each.people)
    return most


def within_reach(told: int, rooms: Iterable[Room]) -> int:
    """R + Σ (N(T) - n): at most how many people these accounts could have been answered about, of all insurers."""
    return told + sum(room.people for room in rooms)


def reachable(held: Mapping[str, int], shown: Mapping[str, int], at_most: int | None) -> dict[str, int]:
    """By insurer: everybody held, or the bound of the allowance where it is known and lower; never fewer than were displayed."""
    if at_most is None:
        return dict(held)
    return {insurer: max(min(people, at_most), shown.get(insurer, 0)) for insurer, people in held.items()}
