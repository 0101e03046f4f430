"""Carries one generation of rights under a new index key: read in order, staged as a member file is, built as the next one.

What was staged survives a kill, so a rekeying goes on after its last commit; building starts again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from ecluse.app.ports import FeedCounts, Rekeying
from ecluse.engines.sqlite.rights_files import index_version
from ecluse.engines.sqlite.rights_work import Work

COMMIT_ROWS = 65_536  # staged in one transaction: a second of work is all that a kill can lose

_RIGHTS = "SELECT person, n, sealed FROM rights ORDER BY person, n LIMIT -1 OFFSET ?"
_MEMBERS = "SELECT member, person FROM members ORDER BY member LIMIT -1 OFFSET ?"
_SIZES = "SELECT (SELECT rights FROM tally), (SELECT count(*) FROM members)"


async def carry_over(
    kept: sqlite3.Connection, work: Work, rekeying: Rekeying, told: Callable[[int, int], None]
) -> FeedCounts:
    """Stage what `kept` holds under the new key, and build it; `told` of rows done and in all (rights and members)."""
    since = index_version(kept)
    rights, members = kept.execute(_SIZES).fetchone()
    work.plan(rights, rekeying.version)
    told(work.done, rights + members)
    for some in _batches(kept, _RIGHTS, work.done):
        after = rekeying.carry([person for person, _, _ in some], since)
        pairs = zip(after, some, strict=True)
        work.add(
            [(new, n, False, rekeying.reseal(person, new, sealed)) for new, (person, n, sealed) in pairs],
            [],
            len(some),
        )
        told(work.done, rights + members)
    for some in _batches(kept, _MEMBERS, work.done - rights):
        numbers = rekeying.carry([member for member, _ in some], since)
        persons = rekeying.carry([person for _, person in some], since)
        work.add([], list(zip(numbers, persons, count(), strict=False)), len(some))
        told(work.done, rights + members)
    counts, refused = await work.build(_as_they_are, lambda _: None, over=False)
    assert not refused, "what answered could be keyed again"
    return counts


def _batches(kept: sqlite3.Connection, query: str, after: int) -> Iterator[list[Any]]:
    rows = kept.execute(query, (after,))
    while some := rows.fetchmany(COMMIT_ROWS):
        yield some


def _as_they_are(
    person: bytes, kept: Sequence[bytes], rows: Sequence[tuple[bytes, int, bool, bytes]]
) -> tuple[list[bytes], Sequence[tuple[int, str]]]:
    """The rights of a person, in the order they had."""
    return [sealed for _, _, _, sealed in rows], []
