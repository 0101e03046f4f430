"""What a server holds of one insurer, to be compared and copied: three tables, and how each row is told from every other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from ecluse.engines.postgres.server import Server
from ecluse.engines.postgres.tables import (
    PARENTS,
    answering_table,
    drop_unused,
    in_turns,
    index_table,
    make_table,
    put_out,
)

BUFFERED_MAX = 64  # blocks of COPY between two servers, some 64 kB each: bounds memory when one is slower


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a copy: a server, and a connection of its own to it."""

    server: Server
    connection: asyncpg.Connection[Any]

    @contextmanager
    def using(self) -> Iterator[asyncpg.Connection[Any]]:
        """The connection; what goes wrong with it is refused in the name of this server, not of the other."""
        with self.server.refusing():
            yield self.connection


@dataclass(frozen=True, slots=True)
class Content:
    """Rows counted, and a digest of them all that no order changes: the sum of 60 bits of each row's SHA-256."""

    rows: int
    digest: int


# Table → its columns but the insurer, and what a row is hashed by: lengths of variable parts come first.
_HASHED = {
    "rights": ("person, n, sealed", "int4send(length(person)) || person || int4send(n) || sealed"),
    "members": ("member, person", "int4send(length(member)) || member || person"),
    "engagement": (
        "number, practice, sealed",
        "convert_to(number || ' ' || practice || ' ', 'UTF8') || sealed",
    ),
}
_CONTENT = """
    SELECT count(*), CAST(coalesce(sum(('x' || left(encode(sha256({hashed}), 'hex'), 15))::bit(60)::bigint), 0) AS text)
    FROM {table} WHERE insurer = $1"""
_PRODUCTS = "SELECT insurer, product, version, loaded_ts_us, body FROM product WHERE insurer = $1"
_KEEP_PRODUCT = """
    INSERT INTO product (insurer, product, version, loaded_ts_us, body) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (insurer, product, version) DO UPDATE SET loaded_ts_us = excluded.loaded_ts_us"""
_ENGAGEMENTS = (
    "SELECT number, insurer, practice, sealed FROM engagement WHERE insurer = $1 AND number > $2 ORDER BY number"
)

Part = tuple[str, str]  # of engagements: ">" or "<=", and a number


async def content(side: Side, table: str, insurer: str, *, source: str = "", part: Part = (">", "")) -> Content:
    """What `table` (or `source`, a table of the same form) holds of an insurer; of engagements, a `part`."""
    with side.using() as connection:
        query = _CONTENT.format(hashed=_HASHED[table][1], table=source or await _own(connection, table, insurer))
        if table == "engagement":
            row = await connection.fetchrow(f"{query} AND number {part[0]} $2", insurer, part[1])
        else:
            row = await connection.fetchrow(query, insurer)
    assert row is not None
    return Content(row[0], int(row[1]))


async def count(side: Side, table: str, insurer: str) -> int:
    """How many rows `table` holds of an insurer."""
    with side.using() as connection:
        own = await _own(connection, table, insurer)
        return int(await connection.fetchval(f"SELECT count(*) FROM {own} WHERE insurer = $1", insurer))  # noqa: S608 - ours


async def copy_table(source: Side, target: Side, parent: str, insurer: str, feed: str) -> str:
    """Make and fill, on `target`, the table that will answer for the insurer; its name."""
    with target.using() as connection:
        table = await make_table(connection, parent, insurer, feed)
    with source.using() as connection:
        own = await _own(connection, parent, insurer)
    columns = ["insurer", *(name.strip() for name in _HASHED[parent][0].split(","))]
    query = f"SELECT {', '.join(columns)} FROM {own} WHERE insurer = $1 ORDER BY 2, 3"  # noqa: S608 - names of ours
    await _stream(source, query, (insurer,), target, table, columns)
    with target.using() as connection:
        await index_table(connection, parent, table)
    return table


async def copy_engagements(source: Side, target: Side, insurer: str, after: str = "") -> None:
    """Copy the insurer's engagements of numbers after that one; those that are there already stay as they are."""
    columns = ["number", "insurer", "practice", "sealed"]
    with target.using() as connection:
        async with connection.transaction():
            await connection.execute("CREATE TEMP TABLE copied (LIKE engagement) ON COMMIT DROP")
            await _stream(source, _ENGAGEMENTS, (insurer, after), target, "copied", columns)
            await connection.execute("INSERT INTO engagement SELECT * FROM copied ON CONFLICT DO NOTHING")


async def copy_products(source: Side, target: Side, insurer: str) -> None:
    """Copy the insurer's guarantee tables, and since when each is in force."""
    with source.using() as connection:
        rows = await connection.fetch(_PRODUCTS, insurer)
    with target.using() as connection:
        await connection.executemany(_KEEP_PRODUCT, [tuple(row) for row in rows])


async def remove(side: Side, insurer: str) -> None:
    """Remove the insurer's rights, members and engagements: nobody asks for them here any more. Others wait for nothing."""
    with side.using() as connection:
        await in_turns(connection, side.server.name, insurer, lambda: put_out(connection, insurer))
        await drop_unused(connection, insurer)
        await connection.execute("DELETE FROM engagement WHERE insurer = $1", insurer)


async def _own(connection: asyncpg.Connection[Any], table: str, insurer: str) -> str:
    """The insurer's own table, where it has one: what reads all insurers' for long holds up the switch of each (tables.py)."""
    return await answering_table(connection, table, insurer) if table in PARENTS else table


async def _stream(
    source: Side, query: str, values: tuple[str, ...], target: Side, table: str, columns: list[str]
) -> None:
    """Binary COPY out of one server and into the other, block by block. Whichever fails ends the other."""
    blocks: asyncio.Queue[bytes] = asyncio.Queue(BUFFERED_MAX)

    async def read() -> None:
        with source.using() as connection:
            await connection.copy_from_query(query, *values, output=blocks.put, format="binary")
        await blocks.put(b"")

    async def written() -> AsyncIterator[bytes]:
        while block := await blocks.get():
            yield block

    async def write() -> None:
        with target.using() as connection:
            await connection.copy_to_table(table, source=written(), columns=columns, format="binary")

    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(read())
            both.create_task(write())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
