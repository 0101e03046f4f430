"""Carries the rights of an insurer under a new index key: read in order, staged as a member file is, built as a generation.

What was staged survives a kill, so a rekeying goes on after its last commit; building starts again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from typing import Protocol

from ecluse.app.ports import FeedCounts, Rekeying
from ecluse.app.ports.feeds import RightsWork
from ecluse.engines.staging import StagedMember, StagedRow

COMMIT_ROWS = 65_536  # staged in one transaction: a second of work is all that a kill can lose

Told = Callable[[int, int], None]


class Kept(Protocol):
    """What answers now, in the order of its keys, some thousands of rows at a time; `after` that many."""

    since: int  # the version of the index key it is keyed under
    rights: int
    members: int

    def some_rights(self, after: int) -> AsyncIterator[Sequence[tuple[bytes, int, bytes]]]:
        """Person, n, sealed right."""
        ...

    def some_members(self, after: int) -> AsyncIterator[Sequence[tuple[bytes, bytes]]]:
        """Member, person."""
        ...


class Carried(RightsWork, Protocol):
    """A work that counts what was read for it, rights and members alike."""

    def add(self, rows: list[StagedRow], members: list[StagedMember], read: int | None = None) -> None:
        """Stage rows and members; `read` counts them when it is not the rows."""
        ...


async def carry_over(kept: Kept, work: Carried, rekeying: Rekeying, told: Told) -> FeedCounts:
    """Stage what answers under the new key, and build it; `told` of rows done and in all (rights and members)."""
    in_all = kept.rights + kept.members
    work.plan(kept.rights, rekeying.version)
    told(work.done, in_all)
    if work.done < kept.rights:
        async for rights in kept.some_rights(work.done):
            after = rekeying.carry([person for person, _, _ in rights], kept.since)
            pairs = zip(after, rights, strict=True)
            rows = [(new, n, False, rekeying.reseal(person, new, sealed)) for new, (person, n, sealed) in pairs]
            work.add(rows, [], len(rights))
            told(work.done, in_all)
    async for members in kept.some_members(work.done - kept.rights):
        numbers = rekeying.carry([member for member, _ in members], kept.since)
        persons = rekeying.carry([person for _, person in members], kept.since)
        work.add([], list(zip(numbers, persons, count(), strict=False)), len(members))
        told(work.done, in_all)
    counts, refused = await work.build(_as_they_are, lambda _: None, over=False)
    assert not refused, "what answered could be keyed again"
    return counts


def _as_they_are(
    person: bytes,
    kept: Sequence[bytes],
    rows: Sequence[tuple[bytes, int, bool, bytes]],
    given: Sequence[tuple[bytes, bytes]],
) -> tuple[list[bytes], Sequence[tuple[int, str]]]:
    """The rights of a person, in the order they had."""
    return [sealed for _, _, _, sealed in rows], []
