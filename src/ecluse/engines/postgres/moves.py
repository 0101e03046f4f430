"""Moves an insurer to another server while it is asked about.

1. Rights, members, products and engagements are copied; each table is counted and hashed on both sides.
2. The switch: the old server stops serving the insurer (from then on it answers "not here", and whoever asks waits), the
   engagements of the last moments follow, all are counted and hashed again, the new server serves, the home database says so.
3. What is left on the old server is removed, once every process has heard of it.
The home database keeps how far a move is (`move`): an interrupted one is gone on with, and says nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from ecluse.app.ports import Moved, MoveTold
from ecluse.engines.postgres.contents import Content, content, copy_engagements, copy_table
from ecluse.engines.postgres.engagements import switch_lock
from ecluse.engines.postgres.places import FRESH_S, Places
from ecluse.engines.postgres.tables import PARENTS, drop_answering, drop_unused, put_in_place
from ecluse.engines.postgres.works import RightsWorks
from ecluse.engines.roles import LOAD
from ecluse.engines.sql.unit import Row, Tx
from ecluse.kernel.errors import refusal

TAIL = (
    20_000  # the newest engagements are copied again at the switch: seconds of the fastest hub, a tenth of one to copy
)

_SERVE = """
    INSERT INTO served (insurer, feed, index_version) VALUES ($1, $2, $3)
    ON CONFLICT (insurer) DO UPDATE SET feed = excluded.feed, index_version = excluded.index_version"""

MOVE_IN_PROGRESS = refusal(
    "move_in_progress", 409, "This insurer is on its way to another server", fix="End that move first: give its server."
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


class InsurerMoves:
    """The `InsurerMoves` port."""

    def __init__(self, places: Places, works: RightsWorks) -> None:
        self._places, self._works = places, works

    async def where(self) -> dict[str, str]:
        """The server of every insurer."""
        return dict(await self._places.home.reads.all("servers_of_insurers"))

    async def move(self, insurer: str, target: str, told: MoveTold) -> Moved:
        """Move an insurer, or go on with a move that was interrupted."""
        self._places.database(target)
        source = await self._begin(insurer, target)
        async with (
            self._works.turn_on(self._places.servers[source], insurer),
            _Move(self._places, insurer, source, target, told) as move,
        ):
            return await move.run()

    async def _begin(self, insurer: str, target: str) -> str:
        """Write the move down at home; the server it goes from."""

        async def work(tx: Tx) -> str:
            await tx.hold("place", insurer)
            under_way = await tx.one("move_under_way", insurer=insurer)
            if under_way and under_way[1] != target:
                raise MOVE_IN_PROGRESS(f"it goes to {under_way[1]!r}")
            if under_way:
                return str(under_way[0])
            placed = await tx.one("server_of", insurer=insurer)
            if placed is None:
                raise INSURER_NOWHERE()
            if placed[0] == target:
                raise ALREADY_THERE(f"{insurer} is on {target!r}")
            at_ts_us = time.time_ns() // 1000
            await tx.run("begin_move", insurer=insurer, source=placed[0], target=target, at_ts_us=at_ts_us)
            return str(placed[0])

        return await self._places.home.write(work)


class _Move:
    """One move under way: a connection to each side, for as long as it lasts."""

    def __init__(self, places: Places, insurer: str, source: str, target: str, told: MoveTold) -> None:
        self._places, self._insurer, self._told = places, insurer, told
        self._names = source, target
        self._servers = places.servers[source], places.servers[target]
        self._paused_ms = 0

    async def __aenter__(self) -> _Move:
        self._source, self._target = [await server.dedicated(LOAD) for server in self._servers]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._source.terminate()
        self._target.terminate()

    async def run(self) -> Moved:
        """All of it, from wherever an earlier run stopped."""
        with self._servers[0].refusing(), self._servers[1].refusing():
            if (await self._written_down())[3] != "cleaning":
                newest = await self._prepare() if await self._serves(self._source) else ""
                begun_s = time.monotonic()
                await self._switch(newest)
                self._paused_ms = round((time.monotonic() - begun_s) * 1000)
            counts = {table: await content(self._target, table, self._insurer) for table in (*PARENTS, "engagement")}
            await self._clean()
        rows = {table: each.rows for table, each in counts.items()}
        names = self._insurer, *self._names
        return Moved(*names, rows["rights"], rows["members"], rows["engagement"], self._paused_ms)

    async def _serves(self, connection: asyncpg.Connection[Any]) -> bool:
        return await connection.fetchval("SELECT true FROM served WHERE insurer = $1", self._insurer) or False

    async def _prepare(self) -> str:
        """Copy everything while the old server serves; the number after which engagements must be copied again."""
        feed = await self._source.fetchval("SELECT feed FROM served WHERE insurer = $1", self._insurer)
        await drop_unused(self._target, self._insurer)
        if feed:
            for step, parent in enumerate(PARENTS):
                self._told(f"copying {parent}", step, 4)
                table = await copy_table(self._source, self._target, parent, self._insurer, feed)
                await self._hold_equal(parent, table)
            async with self._target.transaction():
                await put_in_place(self._target, self._insurer, feed)
        self._told("copying products", 2, 4)
        await self._copy_products()
        self._told("copying engagements", 3, 4)
        newest = "SELECT number FROM engagement WHERE insurer = $1 ORDER BY number DESC OFFSET $2 LIMIT 1"
        after = await self._source.fetchval(newest, self._insurer, TAIL) or ""
        await copy_engagements(self._source, self._target, self._insurer)
        return str(after)

    async def _switch(self, newest: str) -> None:
        """From the old server's last answer to the new one's first. Done again it changes nothing."""
        self._told("switching", 4, 4)
        feed, index_version = await self._stop_serving()
        await copy_engagements(self._source, self._target, self._insurer, newest)
        if await self._differ("engagement"):
            await copy_engagements(self._source, self._target, self._insurer)
        if await self._differ("engagement"):
            raise MOVE_DIFFERS("engagements")
        await self._target.execute(_SERVE, self._insurer, feed, index_version)
        await self._places.home.write(self._arrive)

    async def _arrive(self, tx: Tx) -> None:
        await tx.run("insurer_is_on", insurer=self._insurer, server=self._names[1])
        await tx.run("clean_move", insurer=self._insurer)

    async def _stop_serving(self) -> tuple[str, int]:
        """Waits for those who are writing engagements; whoever comes later is told "not here". The feed that answered, and the
        version of its index key."""
        row = await self._source.fetchrow("SELECT feed, index_version FROM served WHERE insurer = $1", self._insurer)
        if row is not None:
            named = {"insurer": self._insurer, "feed": row[0], "index_version": row[1]}
            await self._places.home.write(lambda tx: tx.run("switch_move", **named))
        async with self._source.transaction():
            await self._source.execute("SELECT pg_advisory_xact_lock($1)", switch_lock(self._insurer))
            await self._source.execute("DELETE FROM served WHERE insurer = $1", self._insurer)
        _, _, feed, _, index_version = await self._written_down()
        return feed, index_version

    async def _written_down(self) -> Row:
        """The move as the home database knows it."""
        row = await self._places.home.reads.one("move_under_way", insurer=self._insurer)
        assert row is not None, self._insurer
        return row

    async def _clean(self) -> None:
        """Remove what is left behind, once every process has heard of the new server; then the move is done."""
        await asyncio.sleep(2 * FRESH_S)
        async with self._source.transaction():
            await drop_answering(self._source, self._insurer)
            await self._source.execute("DELETE FROM engagement WHERE insurer = $1", self._insurer)
        await self._places.home.write(lambda tx: tx.run("end_move", insurer=self._insurer))

    async def _copy_products(self) -> None:
        columns = "insurer, product, version, loaded_ts_us, body"
        rows = await self._source.fetch(f"SELECT {columns} FROM product WHERE insurer = $1", self._insurer)  # noqa: S608
        keep = (
            f"INSERT INTO product ({columns}) VALUES ($1, $2, $3, $4, $5)"  # noqa: S608 - names of ours
            " ON CONFLICT (insurer, product, version) DO UPDATE SET loaded_ts_us = excluded.loaded_ts_us"
        )
        await self._target.executemany(keep, [tuple(row) for row in rows])

    async def _hold_equal(self, parent: str, table: str) -> None:
        there = await content(self._target, parent, self._insurer, source=table)
        if await content(self._source, parent, self._insurer) != there:
            raise MOVE_DIFFERS(parent)

    async def _differ(self, table: str) -> bool:
        both: list[Content] = [await content(each, table, self._insurer) for each in (self._source, self._target)]
        return both[0] != both[1]
