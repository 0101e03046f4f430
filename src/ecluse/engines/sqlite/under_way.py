"""The `UnderWay` port in logins.db: one file of all processes of a hub, apart from that of sessions. Anybody may begin a login,
and whoever does so all day must hold up nobody who has logged in.

Nothing of it waits for a disk: after a crash of the machine a login that was begun is begun anew, and one that was taken out may
be there again until it is too old. It opens nothing then: a session is bound to the key of the browser that began it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ecluse.engines.sqlite.connection import connect
from ecluse.gate.portal.login import LOGIN_S_MAX, Begun

# Past it the oldest goes, so that a flood stops nobody who is quicker than it: with 500 a second, they have 200 s. 40 MB.
UNDER_WAY_MAX = 100_000
TOO_OLD_TOGETHER = 64  # go with each that is begun: after a flood nobody waits for all of it
WAIT_MS = 2_000  # another process's transaction takes a tenth of a millisecond

_BEGIN = "INSERT INTO login VALUES (?, ?, ?, ?)"
_TOO_OLD = "DELETE FROM login WHERE rowid IN (SELECT rowid FROM login WHERE begun_ts < ? ORDER BY begun_ts LIMIT ?)"
_CROWD = "DELETE FROM login WHERE rowid <= (SELECT max(rowid) FROM login) - ?"
_FIND = "SELECT begun FROM login WHERE state = ? AND browser = ?"
_TAKE = "DELETE FROM login WHERE state = ? AND browser = ? RETURNING begun"

_encode = msgspec.msgpack.Encoder().encode
_begun = msgspec.msgpack.Decoder(Begun).decode

Result = TypeVar("Result")


class LocalUnderWay:
    """One instance a process. One thread of its own does what touches the disk, and waits there for other processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="logins")

    async def begin(self, state: bytes, browser: bytes, begun: Begun) -> None:
        """Remember what was begun; some of what is too old goes."""
        await self._aside(self._begin, state, browser, begun)

    async def find(self, state: bytes, browser: bytes) -> Begun | None:
        """What was begun, which stays."""
        row = await self._aside(lambda: self._file.execute(_FIND, (state, browser)).fetchone())
        return _begun(row[0]) if row else None

    async def taken(self, state: bytes, browser: bytes) -> Begun | None:
        """Take out what was begun."""
        row = await self._aside(lambda: self._file.execute(_TAKE, (state, browser)).fetchall())
        return _begun(row[0][0]) if row else None

    def close(self) -> None:
        """Wait for the thread, and close the file, if it was opened."""
        self._disk.shutdown()
        if "_file" in self.__dict__:
            self._file.close()

    def _begin(self, state: bytes, browser: bytes, begun: Begun) -> None:
        self._file.execute("BEGIN IMMEDIATE")
        with self._file:
            self._file.execute(_TOO_OLD, (begun.begun_ts - LOGIN_S_MAX, TOO_OLD_TOGETHER))
            self._file.execute(_CROWD, (UNDER_WAY_MAX,))
            self._file.execute(_BEGIN, (state, browser, begun.begun_ts, _encode(begun)))

    @cached_property
    def _file(self) -> sqlite3.Connection:
        opened = connect(self._path)
        opened.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        opened.execute("PRAGMA synchronous=NORMAL")
        opened.executescript((files("ecluse.engines.sqlite") / "under_way.sql").read_text())
        return opened

    async def _aside(self, work: Callable[..., Result], *given: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *given)
