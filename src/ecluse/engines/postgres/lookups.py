"""Look-ups of one server, many in one question: those that arrive while a question is under way go together in the next.

One by one a look-up takes the hub 214 µs of its own processor time, thirty-two at once 11 µs each (docs/postgresql.md). Each
comes back with whether the server serves that insurer at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ecluse.app.ports import Pseudonyms
from ecluse.engines.postgres.server import Server
from ecluse.engines.roles import CHECK
from ecluse.engines.sql.unit import INDEX_KEY_NEWER

BATCH_MAX = 128  # bounds what one slow question delays; past this a question grows as its rows do

# The rights of many people, each by the one of its keys that has the version of what answers.
_BY_PERSON = """
    SELECT q.place, s.index_version, q.person, r.n, r.sealed
    FROM unnest($1::text[], $2::bytea[], $3::int[], $4::int[]) AS q (insurer, person, version, place)
    JOIN served s ON s.insurer = q.insurer
    LEFT JOIN LATERAL (
        SELECT n, sealed FROM rights
        WHERE rights.insurer = q.insurer AND rights.person = q.person AND q.version = s.index_version) r ON true"""
# The same, by member numbers.
_BY_MEMBER = """
    SELECT q.place, s.index_version, m.person, r.n, r.sealed
    FROM unnest($1::text[], $2::bytea[], $3::int[], $4::int[]) AS q (insurer, member, version, place)
    JOIN served s ON s.insurer = q.insurer
    LEFT JOIN LATERAL (
        SELECT person FROM members
        WHERE members.insurer = q.insurer AND members.member = q.member AND q.version = s.index_version) m ON true
    LEFT JOIN LATERAL (
        SELECT n, sealed FROM rights WHERE rights.insurer = q.insurer AND rights.person = m.person) r ON true"""

Found = tuple[bytes, list[bytes]]  # the person, and sealed rights in their order
NOBODY: Found = (b"", [])

_Asked = tuple[str, Pseudonyms, "asyncio.Future[Found | None]"]


class Lookups:
    """Look-ups by one kind of key on one server."""

    def __init__(self, server: Server, *, by_member: bool) -> None:
        self._server = server
        self._statement = _BY_MEMBER if by_member else _BY_PERSON
        self._waiting: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def find(self, insurer: str, keys: Pseudonyms) -> Found | None:
        """The person and their rights, `NOBODY` when there is none; None when this server does not serve the insurer.

        `keys` has one for each version of the index key (there is one at least). Raises `index_key_newer`,
        `database_unavailable`, `database_busy`.
        """
        done: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((insurer, keys, done))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return await done

    async def _ask_all(self) -> None:
        """Ask batch after batch until nobody waits."""
        try:
            await asyncio.sleep(0)  # let the other requests of this turn of the loop join the batch
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                await self._ask(batch)
        finally:
            self._asking = None

    async def _ask(self, batch: list[_Asked]) -> None:
        try:
            async with self._server.connection(CHECK) as connection:
                rows = await connection.fetch(self._statement, *_columns(batch))
        except Exception as broken:  # noqa: BLE001 - not swallowed: every asker of the batch gets it
            for *_, done in batch:
                if not done.done():
                    done.set_exception(broken)
            return
        for (_, keys, done), (version, found) in zip(batch, _sorted_out(len(batch), rows), strict=True):
            if done.done():
                continue
            if version > len(keys):
                done.set_exception(INDEX_KEY_NEWER())
            else:
                done.set_result(found if version else None)


def _columns(batch: Sequence[_Asked]) -> tuple[list[Any], ...]:
    """The question's rows, one for each key of each asker, by column."""
    rows = [
        (insurer, key, version, place)
        for place, (insurer, keys, _) in enumerate(batch)
        for version, key in enumerate(keys, 1)
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


def _sorted_out(asked: int, rows: Sequence[Any]) -> list[tuple[int, Found]]:
    """What each of those who asked gets: the version of the index key that answers (0 when not here), and what was found."""
    persons = [b""] * asked
    versions = [0] * asked
    rights: list[list[tuple[int, bytes]]] = [[] for _ in range(asked)]
    for place, version, person, n, sealed in rows:
        versions[place] = version
        if n is not None:
            persons[place] = person
            rights[place].append((n, sealed))
    return [
        (versions[place], (persons[place], [sealed for _, sealed in sorted(rights[place])])) for place in range(asked)
    ]
