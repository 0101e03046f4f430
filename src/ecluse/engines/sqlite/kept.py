"""The rights of one generation file, read in order, to be carried under another index key."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from typing import Any

from ecluse.engines.rekeying import COMMIT_ROWS
from ecluse.engines.sqlite.rights_files import index_version

_RIGHTS = "SELECT person, n, sealed FROM rights ORDER BY person, n LIMIT -1 OFFSET ?"
_MEMBERS = "SELECT member, person FROM members ORDER BY member LIMIT -1 OFFSET ?"
_SIZES = "SELECT (SELECT rights FROM tally), (SELECT count(*) FROM members)"


class KeptFile:
    """One generation; it never changes."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self.since = index_version(file)
        self.rights: int
        self.members: int
        self.rights, self.members = file.execute(_SIZES).fetchone()

    async def some_rights(self, after: int) -> AsyncIterator[list[Any]]:
        """Person, n, sealed right."""
        rows = self._file.execute(_RIGHTS, (after,))
        while some := rows.fetchmany(COMMIT_ROWS):
            yield some

    async def some_members(self, after: int) -> AsyncIterator[list[Any]]:
        """Member, person."""
        rows = self._file.execute(_MEMBERS, (after,))
        while some := rows.fetchmany(COMMIT_ROWS):
            yield some
