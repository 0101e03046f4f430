"""Rows of a member file on their way in: pseudonyms and sealed rights, with how far the reading got, in one transaction.

`staging/<feed>.db` keeps rows in buckets by the first byte of their pseudonym: appended to as they come, and later read
bucket by bucket, each small enough to be sorted in memory. A killed load goes on after the last commit. Nothing in here
can be read without the insurer's key; the file is removed when the feed is finished.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from ecluse.engines.room import hold_room

ROWS_PER_BUCKET = 100_000  # 30 MB when sorted in memory
BUCKETS_MAX = 256  # one byte of pseudonym
CACHE_KIB = 65_536  # the last pages of every bucket stay in memory between commits

StagedRow = tuple[bytes, int, bool, bytes]  # person, line, whether it ends a right, sealed right
StagedMember = tuple[bytes, bytes, int]  # member, person, line

_PLAN = """
    CREATE TABLE IF NOT EXISTS plan (
        buckets INTEGER NOT NULL, done INTEGER NOT NULL, rows INTEGER NOT NULL, index_version INTEGER NOT NULL
    ) STRICT"""
_PLANNED = "SELECT buckets, done, rows, index_version FROM plan"
_ROWS = "CREATE TABLE r{0} (person BLOB NOT NULL, line INTEGER NOT NULL, ends INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT"
_MEMBERS = "CREATE TABLE m{0} (member BLOB NOT NULL, person BLOB NOT NULL, line INTEGER NOT NULL) STRICT"


class Staging:
    """The staging of one feed. `done` is the number of rows committed."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.buckets: int
        self.done: int
        self.rows: int
        self.index_version: int
        self._open()

    def plan(self, rows: int, index_version: int) -> None:
        """The file holds `rows` good rows: make the buckets for them, once. Rows keyed under another version are of no use."""
        if self.buckets and self.index_version != index_version:
            self.remove()
            self._open()
        if self.buckets:
            return
        buckets = 1
        while buckets < BUCKETS_MAX and rows > buckets * ROWS_PER_BUCKET:
            buckets *= 2
        self._file.execute("BEGIN")
        for number in range(buckets):
            self._file.execute(_ROWS.format(number))
            self._file.execute(_MEMBERS.format(number))
        self._file.execute("INSERT INTO plan VALUES (?, 0, ?, ?)", (buckets, rows, index_version))
        self._file.execute("COMMIT")
        self.buckets, self.rows, self.index_version = buckets, rows, index_version

    def add(self, rows: list[StagedRow], members: list[StagedMember], read: int | None = None) -> None:
        """Keep rows read in this order; on return, a killed load goes on after them. `read`: how many, if not the rows.

        Raises `feed_no_room`, looking before each commit: some 50 MB.
        """
        hold_room(self.path.parent)
        read = len(rows) if read is None else read
        self._file.execute("BEGIN")
        self._spread("INSERT INTO r{0} VALUES (?, ?, ?, ?)", rows)
        self._spread("INSERT INTO m{0} VALUES (?, ?, ?)", members)
        self._file.execute("UPDATE plan SET done = done + ?", (read,))
        self._file.execute("COMMIT")
        self.done += read

    def bucket(self, number: int) -> list[StagedRow]:
        """The rows of one bucket, sorted by person and line."""
        return sorted(self._file.execute(f"SELECT person, line, ends, sealed FROM r{number}"))  # noqa: S608 - a number

    def members(self, number: int) -> list[StagedMember]:
        """The members of one bucket, sorted by member, person and line."""
        return sorted(self._file.execute(f"SELECT member, person, line FROM m{number}"))  # noqa: S608 - a number

    def close(self) -> None:
        """Close the file; it stays."""
        self._file.close()

    def remove(self) -> None:
        """Close and forget."""
        self.close()
        for each in (self.path, self.path.with_name(self.path.name + "-journal")):
            each.unlink(missing_ok=True)

    def _open(self) -> None:
        self._file = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._file.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._file.execute("PRAGMA synchronous = NORMAL")
        columns = self._file.execute("SELECT count(*) FROM pragma_table_info('plan')").fetchone()[0]
        if columns not in (0, 4):  # staged before index keys had versions: the file is read again from its start
            self.remove()
            self._open()
            return
        self._file.execute(_PLAN)
        planned = self._file.execute(_PLANNED).fetchone()
        self.buckets, self.done, self.rows, self.index_version = planned or (0, 0, 0, 0)

    def _spread(self, statement: str, rows: Iterable[StagedRow] | Iterable[StagedMember]) -> None:
        shift = 8 - (self.buckets.bit_length() - 1)
        if shift == 8:
            self._file.executemany(statement.format(0), rows)
            return
        spread: list[list[StagedRow | StagedMember]] = [[] for _ in range(self.buckets)]
        for row in rows:
            spread[row[0][0] >> shift].append(row)
        for number, some in enumerate(spread):
            self._file.executemany(statement.format(number), some)
