"""passes.db and shown.db in the hub's directory, whichever store it has: the `PassStore` of all its processes.

What is issued and revoked is synced before anybody hears of it. Presentations are not: a crash of the machine takes longer than
the minute and a half in which one could be used again.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from ecluse.app.ports.passes import Make, PassRecord, Room, Signed
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

PASSES_MANY = refusal(
    "passes_many",
    429,
    "As many passes were issued as may be",
    fix="Use those that stand; each leaves its place two days after it ends. Loading the member file gives room for its people.",
)

_COUNT = "SELECT coalesce(sum(passes), 0) FROM issued"
_FORGET = "DELETE FROM pass WHERE expires_ts < ?"
_FIND = "SELECT place, revoked_ts, made, person, mark FROM pass WHERE batch = ? AND line = ?"
_LEAVE = "UPDATE pass SET batch = x'', line = place WHERE place = ?"  # the line is free; the bit of the list is not
_OF_INSURER = "SELECT coalesce(sum(passes), 0) FROM issued WHERE insurer = ?"
_OF_PERSON = "SELECT count(*) FROM pass WHERE insurer = ? AND person = ?"
_SIGN_ANEW = "UPDATE pass SET mark = ? WHERE batch = ? AND line = ?"
_TAKEN = "SELECT 1 FROM pass WHERE place = ?"
_ADD = "INSERT INTO pass (place, insurer, person, made, expires_ts, batch, line, mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_STANDS = "SELECT person, made FROM pass WHERE place = ? AND mark = ? AND revoked_ts IS NULL"
_SIGNED = """
    SELECT mark, insurer, count(*), max(expires_ts) FROM pass WHERE expires_ts > ? AND revoked_ts IS NULL
    GROUP BY mark, insurer ORDER BY mark, insurer"""
_REVOKE = "UPDATE pass SET revoked_ts = coalesce(revoked_ts, ?) WHERE place = ? AND insurer = ? RETURNING person"
_REVOKE_ALL = "UPDATE pass SET revoked_ts = ? WHERE insurer = ? AND person = ? AND revoked_ts IS NULL"
_EXTENT = "SELECT count(*), coalesce(max(place), 0) FROM pass"  # a list that was longer stays so while a pass needs it
_REVOKED = "SELECT place FROM pass WHERE revoked_ts IS NOT NULL ORDER BY place"
_PAST = "DELETE FROM shown WHERE half_minute < ?"
_SHOWN = "SELECT count(*) FROM shown WHERE place = ?"
_WITHOUT_MARKS = "SELECT NOT EXISTS (SELECT * FROM pragma_table_info('pass') WHERE name = 'mark')"
_ADD_MARKS = "ALTER TABLE pass ADD COLUMN mark BLOB NOT NULL DEFAULT x''"  # there was one key: the first
_WITHOUT_COUNTS = "SELECT NOT EXISTS (SELECT * FROM sqlite_master WHERE name = 'issued')"
_ADD_COUNTS = (  # counting ten million passes at each request would take half a second
    "CREATE TABLE issued (insurer TEXT PRIMARY KEY, passes INTEGER NOT NULL) STRICT",
    "INSERT INTO issued SELECT insurer, count(*) FROM pass GROUP BY insurer",
    """CREATE TRIGGER pass_issued AFTER INSERT ON pass BEGIN
        INSERT INTO issued VALUES (new.insurer, 1) ON CONFLICT (insurer) DO UPDATE SET passes = passes + 1; END""",
    """CREATE TRIGGER pass_forgotten AFTER DELETE ON pass BEGIN
        UPDATE issued SET passes = passes - 1 WHERE insurer = old.insurer; END""",
)
_MISSED = "SELECT rows FROM missed WHERE insurer = ? AND day = ?"
_MISS = """
    INSERT INTO missed (insurer, day, rows) VALUES (?1, ?2, ?3)
    ON CONFLICT (insurer) DO UPDATE SET rows = ?3 + CASE day WHEN ?2 THEN rows ELSE 0 END, day = ?2"""
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

    async def issue(
        self, batch: bytes, wanted: Mapping[int, Make], now_ts: int, marks: Callable[[], Sequence[bytes]], room: Room
    ) -> dict[int, PassRecord]:
        """The passes of these lines, each made once, signed by a trusted key. Raises `passes_spent`, `passes_many`."""
        return await self._aside(self._issue, batch, wanted, now_ts, marks, room)

    async def miss(self, insurer: str, day: int, rows: int) -> int:
        """Count rows of a day that named nobody; how many there were before."""
        return await self._aside(self._miss, insurer, day, rows)

    async def stands(self, held: Pass, mark: bytes) -> bytes | None:
        """Whose this pass is, if it was issued exactly so, under this key, and is not revoked."""
        row = await self._aside(lambda: self._passes.execute(_STANDS, (held.index, mark)).fetchone())
        return row[0] if row and _decode(row[1]) == held else None

    async def signed(self, now_ts: int) -> list[Signed]:
        """What stands, by key and insurer."""
        rows = await self._aside(lambda: self._passes.execute(_SIGNED, (now_ts,)).fetchall())
        return [Signed(*row) for row in rows]

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

    def _issue(
        self, batch: bytes, wanted: Mapping[int, Make], now_ts: int, marks: Callable[[], Sequence[bytes]], room: Room
    ) -> dict[int, PassRecord]:
        with _transaction(self._passes) as passes:
            passes.execute(_FORGET, (now_ts - KEPT_S,))
            size = _size(passes.execute(_COUNT).fetchone()[0] + len(wanted))
            trusted = marks()
            return {line: self._one((batch, line), make, size, trusted, room) for line, make in wanted.items()}

    def _miss(self, insurer: str, day: int, rows: int) -> int:
        if not rows:
            return self._missed(insurer, day)
        with _transaction(self._passes) as passes:
            before = self._missed(insurer, day)
            passes.execute(_MISS, (insurer, day, rows))
            return before

    def _missed(self, insurer: str, day: int) -> int:
        row = self._passes.execute(_MISSED, (insurer, day)).fetchone()
        return row[0] if row else 0

    def _one(self, line: tuple[bytes, int], make: Make, size: int, marks: Sequence[bytes], room: Room) -> PassRecord:
        if before := self._passes.execute(_FIND, line).fetchone():
            place, revoked_ts, made, person, mark = before
            if revoked_ts is None:
                return self._again(line, PassRecord(_decode(made), person, mark), marks)
            self._passes.execute(_LEAVE, (place,))
        index = secrets.randbelow(size)
        while self._passes.execute(_TAKEN, (index,)).fetchone():
            index = secrets.randbelow(size)  # half of them are free at least: two tries on average
        record = replace(make(index), mark=marks[-1])
        made, person = record.made, record.person
        self._check_room(line[1], made.insurer, person, room)
        self._passes.execute(_ADD, (index, made.insurer, person, _encode(made), made.expires_ts, *line, record.mark))
        return record

    def _check_room(self, line: int, insurer: str, person: bytes, room: Room) -> None:
        if self._passes.execute(_OF_PERSON, (insurer, person)).fetchone()[0] >= room.person:
            raise PASSES_MANY(f"line {line}: {room.person} of this person")
        if self._passes.execute(_OF_INSURER, (insurer,)).fetchone()[0] >= room.insurer:
            raise PASSES_MANY(f"{room.insurer} of this insurer")

    def _again(self, line: tuple[bytes, int], record: PassRecord, marks: Sequence[bytes]) -> PassRecord:
        """The same pass, signed by the newest key where that of before is no longer trusted."""
        if record.mark in marks:
            return record
        self._passes.execute(_SIGN_ANEW, (marks[-1], *line))
        return replace(record, mark=marks[-1])

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
            if name == PASSES:
                _add_marks(connection)
                _add_counts(connection)
            self._open[name] = connection
        return self._open[name]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing, one process at a time."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield connection


def _add_marks(passes: sqlite3.Connection) -> None:
    """A book of before gets the column that says which key signed; one process of several adds it."""
    if passes.execute(_WITHOUT_MARKS).fetchone()[0]:
        with _transaction(passes):
            if passes.execute(_WITHOUT_MARKS).fetchone()[0]:
                passes.execute(_ADD_MARKS)


def _add_counts(passes: sqlite3.Connection) -> None:
    """The same for how many passes each insurer has."""
    if passes.execute(_WITHOUT_COUNTS).fetchone()[0]:
        with _transaction(passes):
            if passes.execute(_WITHOUT_COUNTS).fetchone()[0]:
                for each in _ADD_COUNTS:
                    passes.execute(each)


def _size(passes: int) -> int:
    """Indexes of a list with this many passes: twice as many at least. Raises `passes_spent`."""
    if 2 * passes > BITS_MAX:
        raise PASSES_SPENT()
    return _rounded(2 * passes)


def _rounded(least: int) -> int:
    """The power of two that is `least` or more, within what a list may be."""
    return max(BITS_MIN, 1 << max(0, least - 1).bit_length())
