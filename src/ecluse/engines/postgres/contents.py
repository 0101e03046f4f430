"""What a server holds of one insurer, to be compared and copied: three tables, and how each row is told from every other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from ecluse.engines.postgres.tables import index_table, make_table

BUFFERED_MAX = 64  # blocks of COPY between two servers, some 64 kB each: bounds memory when one is slower


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


async def content(connection: asyncpg.Connection[Any], table: str, insurer: str, *, source: str = "") -> Content:
    """What `table` (or `source`, a table of the same form) holds of an insurer."""
    query = _CONTENT.format(hashed=_HASHED[table][1], table=source or table)
    row = await connection.fetchrow(query, insurer)
    assert row is not None
    return Content(row[0], int(row[1]))


async def copy_table(
    source: asyncpg.Connection[Any], target: asyncpg.Connection[Any], parent: str, insurer: str, feed: str
) -> str:
    """Make and fill, on `target`, the table that will answer for the insurer; its name."""
    table = await make_table(target, parent, insurer, feed)
    columns = ["insurer", *(name.strip() for name in _HASHED[parent][0].split(","))]
    query = f"SELECT {', '.join(columns)} FROM {parent} WHERE insurer = '{insurer}' ORDER BY 2, 3"  # noqa: S608 - digits
    await _stream(source, query, target, table, columns)
    await index_table(target, parent, table)
    return table


async def copy_engagements(
    source: asyncpg.Connection[Any], target: asyncpg.Connection[Any], insurer: str, after: str = ""
) -> None:
    """Copy the insurer's engagements of numbers after that one; those that are there already stay as they are."""
    columns = ["number", "insurer", "practice", "sealed"]
    query = (
        f"SELECT {', '.join(columns)} FROM engagement"  # noqa: S608 - names of ours, digits, a number that we read
        f" WHERE insurer = '{insurer}' AND number > '{after}' ORDER BY number"
    )
    async with target.transaction():
        await target.execute("CREATE TEMP TABLE copied (LIKE engagement) ON COMMIT DROP")
        await _stream(source, query, target, "copied", columns)
        await target.execute("INSERT INTO engagement SELECT * FROM copied ON CONFLICT DO NOTHING")


async def _stream(
    source: asyncpg.Connection[Any], query: str, target: asyncpg.Connection[Any], table: str, columns: list[str]
) -> None:
    """Binary COPY out of one server and into the other, block by block."""
    blocks: asyncio.Queue[bytes] = asyncio.Queue(BUFFERED_MAX)

    async def read() -> None:
        try:
            await source.copy_from_query(query, output=blocks.put, format="binary")
        finally:
            await blocks.put(b"")  # the end, or a COPY cut short, which the target then refuses

    async def written() -> AsyncIterator[bytes]:
        while block := await blocks.get():
            yield block

    async with asyncio.TaskGroup() as both:
        both.create_task(read())
        both.create_task(target.copy_to_table(table, source=written(), columns=columns, format="binary"))
