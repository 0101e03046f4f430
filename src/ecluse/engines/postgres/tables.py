"""The tables of one insurer on one server: made aside, put in place of those that answer in one instant, dropped.

`rights` and `members` are every insurer's. Whoever puts a table in place, or out, needs both for itself for an instant, and waits
for all that read them; whoever reads them meanwhile waits behind it. So what takes long reads an insurer's own table by its name,
and the wait for both is short, and taken up again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from ecluse.engines.sql.unit import DATABASE_BUSY

ALONE_S = 60.0  # readers of the hub are done in milliseconds, only somebody else's last so long
ALONE_WAIT_MS = 100  # what a look-up of any insurer may wait more, of the 3 s it has
ALONE_PAUSE_S = 0.4  # in which look-ups go on as ever

Done = TypeVar("Done")

PARENTS = {  # what has a partition an insurer → its columns but the insurer, and its key
    "rights": ("person bytea NOT NULL, n integer NOT NULL, sealed bytea {null}", "person, n"),
    "members": ("member bytea NOT NULL, person bytea NOT NULL", "member"),
}

_TABLES = """
    SELECT c.relname, i.inhrelid IS NOT NULL FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND c.relname LIKE ANY($1::text[])"""  # an insurer's tables, and whether they answer

# Both at once, in the order in which look-ups take them (lookups.py): the other way round, each would wait for the other.
_ALONE = "LOCK TABLE ONLY members, ONLY rights IN ACCESS EXCLUSIVE MODE"
# Who waits for an autovacuum sends it away, but only after a second (deadlock_timeout): before the short wait, and readers go on.
_UNVACUUMED = "SHARE UPDATE EXCLUSIVE MODE"
_READ_LONG = "Try again once nobody reads members or rights for long (pg_stat_activity says who: a dump, a report)."


def generation(parent: str, insurer: str, feed: str) -> str:
    """The name of the table a feed makes for `rights` or `members`. Both parts are checked: digits, and an id of ours."""
    assert insurer.isdigit(), insurer
    assert feed.replace("_", "").isalnum(), feed
    return f"{parent}_{insurer}_{feed}".lower()


async def make_table(
    connection: asyncpg.Connection[Any], parent: str, insurer: str, feed: str, *, changes: bool = False
) -> str:
    """Make the empty table of a feed, in place of one that was left half-made; its name.

    Its check lets it become a partition without being read again. One that holds `changes` may say that a right is gone.
    """
    table = generation(parent, insurer, feed)
    columns = PARENTS[parent][0].format(null="" if changes else "NOT NULL")
    await connection.execute(f"DROP TABLE IF EXISTS {table}")
    await connection.execute(
        f"CREATE TABLE {table} (insurer text COLLATE \"C\" NOT NULL CHECK (insurer = '{insurer}'), {columns})"
    )
    return table


async def index_table(connection: asyncpg.Connection[Any], parent: str, table: str) -> None:
    """Give a filled table its key, and the planner its numbers."""
    await connection.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({PARENTS[parent][1]})")
    await connection.execute(f"ANALYZE {table}")


async def in_turns(
    connection: asyncpg.Connection[Any], server: str, insurer: str, work: Callable[[], Awaitable[Done]]
) -> Done:
    """Run `work` on the insurer's tables in one transaction that waits for no lock for long; again, after a pause, when it did.

    Raises `database_busy` after a minute of that. What `work` raises is raised here.
    """
    until_s = time.monotonic() + ALONE_S
    while time.monotonic() < until_s:
        try:
            async with connection.transaction():
                for table in await _tables(connection, insurer):
                    await connection.execute(f"LOCK TABLE {table} IN {_UNVACUUMED}")
                await connection.execute(f"SET LOCAL lock_timeout = {ALONE_WAIT_MS}")
                return await work()
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(ALONE_PAUSE_S)
    raise DATABASE_BUSY(f"server {server}: the switch did not get its turn", fix=_READ_LONG)


async def put_in_place(connection: asyncpg.Connection[Any], insurer: str, feed: str) -> None:
    """In the caller's transaction: a feed's tables take the place of those that answer. Readers wait for milliseconds."""
    await put_out(connection, insurer)
    for parent in PARENTS:
        table = generation(parent, insurer, feed)
        await connection.execute(f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES IN ('{insurer}')")


async def drop_unused(connection: asyncpg.Connection[Any], insurer: str) -> None:
    """Drop the insurer's tables that do not answer."""
    for table in await _tables(connection, insurer, answering=False):
        await connection.execute(f"DROP TABLE IF EXISTS {table}")


async def put_out(connection: asyncpg.Connection[Any], insurer: str) -> None:
    """In the caller's transaction: the insurer's tables that answer answer no more; `drop_unused` drops them, at leisure."""
    await connection.execute(_ALONE)
    for table in await _tables(connection, insurer, answering=True):
        await connection.execute(f"ALTER TABLE {table.split('_')[0]} DETACH PARTITION {table}")


async def answering_table(connection: asyncpg.Connection[Any], parent: str, insurer: str) -> str:
    """The insurer's own table of `rights` or `members` that answers, to be read for long; the one of all when it has none."""
    tables = await _tables(connection, insurer, answering=True)
    return next((table for table in tables if table.startswith(f"{parent}_")), parent)


async def _tables(connection: asyncpg.Connection[Any], insurer: str, *, answering: bool | None = None) -> list[str]:
    """The insurer's tables: those that answer, those that do not, or (None) all of them, always in the same order."""
    patterns = [f"{parent}\\_{insurer}\\_%" for parent in PARENTS]
    found = await connection.fetch(_TABLES, patterns)
    return sorted(name for name, answers in found if answering in (None, answers))
