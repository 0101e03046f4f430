"""The rights that answer for an insurer, read in order through a cursor, to be carried under another index key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from ecluse.engines.postgres.tables import PARENTS, answering_table
from ecluse.engines.rekeying import COMMIT_ROWS

# Of the insurer's own tables, by their names: what reads all insurers' for long holds up the switch of each (tables.py).
_RIGHTS = "SELECT person, n, sealed FROM {rights} WHERE insurer = $1 ORDER BY person, n OFFSET $2"
_MEMBERS = "SELECT member, person FROM {members} WHERE insurer = $1 ORDER BY member OFFSET $2"
_SIZES = """
    SELECT (SELECT count(*) FROM {rights} WHERE insurer = $1), (SELECT count(*) FROM {members} WHERE insurer = $1)"""


class KeptTables:
    """An insurer's partitions, which nobody replaces while the insurer's turn is held."""

    def __init__(
        self,
        connection: asyncpg.Connection[Any],
        insurer: str,
        tables: dict[str, str],
        since: int,
        rights: int,
        members: int,
    ) -> None:
        self._connection, self._insurer, self._tables = connection, insurer, tables
        self.since, self.rights, self.members = since, rights, members

    def some_rights(self, after: int) -> AsyncIterator[list[Any]]:
        """Person, n, sealed right."""
        return self._some(_RIGHTS, after)

    def some_members(self, after: int) -> AsyncIterator[list[Any]]:
        """Member, person."""
        return self._some(_MEMBERS, after)

    async def _some(self, query: str, after: int) -> AsyncIterator[list[Any]]:
        async with self._connection.transaction(readonly=True):
            cursor = await self._connection.cursor(query.format(**self._tables), self._insurer, after)
            while some := await cursor.fetch(COMMIT_ROWS):
                yield [tuple(row) for row in some]


async def kept_tables(connection: asyncpg.Connection[Any], insurer: str, since: int) -> KeptTables:
    """What is in an insurer's partitions, keyed under the version `since`."""
    tables = {parent: await answering_table(connection, parent, insurer) for parent in PARENTS}
    sizes = await connection.fetchrow(_SIZES.format(**tables), insurer)
    assert sizes is not None
    return KeptTables(connection, insurer, tables, since, *sizes)
