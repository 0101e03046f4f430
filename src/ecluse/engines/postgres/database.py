"""The books of one PostgreSQL server: units of work run side by side, each in its own transaction, durable on return.

What a unit must not share it holds: a name, by an advisory lock until its transaction ends; rows, by `FOR UPDATE` in the
statements that say so (`dialect.sql`). Two that wait for each other all the same, the server ends one of: it runs again.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import asyncpg

from ecluse.engines.postgres.server import READ_S, Server
from ecluse.engines.roles import BOOKS
from ecluse.engines.sql.named import statements
from ecluse.engines.sql.unit import DATABASE_BUSY, Result, Row, Work

TRIES_MAX = 5  # of one unit of work; a deadlock is rare, five in a row is a bug of ours
REMEMBERED_S = 1.0  # what seldom changes is asked again after a second: a new product is in force everywhere by then
AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.UniqueViolationError)

_VALUE = re.compile(r"(?<!:):([a-z_]+)")


@cache
def said(name: str) -> tuple[str, tuple[str, ...]]:
    """A named statement as PostgreSQL reads it, `$1`, `$2`…, and the names of its values in that order."""
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    text = _VALUE.sub(place, statements("ecluse.engines.postgres")[name])
    return text, tuple(names)


class Asking:
    """Questions by name to one connection."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection

    async def one(self, name: str, /, **values: Any) -> Row | None:
        """The first row; None when there is none."""
        text, names = said(name)
        return await self._connection.fetchrow(text, *(values[each] for each in names))

    async def all(self, name: str, /, **values: Any) -> list[Row]:
        """Every row."""
        text, names = said(name)
        rows: list[Row] = await self._connection.fetch(text, *(values[each] for each in names))
        return rows


class Transaction(Asking):
    """The `Tx` of one unit of work."""

    async def run(self, name: str, /, **values: Any) -> None:
        """Run one statement."""
        text, names = said(name)
        await self._connection.execute(text, *(values[each] for each in names))

    async def many(self, name: str, /, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each row of values."""
        text, names = said(name)
        await self._connection.executemany(text, [[row[each] for each in names] for row in rows])

    async def hold(self, *what: str | bytes) -> None:
        """Nobody else holds `what` until this transaction ends."""
        await self._connection.execute("SELECT pg_advisory_xact_lock($1)", lock_number(*what))

    @asynccontextmanager
    async def undoable(self) -> AsyncIterator[_Part]:
        """A savepoint; undone when the block says so, or raises."""
        part = _Part()
        savepoint = self._connection.transaction()
        await savepoint.start()
        ended = False
        try:
            yield part
            ended = True
        finally:
            await (savepoint.commit() if ended and not part.undone else savepoint.rollback())


class _Part:
    undone = False

    def undo(self) -> None:
        """Nothing of it will have happened."""
        self.undone = True


class Reads:
    """Questions by name, each on a connection of the pool: what was last committed."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def one(self, name: str, /, **values: Any) -> Row | None:
        """The first row; None when there is none."""
        async with self._server.connection(BOOKS, READ_S) as connection:
            return await Asking(connection).one(name, **values)

    async def all(self, name: str, /, **values: Any) -> list[Row]:
        """Every row."""
        async with self._server.connection(BOOKS, READ_S) as connection:
            return await Asking(connection).all(name, **values)


class Database:
    """The books of one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.reads = Reads(server)
        self._memory: dict[tuple[str, ...], tuple[float, Any]] = {}

    async def write(self, work: Work[Result]) -> Result:
        """Run one unit of work in its own transaction; returns once it is durable. What it raises is raised here."""
        async with self.server.connection(BOOKS) as connection:
            for _ in range(TRIES_MAX):
                try:
                    async with connection.transaction():
                        return await work(Transaction(connection))
                except AGAIN:
                    self.server.retries += 1
        raise DATABASE_BUSY(f"server {self.server.name}: others change the same rows")

    async def remembered(self, name: str, /, **values: str) -> Any:
        """The first column of the first row, or None, as it was at most `REMEMBERED_S` ago."""
        key = (name, *values.values())
        known = self._memory.get(key)
        now_s = time.monotonic()
        if known is None or known[0] < now_s:
            row = await self.reads.one(name, **values)
            known = self._memory[key] = (now_s + REMEMBERED_S, row[0] if row else None)
        return known[1]

    def forget(self) -> None:
        """What is remembered was just changed here: ask again."""
        self._memory.clear()


def lock_number(*what: str | bytes) -> int:
    """The 64-bit number of a name that is held; two names share one by chance in 2^64."""
    parts = (each if isinstance(each, bytes) else each.encode() for each in what)
    return int.from_bytes(hashlib.blake2b(b"\x00".join(parts), digest_size=8).digest(), signed=True)
