"""Makes an insurer's new rights on its server: staged here, built in tables of their own, then put in place in one instant.

A full file becomes two new tables, filled by COPY in the order of their keys, which take the place of the insurer's partitions
of `rights` and `members`. A delta becomes two small tables of what changes, applied in one transaction. Readers see all of the
old or all of the new. `served.feed` names the feed whose rights answer, so a load that was killed after the switch knows it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from ecluse.app.ports import FeedCounts, Rekeying, Settle
from ecluse.engines.postgres.building import Building, Told
from ecluse.engines.postgres.database import Database, lock_number
from ecluse.engines.postgres.kept import kept_tables
from ecluse.engines.postgres.places import INSURER_MOVING, Places
from ecluse.engines.postgres.server import DATABASE_UNAVAILABLE, Server
from ecluse.engines.postgres.tables import (
    PARENTS,
    answering_table,
    drop_unused,
    generation,
    in_turns,
    put_in_place,
)
from ecluse.engines.rekeying import carry_over
from ecluse.engines.roles import LOAD
from ecluse.engines.sql.feeds import FEED_IN_PROGRESS, Feeds, finish
from ecluse.engines.staging import StagedMember, StagedRow, Staging

GONE_ON_WITH = "Wait until the move is done; one that was broken off, ecluse insurer move goes on with, or takes back."
MOVE_AWAITED = "Wait until the move is done."

_REKEYED = "_k"  # ids of feeds are upper case after their prefix
_DELTA = (
    "DELETE FROM rights WHERE insurer = '{amc}' AND person IN (SELECT person FROM {rights})",
    "INSERT INTO rights SELECT insurer, person, n, sealed FROM {rights} WHERE sealed IS NOT NULL",
    "DELETE FROM members WHERE insurer = '{amc}' AND member IN (SELECT member FROM {members})",
    "INSERT INTO members SELECT insurer, member, person FROM {members}",
)


class RightsWorks:
    """The works of one hub: rows are staged in its directory, tables are made on the insurers' servers."""

    def __init__(self, directory: Path, places: Places) -> None:
        self._staging, self._places = directory / "staging", places
        self._turns: dict[str, asyncpg.Connection[Any]] = {}

    @contextmanager
    def work(self, insurer: str, feed: str) -> Iterator[Work]:
        """Begin or go on with a feed's work; what was staged stays until `finish`."""
        work = Work(insurer, feed, Staging(self._staging / f"{feed}.db"), self._places, self._turns)
        try:
            yield work
        finally:
            work.close()

    @asynccontextmanager
    async def turn(self, insurer: str) -> AsyncIterator[None]:
        """This insurer's turn, over all processes and machines; a killed one gives it back.

        Raises `feed_in_progress`, and `insurer_moving` while it is on its way to another server, or a move of it was broken off
        between the two.
        """
        await self._places.refresh()
        server = (await self._places.of(insurer)).server
        async with self.turn_on(server, insurer) as connection:
            if await self._places.server_of(insurer) and not await serves(connection, insurer):
                raise INSURER_MOVING(f"server {server.name} does not serve it", fix=GONE_ON_WITH)
            self._turns[insurer] = connection
            try:
                yield
            finally:
                self._turns.pop(insurer, None)

    async def index_version(self, insurer: str) -> int | None:
        """The version of the index key that the rights answering now are keyed under; None when there are none."""
        feed, version = await answering(await self._places.of(insurer), insurer)
        return version if feed else None

    async def rekey(self, insurer: str, rekeying: Rekeying, told: Callable[[int, int], None]) -> FeedCounts | None:
        """Key the rights that answer under `rekeying.version`, as the next generation; the caller holds the turn."""
        database = await self._places.of(insurer)
        feed, since = await answering(database, insurer)
        if not feed:
            return None
        if since == rekeying.version:
            return await counted(database, insurer)
        # The same name after a kill: it goes on with what was staged.
        with self.work(insurer, f"{_loaded_by(feed)}{_REKEYED}{rekeying.version}") as work:
            async with database.server.connection(LOAD) as connection:
                kept = await kept_tables(connection, insurer, since)
                counts = await carry_over(kept, work, rekeying, told)
            await work.answer(counts, 0)  # the very same rights under another key, and no feed
            await work.finish()
        return counts

    @asynccontextmanager
    async def turn_on(
        self, server: Server, insurer: str, *, moving: bool = False
    ) -> AsyncIterator[asyncpg.Connection[Any]]:
        """The insurer's turn on a server that is named, and the connection that holds it: lost together.

        `moving`: it is for a move, and others are told so. Raises `feed_in_progress`, `insurer_moving`.
        """
        connection = await server.dedicated(LOAD)
        try:
            with server.refusing():
                await _take_turn(connection, insurer, moving=moving)
            yield connection
        finally:
            connection.terminate()


_TURN = "SELECT pg_try_advisory_lock($1)"
# Both in one statement: who looks in between would take a move for a load. The second waits for nobody but those who look.
_TURN_TO_MOVE = "SELECT CASE WHEN pg_try_advisory_lock($1) THEN pg_advisory_lock($2) IS NOT NULL ELSE false END"
_NOBODY_MOVES = "SELECT pg_try_advisory_lock_shared($1)"


async def _take_turn(connection: asyncpg.Connection[Any], insurer: str, *, moving: bool) -> None:
    turn, moves = lock_number("turn", insurer), lock_number("move", insurer)
    asked = connection.fetchval(_TURN_TO_MOVE, turn, moves) if moving else connection.fetchval(_TURN, turn)
    if not await asked:
        is_free = await connection.fetchval(_NOBODY_MOVES, moves)
        raise FEED_IN_PROGRESS() if is_free else INSURER_MOVING("a move of it is under way", fix=MOVE_AWAITED)


