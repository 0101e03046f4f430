"""Engagements given, on the insurer's server: copied from the journal, so they may lag, as in the embedded engine.

Those of a moment are held in memory, found there by their own process, then written together with the journal marks they
reach. What cannot be written now (a server down, an insurer on the move) stays held and is tried again: checks of that
insurer give none meanwhile, so it does not grow.

The journal is ahead, always. A server that tells less than was written to it (it was restored, or a replica that lagged took its
place), or that was silent when the others told, lacks something: it `lags`, and all that follows its marks is copied again. No
mark is written before a process has copied what was there when it began: it would hide what it does not hold. What is copied
meanwhile may be lost before the first mark comes: the last engagement written so must still be there, or all is copied again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import asyncpg

from ecluse.app.ports import Mark
from ecluse.engines.postgres.database import lock_number
from ecluse.engines.postgres.places import HOME, Places
from ecluse.engines.postgres.server import DATABASE_UNAVAILABLE
from ecluse.engines.roles import CHECK
from ecluse.journal.entry import Entry
from ecluse.kernel.errors import Refused

LAG_S = 0.03  # what a transaction costs is shared by all the engagements of that time
# One that is not found may just have been given elsewhere: it is written after the lag, behind the transaction before it, and on
# a busy server each takes a tenth of a second. No connection is held meanwhile; a number nobody gave costs its asker this long.
LOOKS_AFTER_S = (0.0, 2 * LAG_S, 4 * LAG_S, 8 * LAG_S)
RETRY_S = 0.5  # between two tries to write to a server that is down

_HERE = "SELECT insurer FROM served WHERE insurer = ANY($1::text[])"  # those of them this server serves
_SHARE = "SELECT pg_advisory_xact_lock_shared(n) FROM unnest($1::bigint[]) AS n ORDER BY n"  # a switch waits for these
_KEEP = """
    INSERT INTO engagement (number, insurer, practice, sealed)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) ON CONFLICT DO NOTHING"""
_MARK = """
    INSERT INTO mark (slot, position) SELECT * FROM unnest($1::text[], $2::bigint[])
    ON CONFLICT (slot) DO UPDATE SET position = greatest(mark.position, excluded.position)"""
_IS_THERE = "SELECT 1 FROM engagement WHERE number = $1"
_FIND = "SELECT insurer, practice, sealed FROM engagement WHERE number = $1"
_MARKS = "SELECT slot, position FROM mark"

Given = tuple[str, str, str, bytes]  # number, insurer, practice, sealed engagement

LOG = logging.getLogger(__name__)


def switch_lock(insurer: str) -> int:
    """What a writer of engagements shares, and the switch of a move has for itself."""
    return lock_number("switch", insurer)


class Engagements:
    """Engagements by number, over all servers. One instance a process."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._held: dict[str, Given] = {}
        self._marks: dict[str, int] = {}
        self._silent: set[str] = set()  # servers that did not tell their marks: nothing is held for them
        self._written: dict[str, dict[str, int]] = {name: {} for name in places.servers}  # marks, by server
        self._unmarked: dict[str, str] = {}  # the last engagement written without a mark, by server
        self._is_copying = True
        self._writing: asyncio.Task[None] | None = None

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Take the engagements of durable entries; written within `LAG_S` while the event loop runs."""
        for entry in entries:
            if entry.gives_engagement and self._places.known(entry.insurer) not in self._silent:
                self._held[entry.engagement] = (entry.engagement, entry.insurer, entry.practice, entry.sealed)
        self._marks[mark.slot] = max(mark.position, self._marks.get(mark.slot, 0))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def find(self, number: str, practice: str) -> tuple[str, bytes] | None:
        """Insurer and sealed bytes of the engagement of this number, if it was given to this practice.

        Not found at once, it may just have been given by another process: it is looked for again. Raises
        `database_unavailable` when it may be on a server that does not answer.
        """
        for wait_s in LOOKS_AFTER_S:
            await asyncio.sleep(wait_s)
            given = self._held.get(number) or await self._read(number)
            if given is not None:
                return (given[1], given[3]) if given[2] == practice else None
        return None

    async def lags(self) -> bool:
        """Whether a server that answers tells less than was written to it, or could not tell before."""
        told = await self._told()
        silent, written = self._silent, self._written
        lacking = (name for name, marks in told.items() if name in silent or _is_less(marks, written[name]))
        return bool(told) and (self._is_copying or any(lacking))

    async def marks(self) -> dict[str, int]:
        """How far each slot of the journal is copied on every server that answers; the others are silent.

        Raises `database_unavailable` when none answers, or nobody knows which insurer is where.
        """
        await self._places.refresh()
        told = await self._told()
        if not told:
            raise DATABASE_UNAVAILABLE("no server answers")
        self._silent = self._places.servers.keys() - told.keys()
        self._written |= told
        self._unmarked = {}
        self._is_copying = True
        slots = {slot for marks in told.values() for slot in marks}
        return {slot: min(marks.get(slot, 0) for marks in told.values()) for slot in slots}

    def caught_up(self) -> None:
        """Everything the journal holds past the `marks` is held or written: marks may be written again."""
        self._is_copying = False

    async def flush(self) -> None:
        """Write now what is held. Raises `database_unavailable` when some of it cannot be."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        await self._write()

    async def close(self) -> None:
        """Write what is held, if it can be: the journal has it all the same."""
        if self._held or self._marks:
            try:
                await self.flush()
            except Refused as refused:
                LOG.warning("engagements left to the journal: %s", refused.detail)

    async def _write_soon(self) -> None:
        """Write what is held after the lag; again until nothing is."""
        wait_s = LAG_S
        try:
            while self._held or (self._marks and not self._is_copying):
                await asyncio.sleep(wait_s)
                try:
                    await self._write()
                    wait_s = LAG_S
                except Refused as refused:
                    LOG.warning("engagements wait: %s", refused.detail)
                    wait_s = RETRY_S
        finally:
            self._writing = None

    async def _write(self) -> None:
        """One transaction a server, with the marks reached; what is refused stays held and is raised in the end."""
        marks, held = dict(self._marks), list(self._held.values())
        by_server: dict[str, list[Given]] = {name: [] for name in self._places.servers if name not in self._silent}
        for given in held:
            by_server.setdefault(await self._places.server_of(given[1]) or HOME, []).append(given)
        written = await asyncio.gather(
            *(self._write_to(name, some, marks) for name, some in by_server.items()), return_exceptions=True
        )
        refused = [each for each in written if isinstance(each, BaseException)]
        if refused:
            raise next((each for each in refused if not isinstance(each, Refused)), refused[0])
        if not self._is_copying:
            self._marks = {slot: reached for slot, reached in self._marks.items() if reached != marks.get(slot)}

    async def _write_to(self, name: str, some: list[Given], marks: dict[str, int]) -> None:
        """Write those whose insurer this server serves; others wait for the map to say where they are now."""
        server = self._places.servers[name]
        insurers = sorted({given[1] for given in some})
        async with server.connection(CHECK) as connection, connection.transaction():
            await connection.execute(_SHARE, [switch_lock(each) for each in insurers])
            here = {row[0] for row in await connection.fetch(_HERE, insurers)}
            mine = sorted(given for given in some if given[1] in here)
            await connection.execute(_KEEP, *([given[n] for given in mine] for n in range(4)))
            is_marked = here.issuperset(insurers) and name not in self._silent and not self._is_copying
            if is_marked and await self._lost(name, connection):
                is_marked = False
            if is_marked:
                await connection.execute(_MARK, list(marks), list(marks.values()))
        if is_marked:
            self._written[name] = {**self._written[name], **marks}
            self._unmarked.pop(name, None)
        elif mine:
            self._unmarked[name] = mine[-1][0]
        for given in mine:
            self._held.pop(given[0], None)
        if not here.issuperset(insurers):
            await self._places.refresh()
            raise DATABASE_UNAVAILABLE(f"server {name} no longer serves an insurer")

    async def _lost(self, name: str, connection: asyncpg.Connection[Any]) -> bool:
        """Whether the server lost what was written to it: it must go on telling so, and a new mark would hide what is missing."""
        if name in self._unmarked and not await connection.fetchval(_IS_THERE, self._unmarked[name]):
            self._is_copying = True  # no mark tells of it: `lags` does
            return True
        return _is_less(dict(await connection.fetch(_MARKS)), self._written[name])

    async def _read(self, number: str) -> Given | None:
        """Ask every server at once: the number does not say whose it is."""
        found = await asyncio.gather(
            *(self._read_from(name, number) for name in self._places.servers), return_exceptions=True
        )
        for each in found:
            if isinstance(each, tuple):
                return each
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return None

    async def _read_from(self, name: str, number: str) -> Given | None:
        async with self._places.servers[name].connection(CHECK) as connection:
            row = await connection.fetchrow(_FIND, number)
        return (number, row[0], row[1], row[2]) if row else None

    async def _told(self) -> dict[str, dict[str, int]]:
        """The marks of every server that answers."""
        names = list(self._places.servers)
        told = await asyncio.gather(*map(self._marks_of, names), return_exceptions=True)
        broken = [each for each in told if isinstance(each, BaseException) and not isinstance(each, Refused)]
        if broken:
            raise broken[0]
        return {name: marks for name, marks in zip(names, told, strict=True) if isinstance(marks, dict)}

    async def _marks_of(self, name: str) -> dict[str, int]:
        async with self._places.servers[name].connection(CHECK) as connection:
            return dict(await connection.fetch(_MARKS))


def _is_less(marks: dict[str, int], written: dict[str, int]) -> bool:
    return any(marks.get(slot, 0) < position for slot, position in written.items())
