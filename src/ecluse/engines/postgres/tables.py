"""The tables of one insurer on one server: made aside, put in place of those that answer in one instant, dropped."""

from __future__ import annotations

from typing import Any

import asyncpg

PARENTS = {  # what has a partition an insurer → its columns but the insurer, and its key
    "rights": ("person bytea NOT NULL, n integer NOT NULL, sealed bytea {null}", "person, n"),
    "members": ("member bytea NOT NULL, person bytea NOT NULL", "member"),
}

_TABLES = """
    SELECT c.relname, i.inhrelid IS NOT NULL FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND c.relname LIKE ANY($1::text[])"""  # an insurer's tables, and whether they answer

# Both at once, in the order in which look-ups take them (lookups.py): the other way round, each would wait for the other.
_ALONE = "LOCK TABLE ONLY members, ONLY rights IN ACCESS EXCLUSIVE MODE"


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


async def put_in_place(connection: asyncpg.Connection[Any], insurer: str, feed: str) -> None:
    """In the caller's transaction: a feed's tables take the place of those that answer. Readers wait for milliseconds."""
    await connection.execute(_ALONE)
    for table in await _tables(connection, insurer, answering=True):
        await connection.execute(f"ALTER TABLE {table.split('_')[0]} DETACH PARTITION {table}")
    for parent in PARENTS:
        table = generation(parent, insurer, feed)
        await connection.execute(f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES IN ('{insurer}')")


async def drop_unused(connection: asyncpg.Connection[Any], insurer: str) -> None:
    """Drop the insurer's tables that do not answer."""
    for table in await _tables(connection, insurer, answering=False):
        await connection.execute(f"DROP TABLE IF EXISTS {table}")


async def drop_answering(connection: asyncpg.Connection[Any], insurer: str) -> None:
    """In the caller's transaction: drop the insurer's tables that answer. Of this insurer nobody asks here any more."""
    await connection.execute(_ALONE)
    for table in await _tables(connection, insurer, answering=True):
        await connection.execute(f"DROP TABLE IF EXISTS {table}")


async def _tables(connection: asyncpg.Connection[Any], insurer: str, *, answering: bool) -> list[str]:
    patterns = [f"{parent}\\_{insurer}\\_%" for parent in PARENTS]
    return [name for name, answers in await connection.fetch(_TABLES, patterns) if answers == answering]
