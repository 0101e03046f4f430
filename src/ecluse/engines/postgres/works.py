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
from ecluse.engines.postgres.places import Places
from ecluse.engines.postgres.server import DATABASE_UNAVAILABLE, Server
from ecluse.engines.postgres.tables import PARENTS, drop_unused, generation, put_in_place
from ecluse.engines.rekeying import carry_over
from ecluse.engines.roles import LOAD
from ecluse.engines.sql.feeds import FEED_IN_PROGRESS, Feeds, finish
from ecluse.engines.sql.unit import DATABASE_BUSY
from ecluse.engines.staging import StagedMember, StagedRow, Staging
from ecluse.kernel.errors import Refused

# of the index key
SWITCH_TRIES_MAX = 50  # readers are done in milliseconds; a switch that cannot get its turn in a minute is refused
SWITCH_WAIT_MS = 1000  # a switch that waits makes every later reader of the table wait behind it

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
        """This insurer's turn, over all processes and machines; a killed one gives it back. Raises `feed_in_progress`."""
        async with self.turn_on((await self._places.of(insurer)).server, insurer):
            yield

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
    async def turn_on(self, server: Server, insurer: str) -> AsyncIterator[None]:
        """The insurer's turn on a server that is named: that of a move is where the insurer comes from."""
        connection = await server.dedicated(LOAD)
        try:
            with server.refusing():
                is_ours = await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_number("turn", insurer))
            if not is_ours:
                raise FEED_IN_PROGRESS()
            self._turns[insurer] = connection
            yield
        finally:
            self._turns.pop(insurer, None)
            connection.terminate()


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
        """Build the new tables, or what changes in the old ones; every refused line is found in one go."""
        database = await self._places.of(self._insurer)
        feed, _ = await answering(database, self._insurer)
        self._over = over and feed != ""  # over nothing, what changes is all there will be
        before = await self._counts(feed) if self._over else FeedCounts()
        if feed == self._feed:  # the switch was made, its outcome was not told: build nothing twice
            return msgspec.structs.replace(await counted(database, self._insurer), rows=self._staging.rows), []
        building = Building(self._insurer, self._feed, self._staging, settle, over=self._over, all_settled=over)
        async with database.server.connection(LOAD) as connection, connection.transaction():
            persons, rights = await building.build(connection, told)
        counts = FeedCounts(self._staging.rows, persons=before.persons + persons, rights=before.rights + rights)
        return counts, building.refused

    async def answer(self, counts: FeedCounts, at_ts_us: int) -> None:
        """One transaction of the insurer's server: what was built answers. Then the home database knows."""
        database = await self._places.of(self._insurer)
        if (await answering(database, self._insurer))[0] != self._feed:
            self._hold_turn()
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
        for _ in range(SWITCH_TRIES_MAX):
            try:
                async with database.server.connection(LOAD) as connection, connection.transaction():
                    await connection.execute(f"SET LOCAL lock_timeout = {SWITCH_WAIT_MS}")
                    await (
                        self._apply(connection) if self._over else put_in_place(connection, self._insurer, self._feed)
                    )
                    said = "UPDATE served SET feed = $2, index_version = $3 WHERE insurer = $1"
                    done = await connection.execute(said, self._insurer, self._feed, self.index_version)
                    assert done == "UPDATE 1", f"{self._insurer} is not served on {database.server.name}"
            except Refused as refused:
                if refused.code != DATABASE_BUSY.code:
                    raise
            else:
                return
        raise DATABASE_BUSY(f"server {database.server.name}: the switch did not get its turn")

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
    """The feed whose rights answer now, empty before the first, and the version of the index key they are keyed under."""
    async with database.server.connection(LOAD) as connection:
        row = await connection.fetchrow("SELECT feed, index_version FROM served WHERE insurer = $1", insurer)
    return (row[0], row[1]) if row else ("", 0)


async def counted(database: Database, insurer: str) -> FeedCounts:
    """The persons and rights of an insurer, counted."""
    count = "SELECT count(DISTINCT person), count(*) FROM rights WHERE insurer = $1"
    async with database.server.connection(LOAD) as connection:
        row = await connection.fetchrow(count, insurer)
    assert row is not None
    return FeedCounts(persons=row[0], rights=row[1])


def _loaded_by(feed: str) -> str:
    """The feed that loaded what another index key carries on: `fee_…_k2` was loaded by `fee_…`."""
    return feed.partition(_REKEYED)[0]
