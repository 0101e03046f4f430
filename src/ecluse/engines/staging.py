"""Rows of a member file on their way in: pseudonyms and sealed rights, with how far the reading got, in one transaction.

`staging/<feed>.db` keeps rows in buckets by the first byte of their pseudonym: appended to as they come, and later read
bucket by bucket, each small enough to be sorted in memory. A killed load goes on after the last commit. Nothing in here
can be read without the insurer's key; the file is removed when the feed is finished.

Where rows give a member number to somebody else than the rights that answer do, that is noted here first: the engine finds who
had it (`give`), the row that gives it is joined to that (`end_giving`), and comes back with the bucket of that person (`given`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ecluse.engines.room import hold_room

ROWS_PER_BUCKET = 100_000  # 30 MB when sorted in memory
BUCKETS_MAX = 256  # one byte of pseudonym
CACHE_KIB = 65_536  # the last pages of every bucket stay in memory between commits

StagedRow = tuple[bytes, int, bool, bytes]  # person, line, whether it ends a right, sealed right
StagedMember = tuple[bytes, bytes, int]  # member, person, line
Giving = tuple[bytes, int, bytes]  # the person who gets a member number, the line that says so, the person who had it
Given = tuple[bytes, bytes, bytes]  # the person who had it, the person who gets it, the sealed right of that line

_PLAN = """
    CREATE TABLE IF NOT EXISTS plan (
        buckets INTEGER NOT NULL, done INTEGER NOT NULL, rows INTEGER NOT NULL, index_version INTEGER NOT NULL
    ) STRICT"""
_PLANNED = "SELECT buckets, done, rows, index_version FROM plan"
_ROWS = "CREATE TABLE r{0} (person BLOB NOT NULL, line INTEGER NOT NULL, ends INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT"
_MEMBERS = "CREATE TABLE m{0} (member BLOB NOT NULL, person BLOB NOT NULL, line INTEGER NOT NULL) STRICT"
_GIVING = """
    CREATE TABLE giving (person BLOB NOT NULL, line INTEGER NOT NULL, former BLOB NOT NULL, PRIMARY KEY (person, line))
    STRICT, WITHOUT ROWID"""
_GIVEN = """
    CREATE TABLE given (former BLOB NOT NULL, person BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (former, person, sealed))
    STRICT, WITHOUT ROWID"""
_JOIN = (
    "INSERT INTO given SELECT former, person, sealed FROM r{0} CROSS JOIN giving USING (person, line)"  # in that order
)
_GIVEN_OF = "SELECT former, person, sealed FROM given WHERE former >= ? AND former < ? ORDER BY former, person, sealed"


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

    def begin_giving(self) -> None:
        """Forget what an earlier building, which was killed, found of member numbers given to somebody else."""
        for name, table in (("giving", _GIVING), ("given", _GIVEN)):
            self._file.execute(f"DROP TABLE IF EXISTS {name}")
            self._file.execute(table)

    def give(self, found: Iterable[Giving]) -> None:
        """Keep whose member number is given to whom. Raises `feed_no_room`, looking before: some 10 MB for a bucket."""
        hold_room(self.path.parent)
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO giving VALUES (?, ?, ?)", found)
        self._file.execute("COMMIT")

    def end_giving(self) -> None:
        """Everything was found: each row that gives a number is put beside the person who had it."""
        if self._file.execute("SELECT 1 FROM giving LIMIT 1").fetchone():
            for number in range(self.buckets):
                hold_room(self.path.parent)
                self._file.execute(_JOIN.format(number))

    def given(self, number: int) -> list[Given]:
        """The rows that take a member number from people of one bucket, sorted by the person who had it."""
        first, after = number << self._shift, number + 1 << self._shift
        above = bytes([after]) if after < 256 else b"\xff" * 64  # longer than any pseudonym
        return self._file.execute(_GIVEN_OF, (bytes([first]), above)).fetchall()

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

    @property
    def _shift(self) -> int:
        """By how much the first byte of a pseudonym is shifted to give its bucket."""
        return 8 - (self.buckets.bit_length() - 1)

    def _spread(self, statement: str, rows: Iterable[StagedRow] | Iterable[StagedMember]) -> None:
        shift = self._shift
        if shift == 8:
            self._file.executemany(statement.format(0), rows)
            return
        spread: list[list[StagedRow | StagedMember]] = [[] for _ in range(self.buckets)]
        for row in rows:
            spread[row[0][0] >> shift].append(row)
        for number, some in enumerate(spread):
            self._file.executemany(statement.format(number), some)


def givings(members: Sequence[StagedMember], had: Mapping[bytes, bytes]) -> Iterator[Giving]:
    """Of members sorted, those whose number another person `had`: one row each, the first."""
    for member, same in groupby(members, key=itemgetter(0)):
        _, person, line = next(same)
        if had.get(member, person) != person:
            yield person, line, had[member]


def by_person(
    rows: Sequence[StagedRow], given: Sequence[Given]
) -> Iterator[tuple[bytes, list[StagedRow], list[tuple[bytes, bytes]]]]:
    """Everybody in these rows or about whom something is `given`, in order (both are sorted): the person's rows, and what is."""
    changes = {person: list(same) for person, same in groupby(rows, key=itemgetter(0))}
    others = {former: [each[1:] for each in same] for former, same in groupby(given, key=itemgetter(0))}
    for person in sorted(changes.keys() | others.keys()) if others else changes:
        yield person, changes.get(person, []), others.get(person, [])
