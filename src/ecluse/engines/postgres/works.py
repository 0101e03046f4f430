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

from ecluse.app.ports import FeedCounts, Rekeying, Settle
from ecluse.engines.postgres.building import Building, Told
from ecluse.engines.postgres.database import Database, lock_number
from ecluse.engines.postgres.places import Places
from ecluse.engines.postgres.server import DATABASE_UNAVAILABLE, Server
from ecluse.engines.postgres.tables import PARENTS, drop_unused, generation, put_in_place
from ecluse.engines.roles import LOAD
from ecluse.engines.sql.feeds import FEED_IN_PROGRESS, Feeds, finish
from ecluse.engines.sql.unit import DATABASE_BUSY
from ecluse.engines.staging import StagedMember, StagedRow, Staging
from ecluse.kernel.errors import Refused

FIRST_VERSION = 1  # of the index key
SWITCH_TRIES_MAX = 50  # readers are done in milliseconds; a switch that cannot get its turn in a minute is refused
SWITCH_WAIT_MS = 1000  # a switch that waits makes every later reader of the table wait behind it

_DELTA = (
    "DELETE FROM rights WHERE insurer = '{amc}' AND person IN (SELECT person FROM {rights})",
    "INSERT INTO rights SELECT insurer, person, n, sealed FROM {rights} WHERE sealed IS NOT NULL",
    "DELETE FROM members WHERE insurer = '{amc}' AND member IN (SELECT member FROM {members})",
    "INSERT INTO members SELECT insurer, member, person FROM {members}",
)


class RightsWorks:
    """The works of one hub: rows are staged in its directory, tables are made on the insurers' servers."""

    can_rekey = False

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
        """Every row is keyed under the first version: `can_rekey` says that there will be no other."""
        return FIRST_VERSION

    async def rekey(self, insurer: str, rekeying: Rekeying, told: Callable[[int, int], None]) -> FeedCounts | None:
        """Nothing to carry: no index key is rotated on this store."""
        assert rekeying.version == FIRST_VERSION
        return None

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

    def add(self, rows: list[StagedRow], members: list[StagedMember]) -> None:
        """Stage rows and members read in this order."""
        self._staging.add(rows, members)

    async def build(self, settle: Settle, told: Told, *, over: bool) -> tuple[FeedCounts, list[tuple[int, str]]]:
        """Build the new tables, or what changes in the old ones; every refused line is found in one go."""
        database = await self._places.of(self._insurer)
        answering = await self._answering(database)
        self._over = over and answering != ""  # over nothing, what changes is all there will be
        before = await self._counts(answering) if self._over else FeedCounts()
        if answering == self._feed:  # the switch was made, its outcome was not told: build nothing twice
            return await self._counted(database), []
        building = Building(self._insurer, self._feed, self._staging, settle, over=self._over, all_settled=over)
        async with database.server.connection(LOAD) as connection, connection.transaction():
            persons, rights = await building.build(connection, told)
        counts = FeedCounts(self._staging.rows, persons=before.persons + persons, rights=before.rights + rights)
        return counts, building.refused

    async def answer(self, counts: FeedCounts, at_ts_us: int) -> None:
        """One transaction of the insurer's server: what was built answers. Then the home database knows."""
        database = await self._places.of(self._insurer)
        if await self._answering(database) != self._feed:
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
                    said = "UPDATE served SET feed = $2 WHERE insurer = $1"
                    done = await connection.execute(said, self._insurer, self._feed)
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

    async def _answering(self, database: Database) -> str:
        """The feed whose rights answer now; empty before the first."""
        async with database.server.connection(LOAD) as connection:
            feed = await connection.fetchval("SELECT feed FROM served WHERE insurer = $1", self._insurer)
        return str(feed or "")

    async def _counts(self, feed: str) -> FeedCounts:
        """What the insurer's rights held once that feed was loaded."""
        kept = await Feeds(self._places.home).feed(feed)
        return kept.counts if kept else FeedCounts()

    async def _counted(self, database: Database) -> FeedCounts:
        count = "SELECT count(DISTINCT person), count(*) FROM rights WHERE insurer = $1"
        async with database.server.connection(LOAD) as connection:
            row = await connection.fetchrow(count, self._insurer)
        assert row is not None
        return FeedCounts(self._staging.rows, persons=row[0], rights=row[1])
