"""Stores by URL, as `wiring` opens them, and their tables as another program reads and changes them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from ecluse.app.ports import Keys
from ecluse.engines.postgres import database as postgres
from ecluse.engines.postgres.server import Server
from ecluse.engines.sqlite import database as sqlite
from ecluse.engines.stores import Stores
from ecluse.engines.upgrade import upgrade
from ecluse.wiring.engines import STORES

ENGINES = ("sqlite", "postgres")  # the contract suites run on each
LONG = (
    pytest.param("sqlite", marks=pytest.mark.slow),
    "postgres",
)  # for journeys of many seconds: most others run on both
EMBEDDED = "sqlite:hub.db"
VARIABLE = "ECLUSE_STORE_URL"

Answer = TypeVar("Answer")

LOOP = asyncio.new_event_loop()  # of tests that have none: connections belong to one loop


def now(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What a coroutine gives, for tests without an event loop."""
    return LOOP.run_until_complete(work)


def chosen() -> str:
    """The store of this test: what the fixture `store_url` chose, or the embedded one."""
    return os.environ.get(VARIABLE, EMBEDDED)


def books(path: Path) -> Path:
    """The file of claims and money at `path`, made as `ecluse init` makes it where there is none."""
    upgrade(f"sqlite:{path}")
    return path


def open_stores(url: str, directory: Path, keys: Keys, **settings: Any) -> Stores:
    """The stores of a URL, with the settings of a new hub but for those given."""
    module = import_module(STORES[url.partition(":")[0]])
    if url.startswith("sqlite:"):
        books(directory / url.removeprefix("sqlite:"))
    opened: Stores = module.open_stores(
        url, directory, keys, **{"servers": {}, "insurers": {}, "connections_max": 8} | settings
    )
    return opened


class Books:
    """The database of claims and money, opened once more: to book by units of work, and to look at tables."""

    def __init__(self, url: str, directory: Path) -> None:
        is_embedded = url.startswith("sqlite:")
        self.database: Any = (
            sqlite.Database(directory / url.removeprefix("sqlite:"))
            if is_embedded
            else postgres.Database(Server("home", url, 8))
        )
        self._tables = _File(directory / url.removeprefix("sqlite:")) if is_embedded else _Served(url)

    async def close(self) -> None:
        """Give files and connections back."""
        self._tables.close()
        await (self.database.server.close() if isinstance(self._tables, _Served) else _closed(self.database))

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query; its values stand as `?`."""
        return self._tables.all(query, values)

    def one(self, query: str, *values: object) -> tuple[Any, ...]:
        """The first row."""
        return self.all(query, *values)[0]

    def change(self, statement: str, *values: object) -> None:
        """What another program would do."""
        self.all(statement, *values)

    def everything(self) -> bytes:
        """Every value of every table, for those who look for what must not be there."""
        tables = [table for (table,) in self.all(self._tables.NAMES)]
        values = [value for table in tables for row in self.all(f"SELECT * FROM {table}") for value in row]
        return b"\x00".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


async def _closed(database: sqlite.Database) -> None:
    database.close()


class _File:
    NAMES = "SELECT name FROM sqlite_master WHERE type = 'table'"

    def __init__(self, path: Path) -> None:
        self._connection = sqlite.connect(path)
        self.close = self._connection.close

    def all(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()


class _Served:
    """asyncpg in a thread: whoever asks may be on an event loop, and cannot wait there."""

    NAMES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None

    def all(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        first, *rest = query.split("?")
        text = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
        return self._wait(self._ask(text, values))

    def close(self) -> None:
        if self._connection is not None:
            self._wait(self._connection.close())

    async def _ask(self, text: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url)
        return [tuple(row) for row in await self._connection.fetch(text, *values)]

    def _wait(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, _beside()).result()


@cache
def _beside() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop
