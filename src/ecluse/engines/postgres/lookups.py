"""Look-ups of one server, many in one question: those that arrive while a question is under way go together in the next.

One at a time a look-up costs the hub some 60 µs of driver and socket; thirty together cost it little more than one. Each comes
back with whether the server serves that insurer at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ecluse.engines.postgres.server import Server
from ecluse.engines.roles import CHECK

BATCH_MAX = 128  # bounds what one slow question delays; past this a question grows as its rows do

# The rights of many people, by their keys.
_BY_PERSON = """
    SELECT q.place, s.insurer IS NOT NULL, q.person, r.n, r.sealed
    FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS q (insurer, person, place)
    LEFT JOIN served s ON s.insurer = q.insurer
    LEFT JOIN LATERAL (
        SELECT n, sealed FROM rights WHERE rights.insurer = q.insurer AND rights.person = q.person) r ON true"""
# The same, by member numbers.
_BY_MEMBER = """
    SELECT q.place, s.insurer IS NOT NULL, m.person, r.n, r.sealed
    FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS q (insurer, member, place)
    LEFT JOIN served s ON s.insurer = q.insurer
    LEFT JOIN LATERAL (
        SELECT person FROM members WHERE members.insurer = q.insurer AND members.member = q.member) m ON true
    LEFT JOIN LATERAL (
        SELECT n, sealed FROM rights WHERE rights.insurer = q.insurer AND rights.person = m.person) r ON true"""

Found = tuple[bytes, list[bytes]]  # the person, and sealed rights in their order
NOBODY: Found = (b"", [])

_Asked = tuple[str, bytes, "asyncio.Future[Found | None]"]


class Lookups:
    """Look-ups by one kind of key on one server."""

    def __init__(self, server: Server, *, by_member: bool) -> None:
        self._server = server
        self._statement = _BY_MEMBER if by_member else _BY_PERSON
        self._waiting: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def find(self, insurer: str, key: bytes) -> Found | None:
        """The person and their rights, `NOBODY` when there is none; None when this server does not serve the insurer.

        Raises `database_unavailable`, `database_busy`.
        """
        done: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((insurer, key, done))
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
                rows = await connection.fetch(
                    self._statement, [insurer for insurer, _, _ in batch], [key for _, key, _ in batch]
                )
        except Exception as broken:  # noqa: BLE001 - not swallowed: every asker of the batch gets it
            for *_, done in batch:
                if not done.done():
                    done.set_exception(broken)
            return
        for (*_, done), found in zip(batch, _sorted_out(len(batch), rows), strict=True):
            if not done.done():
                done.set_result(found)


def _sorted_out(asked: int, rows: Sequence[Any]) -> list[Found | None]:
    """What each of those who asked gets."""
    several: list[list[tuple[int, bytes]]] = [[] for _ in range(asked)]
    found: list[Found | None] = [None] * asked
    for place, is_served, person, n, sealed in rows:
        if n is not None:
            several[place - 1].append((n, sealed))
            found[place - 1] = (person, [])
        elif is_served:
            found[place - 1] = NOBODY
        if not is_served:
            found[place - 1] = None
    for place, rights in enumerate(several):
        if (each := found[place]) is not None and rights:
            each[1].extend(sealed for _, sealed in sorted(rights))
    return found
