"""passes.db and shown.db in the hub's directory, whichever store it has: the `PassStore` of all its processes.

What is issued and revoked is synced before anybody hears of it. Presentations are not: a crash of the machine takes longer than
the minute and a half in which one could be used again.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ecluse.app.ports.passes import Make, PassRecord
from ecluse.engines.sqlite.connection import connect
from ecluse.kernel.errors import refusal
from ecluse.passes.issued import Pass
from ecluse.passes.status import BITS_MAX, BITS_MIN, LASTS_S

PASSES, SHOWN = "passes.db", "shown.db"
WAIT_MS = 10_000  # another process issues a thousand passes in tens of milliseconds
LIVE_PER_PASS_MAX = 8  # accepted of one pass in two minutes: more is no visit, and it bounds the file
KEPT_S = 2 * LASTS_S  # an index is drawn again only when no list that has it revoked is good any more

PASSES_SPENT = refusal(
    "passes_spent", 503, "Every place of the status list is taken", fix="Wait until passes expire; issue shorter ones."
)

_COUNT = "SELECT count(*) FROM pass"
_FORGET = "DELETE FROM pass WHERE expires_ts < ?"
_FIND = "SELECT made, person FROM pass WHERE batch = ? AND line = ?"
_TAKEN = "SELECT 1 FROM pass WHERE place = ?"
_ADD = "INSERT INTO pass (place, insurer, person, made, expires_ts, batch, line) VALUES (?, ?, ?, ?, ?, ?, ?)"
_STANDS = "SELECT person, made FROM pass WHERE place = ? AND revoked_ts IS NULL"
_REVOKE = "UPDATE pass SET revoked_ts = coalesce(revoked_ts, ?) WHERE place = ? AND insurer = ? RETURNING person"
_REVOKE_ALL = "UPDATE pass SET revoked_ts = ? WHERE insurer = ? AND person = ? AND revoked_ts IS NULL"
_EXTENT = "SELECT count(*), coalesce(max(place), 0) FROM pass"  # a list that was longer stays so while a pass needs it
_REVOKED = "SELECT place FROM pass WHERE revoked_ts IS NOT NULL ORDER BY place"
_PAST = "DELETE FROM shown WHERE half_minute < ?"
_SHOWN = "SELECT count(*) FROM shown WHERE place = ?"
_TAKE = "INSERT OR IGNORE INTO shown (half_minute, place, nonce) VALUES (?, ?, ?)"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Pass).decode

Result = TypeVar("Result")


class SqlitePasses:
    """The `PassStore` port. One thread does what touches the disk; files are made when they are first needed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, sqlite3.Connection] = {}
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="passes")

    async def issue(self, batch: bytes, wanted: Mapping[int, Make], now_ts: int) -> dict[int, PassRecord]:
        """The passes of these lines, each made once. Raises `passes_spent`."""
        return await self._aside(self._issue, batch, wanted, now_ts)

    async def stands(self, held: Pass) -> bytes | None:
        """Whose this pass is, if it was issued exactly so and is not revoked."""
        row = await self._aside(lambda: self._passes.execute(_STANDS, (held.index,)).fetchone())
        return row[0] if row and _decode(row[1]) == held else None

    async def take(self, index: int, window: int, nonce: bytes, oldest: int) -> bool:
        """Accept a presentation once."""
        return await self._aside(self._take, index, window, nonce, oldest)

    async def revoke(self, insurer: str, index: int, now_ts: int) -> bytes | None:
        """Revoke a pass; whose it is."""
        rows = await self._aside(lambda: self._passes.execute(_REVOKE, (now_ts, index, insurer)).fetchall())
        return rows[0][0] if rows else None

    async def revoke_person(self, insurer: str, person: bytes, now_ts: int) -> int:
        """Revoke every pass of a person."""
        return await self._aside(lambda: self._passes.execute(_REVOKE_ALL, (now_ts, insurer, person)).rowcount)

    async def revoked(self) -> tuple[list[int], int]:
        """Indexes revoked, and the size of the list."""
        return await self._aside(self._revoked)

    async def close(self) -> None:
        """Wait for the thread, and close."""
        self._disk.shutdown()
        for connection in self._open.values():
            connection.close()

    async def _aside(self, work: Callable[..., Result], *given: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *given)

    def _issue(self, batch: bytes, wanted: Mapping[int, Make], now_ts: int) -> dict[int, PassRecord]:
        with _transaction(self._passes) as passes:
            passes.execute(_FORGET, (now_ts - KEPT_S,))
            size = _size(passes.execute(_COUNT).fetchone()[0] + len(wanted))
            return {line: self._one(batch, line, make, size) for line, make in wanted.items()}

    def _one(self, batch: bytes, line: int, make: Make, size: int) -> PassRecord:
        before = self._passes.execute(_FIND, (batch, line)).fetchone()
        if before:
            return PassRecord(_decode(before[0]), before[1])
        index = secrets.randbelow(size)
        while self._passes.execute(_TAKEN, (index,)).fetchone():
            index = secrets.randbelow(size)  # half of them are free at least: two tries on average
        record = make(index)
        made = record.made
        self._passes.execute(_ADD, (index, made.insurer, record.person, _encode(made), made.expires_ts, batch, line))
        return record

    def _revoked(self) -> tuple[list[int], int]:
        count, last = self._passes.execute(_EXTENT).fetchone()
        return [place for (place,) in self._passes.execute(_REVOKED)], max(_size(count), _rounded(last + 1))

    def _take(self, index: int, window: int, nonce: bytes, oldest: int) -> bool:
        with _transaction(self._shown) as shown:
            shown.execute(_PAST, (oldest,))
            if shown.execute(_SHOWN, (index,)).fetchone()[0] >= LIVE_PER_PASS_MAX:
                return False
            return shown.execute(_TAKE, (window, index, nonce)).rowcount == 1

    @property
    def _passes(self) -> sqlite3.Connection:
        return self._connection(PASSES, "FULL")

    @property
    def _shown(self) -> sqlite3.Connection:
        return self._connection(SHOWN, "NORMAL")

    def _connection(self, name: str, synchronous: str) -> sqlite3.Connection:
        if name not in self._open:
            connection = connect(self._directory / name)
            connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.executescript((files("ecluse.engines.sqlite") / f"{Path(name).stem}.sql").read_text())
            self._open[name] = connection
        return self._open[name]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing, one process at a time."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield connection


def _size(passes: int) -> int:
    """Indexes of a list with this many passes: twice as many at least. Raises `passes_spent`."""
    if 2 * passes > BITS_MAX:
        raise PASSES_SPENT()
    return _rounded(2 * passes)


def _rounded(least: int) -> int:
    """The power of two that is `least` or more, within what a list may be."""
    return max(BITS_MIN, 1 << max(0, least - 1).bit_length())
