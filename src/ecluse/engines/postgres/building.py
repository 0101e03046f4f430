"""Builds the tables of one feed on the insurer's server, bucket by bucket, in the order of their keys.

A full file: `rights_<amc>_<feed>` and `members_<amc>_<feed>`, which become partitions. A delta: the same names, holding only
what changes; a person who loses every right has one row without a right. Who had a member number that a delta gives to another
person is among what changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import asyncpg

from ecluse.app.ports import Settle
from ecluse.engines.postgres.tables import PARENTS, answering_table, index_table, make_table
from ecluse.engines.staging import Given, StagedMember, StagedRow, Staging, by_person, givings

ASKED_TOGETHER = 5_000  # people or members of a delta who are read in one question: some megabytes

Told = Callable[[int], None]
RightsRow = tuple[str, bytes, int, bytes | None]  # insurer, person, n, sealed right

# Of the insurer's own tables, by their names: what reads all insurers' for long holds up the switch of each (tables.py).
_KEPT = "SELECT person, sealed FROM {rights} WHERE insurer = $1 AND person = ANY($2::bytea[]) ORDER BY person, n"
_HAD = "SELECT member, person FROM {members} WHERE insurer = $1 AND member = ANY($2::bytea[])"


class Building:
    """The building of one feed, `over` what answers or over nothing; `refused` are its lines that cannot be applied.

    `all_settled`: the rows are changes, so even a single one must be settled.
    """

    def __init__(
        self, insurer: str, feed: str, staging: Staging, settle: Settle, *, over: bool, all_settled: bool
    ) -> None:
        self._insurer, self._feed, self._staging, self._settle = insurer, feed, staging, settle
        self._over, self._all_settled = over, all_settled
        self.refused: list[tuple[int, str]] = []
        self._persons = self._rights = 0
        self._before: dict[str, str] = {}  # the tables that answer while these are built

    async def build(self, connection: asyncpg.Connection[Any], told: Told) -> tuple[int, int]:
        """Make and fill both tables in the caller's transaction; how many persons and rights there are more than before."""
        made = (self._insurer, self._feed)
        tables = {each: await make_table(connection, each, *made, changes=self._over) for each in PARENTS}
        self._before = {each: await answering_table(connection, each, self._insurer) for each in PARENTS}
        built = 0
        await self._find_given(connection)
        for number in range(self._staging.buckets):
            rows, given = self._staging.bucket(number), self._staging.given(number)
            kept = await self._kept(connection, {row[0] for row in rows} | {each[0] for each in given})
            amended = self._amended(rows, given, kept)
            await connection.copy_records_to_table(tables["rights"], records=amended)
            named = self._named(self._staging.members(number))
            await connection.copy_records_to_table(tables["members"], records=named)
            built += len(rows)
            told(built)
        for parent, table in tables.items():
            await index_table(connection, parent, table)
        return self._persons, self._rights

    async def _find_given(self, connection: asyncpg.Connection[Any]) -> None:
        """Whose member number the rows give to somebody else."""
        self._staging.begin_giving()
        for number in range(self._staging.buckets if self._over else 0):
            members = self._staging.members(number)
            had: dict[bytes, bytes] = {}
            named = iter(sorted({each[0] for each in members}))
            while some := list(islice(named, ASKED_TOGETHER)):
                had |= dict(await connection.fetch(_HAD.format(**self._before), self._insurer, some))
            self._staging.give(givings(members, had))
        self._staging.end_giving()

    async def _kept(self, connection: asyncpg.Connection[Any], people: set[bytes]) -> dict[bytes, list[bytes]]:
        """The rights, before a delta, of everybody it speaks of."""
        kept: dict[bytes, list[bytes]] = {}
        persons = iter(sorted(people) if self._over else ())
        while some := list(islice(persons, ASKED_TOGETHER)):
            for person, sealed in await connection.fetch(_KEPT.format(**self._before), self._insurer, some):
                kept.setdefault(person, []).append(sealed)
        return kept

    def _amended(
        self, rows: list[StagedRow], given: list[Given], kept: dict[bytes, list[bytes]]
    ) -> Iterator[RightsRow]:
        """What everybody in these rows has in the end, in order. Most have one row of a full file: nothing to settle."""
        insurer = self._insurer
        for person, changes, others in by_person(rows, given):
            before = kept.get(person, [])
            if len(changes) == 1 and not self._all_settled:
                sealed = [changes[0][3]]
            else:
                sealed, refused = self._settle(person, before, changes, others)
                self.refused += refused
            self._persons += bool(sealed) - bool(before)
            self._rights += len(sealed) - len(before)
            for n, each in enumerate(sealed):
                yield insurer, person, n, each
            if not sealed and self._over:
                yield insurer, person, 0, None

    def _named(self, members: list[StagedMember]) -> Iterator[tuple[str, bytes, bytes]]:
        """Each member once; a member number that stands for two persons is refused."""
        for member, same in groupby(members, key=itemgetter(0)):
            (_, person, first), *others = same
            self.refused += [(max(line, first), "member_ambiguous") for _, whose, line in others if whose != person]
            yield self._insurer, member, person
