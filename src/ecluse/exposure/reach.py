"""The two counts that are not displays: whom the hub held, and whom the accounts could have been answered about.

**Referenced** is what operators announced in 2024, because it was all they knew: the people an insurer's rights held. It is known
after each member file that was loaded; over a window it is the largest number held at one time in it.

**Reachable** is at most that: who asks must hold what is on a person's card, and the journal cannot know what a thief held.
Nothing else bounds it yet. `reachable` is the one place where the gate's allowance and containment will lower it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ecluse.exposure.question import Question


class Held(msgspec.Struct, frozen=True, array_like=True):
    """How many people an insurer's rights held from an instant on (µs, UTC), once a member file was loaded."""

    insurer: str
    since_ts_us: int
    people: int


def referenced(held: Iterable[Held], question: Question) -> dict[str, int]:
    """The largest number of people held at one time in the window, by insurer; none for who had no rights loaded by its end."""
    most: dict[str, int] = {}
    for each in sorted(held, key=lambda one: (one.insurer, one.since_ts_us)):
        if each.since_ts_us >= question.end_ts_us or (question.insurers and each.insurer not in question.insurers):
            continue
        before = most.get(each.insurer, 0) if each.since_ts_us > question.start_ts_us else 0
        most[each.insurer] = max(before, each.people)
    return most


def reachable(held: Mapping[str, int]) -> dict[str, int]:
    """At most how many people the accounts could have been answered about, by insurer: an upper bound, everybody held."""
    return dict(held)