class Work:
    """One feed's work. `done`: rows staged and committed."""

    def __init__(
        self,
        insurer: str,
        feed: str,
        staging: Staging,
        places: Places,
        turns: dict[str, asyncpg.Connection[Any]],
    ) -> None:
        self._insurer, self._feed, self._places, self._turns = insurer, feed, places, turns
        self._staging = staging
        self._over = False

    @property
    def done(self) -> int:
        """Rows staged and committed."""
        return self._staging.done

    @property
    def index_version(self) -> int:
        """The version of the index key rows are staged under."""
        return self._staging.index_version

    def plan(self, rows: int, index_version: int) -> None:
        """The file holds this many rows, keyed under this version."""
        self._staging.plan(rows, index_version)

    def add(self, rows: list[StagedRow], members: list[StagedMember], read: int | None = None) -> None:
        """Stage rows and members read in this order; `read` counts them when it is not the rows."""
        self._staging.add(rows, members, read)

    async def build(self, settle: Settle, told: Told, *, over: bool) -> tuple[FeedCounts, list[tuple[int, str]]]:
        """Build the new tables, or what changes in the old ones; every refused line is found in one go.

        Raises `insurer_moving`, and `database_unavailable` when the turn was lost: before anybody is told that it is loaded.
        """
        database = await self._places.of(self._insurer)
        feed, version = await answering(database, self._insurer)
        if not version:
            raise INSURER_MOVING(f"server {database.server.name} does not serve it", fix=GONE_ON_WITH)
        self._over = over and feed != ""  # over nothing, what changes is all there will be
        before = await self._counts(feed) if self._over else FeedCounts()
        if feed == self._feed:  # the switch was made, its outcome was not told: build nothing twice
            return msgspec.structs.replace(await counted(database, self._insurer), rows=self._staging.rows), []
        building = Building(self._insurer, self._feed, self._staging, settle, over=self._over, all_settled=over)
        async with database.server.connection(LOAD) as connection, connection.transaction():
            persons, rights = await building.build(connection, told)
        if self._insurer in self._turns:
            self._hold_turn()
        counts = FeedCounts(self._staging.rows, persons=before.persons + persons, rights=before.rights + rights)
        return counts, building.refused

    async def answer(self, counts: FeedCounts, at_ts_us: int) -> None:
        """One transaction of the insurer's server: what was built answers. Then the home database knows."""
        database = await self._places.of(self._insurer)
        if (await answering(database, self._insurer))[0] != self._feed:
            await self._switch(database)
        await self._places.home.write(lambda tx: finish(tx, self._feed, "loaded", self._feed, counts, at_ts_us))

    async def finish(self) -> None:
        """Remove what was staged, and the insurer's tables that do not answer."""
        self._staging.remove()
        database = await self._places.of(self._insurer)
        async with database.server.connection(LOAD) as connection:
            await drop_unused(connection, self._insurer)

    def close(self) -> None:
        """Close the staging; it stays on disk unless `finish` removed it."""
        self._staging.close()

    def _hold_turn(self) -> None:
        """Whoever lost the turn with its connection must not switch: somebody else may be at it."""
        turn = self._turns.get(self._insurer)
        if turn is None or turn.is_closed():
            raise DATABASE_UNAVAILABLE("the connection that held this insurer's turn was lost")

    async def _switch(self, database: Database) -> None:
        async with database.server.connection(LOAD) as connection:

            async def switch() -> None:
                self._hold_turn()
                await (self._apply(connection) if self._over else put_in_place(connection, self._insurer, self._feed))
                said = "UPDATE served SET feed = $2, index_version = $3 WHERE insurer = $1"
                done = await connection.execute(said, self._insurer, self._feed, self.index_version)
                assert done == "UPDATE 1", f"{self._insurer} is not served on {database.server.name}"

            await in_turns(connection, database.server.name, self._insurer, switch)

    async def _apply(self, connection: asyncpg.Connection[Any]) -> None:
        """Every changed person and member, in the caller's transaction."""
        names = {parent: generation(parent, self._insurer, self._feed) for parent in PARENTS}
        for statement in _DELTA:
            await connection.execute(statement.format(amc=self._insurer, **names))

    async def _counts(self, feed: str) -> FeedCounts:
        """What the insurer's rights held once that feed was loaded."""
        kept = await Feeds(self._places.home).feed(_loaded_by(feed))
        return kept.counts if kept else FeedCounts()


async def answering(database: Database, insurer: str) -> tuple[str, int]:
    """The feed whose rights answer now, empty before the first, and the version of the index key they are keyed under; 0 where
    this server does not serve the insurer."""
    async with database.server.connection(LOAD) as connection:
        row = await connection.fetchrow("SELECT feed, index_version FROM served WHERE insurer = $1", insurer)
    return (row[0], row[1]) if row else ("", 0)


async def serves(connection: asyncpg.Connection[Any], insurer: str) -> bool:
    """Whether this very server answers for the insurer."""
    return await connection.fetchval("SELECT true FROM served WHERE insurer = $1", insurer) or False


async def counted(database: Database, insurer: str) -> FeedCounts:
    """The persons and rights of an insurer, counted."""
    async with database.server.connection(LOAD) as connection:
        table = await answering_table(connection, "rights", insurer)
        count = f"SELECT count(DISTINCT person), count(*) FROM {table} WHERE insurer = $1"  # noqa: S608 - a name of ours
        row = await connection.fetchrow(count, insurer)
    assert row is not None
    return FeedCounts(persons=row[0], rights=row[1])


def _loaded_by(feed: str) -> str:
    """The feed that loaded what another index key carries on: `fee_…_k2` was loaded by `fee_…`."""
    return feed.partition(_REKEYED)[0]
