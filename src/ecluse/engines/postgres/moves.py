"""Moves an insurer to another server while it is asked about.

1. Rights, members, products and engagements are copied; each table is counted and hashed on both sides.
2. The switch: the old server stops serving the insurer (from then on it answers "not here", and whoever asks waits), products and
   the engagements of the last moments follow, these are hashed and all are counted, the new server serves, the home database says
   so. Nobody asks the new server before that: until then the old one may serve again.
3. What is left on the old server is removed, once every process has heard of it.
The home database keeps how far a move is (`move`): an interrupted one is gone on with, or taken back, and says nothing twice.
All that is done on the old server goes over the connection that holds the insurer's turn: who lost the turn does nothing there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import NamedTuple

from ecluse.app.ports import Moved, MoveTold
from ecluse.engines.postgres.contents import (
    Part,
    Side,
    content,
    copy_engagements,
    copy_products,
    copy_table,
    count,
    remove,
)
from ecluse.engines.postgres.database import Database
from ecluse.engines.postgres.engagements import switch_lock
from ecluse.engines.postgres.places import FRESH_S, INSURER_MOVING, Places
from ecluse.engines.postgres.tables import PARENTS, drop_unused, in_turns, put_in_place
from ecluse.engines.postgres.works import MOVE_AWAITED, RightsWorks, serves
from ecluse.engines.roles import LOAD
from ecluse.engines.sql.unit import Reads, Row, Tx
from ecluse.kernel.errors import Refused, refusal

TAIL = (
    20_000  # the newest engagements are copied again at the switch: seconds of the fastest hub, a tenth of one to copy
)
COPYING, SWITCHING, CLEANING, RETURNING = "copying", "switching", "cleaning", "returning"  # how far a move is

_SERVE = """
    INSERT INTO served (insurer, feed, index_version) VALUES ($1, $2, $3)
    ON CONFLICT (insurer) DO UPDATE SET feed = excluded.feed, index_version = excluded.index_version"""
_ALONE = "SELECT pg_advisory_xact_lock($1)"  # nobody is writing engagements or products of the insurer

MOVE_IN_PROGRESS = refusal(
    "move_in_progress",
    409,
    "This insurer is on its way to another server",
    fix="End that move first: give its server; or, before its switch, the one it comes from, to take it back.",
)
MOVE_DIFFERS = refusal(
    "move_differs",
    500,
    "The copy is not what it was made from",
    fix="Nothing was switched. Look at both servers' logs, then run the move again.",
)
INSURER_NOWHERE = refusal(
    "insurer_nowhere", 404, "This insurer is on no server", fix="Load a product of the insurer first."
)
ALREADY_THERE = refusal("already_there", 409, "The insurer is on that server already", fix="There is nothing to do.")

LOG = logging.getLogger(__name__)


class Way(NamedTuple):
    """What a command asks for: a move from `source` to `target` goes on as of `state`; `RETURNING` takes it back."""

    source: str
    target: str
    state: str


def way_to(asked: str, under_way: Row | None, placed: Row | None) -> Way:
    """The way to the server `asked` for, from the move under way (source, target, state, …), or the server (name, …) it is on.

    Raises `move_in_progress`, `insurer_nowhere`, `already_there`.
    """
    if under_way is None:
        if placed is None:
            raise INSURER_NOWHERE()
        if placed[0] == asked:
            raise ALREADY_THERE(f"it is on {asked!r}")
        return Way(placed[0], asked, COPYING)
    source, target, state = under_way[:3]
    if asked == target and state != RETURNING:
        return Way(source, target, CLEANING if state == CLEANING else COPYING)
    if asked == source and state != CLEANING:
        return Way(source, target, RETURNING)
    raise MOVE_IN_PROGRESS(f"it goes to {source if state == RETURNING else target!r}")


class InsurerMoves:
    """The `InsurerMoves` port."""

    def __init__(self, places: Places, works: RightsWorks) -> None:
        self._places, self._works = places, works

    async def where(self) -> dict[str, str]:
        """The server of every insurer."""
        return dict(await self._places.home.reads.all("servers_of_insurers"))

    async def move(self, insurer: str, target: str, told: MoveTold) -> Moved:
        """Move it, go on with a move that was interrupted, or take it back. Written down once the servers were reached."""
        self._places.database(target)
        home = self._places.home
        way = await _way(home.reads, insurer, target)
        server = self._places.database(way.source).server
        async with AsyncExitStack() as stack:
            turn = await stack.enter_async_context(self._works.turn_on(server, insurer, moving=True))
            there = await self._reached(way)
            if there is not None:
                stack.callback(there.connection.terminate)
            at_ts_us = await home.write(lambda tx: _begin(tx, insurer, target, way))
            move = _Move(home, insurer, way, at_ts_us, Side(server, turn), told)
            if there is None or way.state == RETURNING:
                return await move.back(there)
            return await move.run(there)

    async def _reached(self, way: Way) -> Side | None:
        """The server it goes to. One that does not answer, or that nobody knows any more, hinders no return."""
        try:
            server = self._places.database(way.target).server
            return Side(server, await server.dedicated(LOAD))
        except Refused:
            if way.state != RETURNING:
                raise
            return None


async def _way(reads: Reads, insurer: str, target: str) -> Way:
    under_way = await reads.one("move_under_way", insurer=insurer)
    return way_to(target, under_way, await reads.one("server_of", insurer=insurer))


async def _begin(tx: Tx, insurer: str, target: str, way: Way) -> int:
    """Write the move down at home; when, in µs: whoever was at it before can end it no more."""
    await tx.hold("place", insurer)
    under_way = await tx.one("move_under_way", insurer=insurer)
    if way_to(target, under_way, await tx.one("server_of", insurer=insurer)) != way:
        raise INSURER_MOVING("somebody else was at it a moment ago", fix=MOVE_AWAITED)
    at_ts_us = time.time_ns() // 1000
    if under_way is None:
        ends = {"source": way.source, "target": way.target}
        await tx.run("begin_move", insurer=insurer, at_ts_us=at_ts_us, **ends)
    else:
        await tx.run("resume_move", insurer=insurer, at_ts_us=at_ts_us, state=way.state)
    return at_ts_us


class _Copied(NamedTuple):
    """What was copied: the feed whose rights answered, the version of its index key, and the number after which engagements were
    not compared yet."""

    feed: str
    index_version: int
    newest: str


@dataclass(frozen=True, slots=True)
class _Move:
    """One move under way, from the side that holds the insurer's turn."""

    home: Database
    insurer: str
    way: Way
    at_ts_us: int
    source: Side
    told: MoveTold

    async def run(self, target: Side) -> Moved:
        """All of it, from wherever an earlier run stopped."""
        paused_ms = 0
        if self.way.state != CLEANING:
            await self._serve_again()
            copied = await self._prepare(target)
            begun_s = time.monotonic()
            await self._switch(target, copied)
            paused_ms = round((time.monotonic() - begun_s) * 1000)
        rows = await self._counted(target)
        await asyncio.sleep(2 * FRESH_S)  # every process has heard of the new server
        await remove(self.source, self.insurer)
        await self.home.write(lambda tx: tx.run("end_move", insurer=self.insurer))
        return Moved(self.insurer, self.way.source, self.way.target, *rows, paused_ms=paused_ms)

    async def back(self, target: Side | None) -> Moved:
        """The old server goes on serving. The new one, where it answers, forgets the insurer; nobody asks it there."""
        await self._serve_again()
        try:
            if target is not None:
                await self._unserve(target)
                await remove(target, self.insurer)
        except Refused as refused:
            LOG.warning("what was copied stays on %s: %s", self.way.target, refused.detail)
        rows = await self._counted(self.source)
        await self.home.write(lambda tx: tx.run("end_move", insurer=self.insurer))
        return Moved(self.insurer, self.way.target, self.way.source, *rows, paused_ms=0, taken_back=True)

    async def _serve_again(self) -> None:
        """The old server answers, where a move that was broken off between the two left nobody to. It has everything: nobody asks
        the new one before the home database says so."""
        with self.source.using() as connection:
            if await serves(connection, self.insurer):
                return
        row = await self.home.reads.one("move_under_way", insurer=self.insurer)
        assert row is not None, self.insurer
        await self._serve(self.source, row[3], row[4])

    async def _prepare(self, target: Side) -> _Copied:
        """Copy and compare everything while the old server serves."""
        with self.source.using() as connection:
            served = "SELECT feed, index_version FROM served WHERE insurer = $1"
            feed, index_version = await connection.fetchrow(served, self.insurer)
        with target.using() as connection:
            await drop_unused(connection, self.insurer)
        if feed:
            for step, parent in enumerate(PARENTS):
                self.told(f"copying {parent}", step, 4)
                table = await copy_table(self.source, target, parent, self.insurer, feed)
                there = await content(target, parent, self.insurer, source=table)
                if await content(self.source, parent, self.insurer) != there:
                    raise MOVE_DIFFERS(parent)
            with target.using() as connection:
                await in_turns(
                    connection, target.server.name, self.insurer, lambda: put_in_place(connection, self.insurer, feed)
                )
        self.told("copying products", 2, 4)
        await copy_products(self.source, target, self.insurer)
        self.told("copying engagements", 3, 4)
        return _Copied(feed, index_version, await self._copy_engagements(target))

    async def _copy_engagements(self, target: Side) -> str:
        """Copy all of them, and compare but the newest; the number these come after."""
        newest = "SELECT number FROM engagement WHERE insurer = $1 ORDER BY number DESC OFFSET $2 LIMIT 1"
        with self.source.using() as connection:
            after = await connection.fetchval(newest, self.insurer, TAIL) or ""
        for _ in range(2):  # an old number may be written late, while they are copied
            await copy_engagements(self.source, target, self.insurer)
            if await self._same(target, ("<=", after)):
                return str(after)
        raise MOVE_DIFFERS("engagements")

    async def _switch(self, target: Side, copied: _Copied) -> None:
        """From the old server's last answer to the new one's first; what stops it has the old one answer again."""
        self.told("switching", 4, 4)
        await self._stop_serving(copied)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._serve, self.source, copied.feed, copied.index_version)
            await self._follow(target, copied.newest)
            await self._serve(target, copied.feed, copied.index_version)
            undo.pop_all()
        await self.home.write(self._arrive)

    async def _follow(self, target: Side, newest: str) -> None:
        """Copy what was written since, while nobody writes: products, and engagements after that number. All of them only where
        the counts say that an older number came late."""
        await copy_products(self.source, target, self.insurer)
        await copy_engagements(self.source, target, self.insurer, newest)
        both = (count(side, "engagement", self.insurer) for side in (self.source, target))
        there, here = await asyncio.gather(*both)
        if there == here and await self._same(target, (">", newest)):
            return
        await copy_engagements(self.source, target, self.insurer)
        if not await self._same(target, (">", "")):
            raise MOVE_DIFFERS("engagements")

    async def _same(self, target: Side, part: Part) -> bool:
        """Whether a part of the engagements is the same on both sides."""
        both = (content(side, "engagement", self.insurer, part=part) for side in (self.source, target))
        there, here = await asyncio.gather(*both)
        return there == here

    async def _stop_serving(self, copied: _Copied) -> None:
        """Waits for those who are writing engagements or products; whoever comes later is told "not here"."""
        feed, index_version = copied.feed, copied.index_version

        async def switching(tx: Tx) -> None:
            await self._hold_ours(tx, COPYING)
            await tx.run("switch_move", insurer=self.insurer, feed=feed, index_version=index_version)

        await self.home.write(switching)
        with self.source.using() as connection:
            async with connection.transaction():
                await connection.execute(_ALONE, switch_lock(self.insurer))
                ends = "DELETE FROM served WHERE insurer = $1 AND feed = $2 AND index_version = $3"
                if await connection.execute(ends, self.insurer, feed, index_version) != "DELETE 1":
                    raise MOVE_DIFFERS("other rights answer by now than were copied")

    async def _arrive(self, tx: Tx) -> None:
        await self._hold_ours(tx, SWITCHING)
        await tx.run("insurer_is_on", insurer=self.insurer, server=self.way.target)
        await tx.run("clean_move", insurer=self.insurer)

    async def _hold_ours(self, tx: Tx, state: str) -> None:
        """Nobody else went on with the move meanwhile, or took it back: who lost the turn may still be on its way here."""
        await tx.hold("place", self.insurer)
        row = await tx.one("move_under_way", insurer=self.insurer)
        if row is None or (row[2], row[5]) != (state, self.at_ts_us):
            raise INSURER_MOVING("somebody else is at this move", fix=MOVE_AWAITED)

    async def _serve(self, side: Side, feed: str, index_version: int) -> None:
        with side.using() as connection:
            await connection.execute(_SERVE, self.insurer, feed, index_version)

    async def _unserve(self, side: Side) -> None:
        with side.using() as connection:
            async with connection.transaction():
                await connection.execute(_ALONE, switch_lock(self.insurer))
                await connection.execute("DELETE FROM served WHERE insurer = $1", self.insurer)

    async def _counted(self, side: Side) -> tuple[int, int, int]:
        """Rights, members and engagements on one side."""
        rights, members, engagements = [await count(side, table, self.insurer) for table in (*PARENTS, "engagement")]
        return rights, members, engagements
