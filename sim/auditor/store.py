"""The hub's tables, read last and read only, in whichever store it has: a file of SQLite, or a database of PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import asyncpg

EMBEDDED = "sqlite:"
READ_ONLY = {"default_transaction_read_only": "on"}

# Every table that holds rows; a table in parts is read by its parts.
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"

Row = tuple[Any, ...]


def rows(store: str, query: str) -> list[Row]:
    """The rows of a query; `store` is `sqlite:` and a path, or `postgresql://…`."""
    if not store.startswith(EMBEDDED):
        return asyncio.run(_fetched(store, query))
    with closing(sqlite3.connect(f"file:{store.removeprefix(EMBEDDED)}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def contents(store: str) -> Iterator[tuple[str, bytes]]:
    """Each table of a server and its values as bytes. An embedded store is a file, found with the hub's other files."""
    names = [] if store.startswith(EMBEDDED) else [name for (name,) in rows(store, TABLES)]
    for name in names:
        values = (value for row in rows(store, f'SELECT * FROM "{name}"') for value in row)
        yield name, b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


async def _fetched(url: str, query: str) -> list[Row]:
    connection = await asyncpg.connect(url, server_settings=READ_ONLY)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
