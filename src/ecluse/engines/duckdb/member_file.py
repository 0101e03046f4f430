# ruff: noqa: S608 - see the last sentence of the docstring
"""Reads member files with DuckDB, vectorised: CSV and Parquet, from a path or from the sealed spool.

DuckDB may not write: it has no temporary directory, so that a query that would spill rows to disk fails instead. Every
query here streams (filters and counts; no sort, no join, no grouping by row). Its own error texts quote lines of the
file: they are never passed on. SQL is put together from the table of checks and from names of this file, never from a
value of the member file.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import duckdb

from ecluse.engines.spool import Spool, SpoolReader
from ecluse.formats.feed.checks import LINE_BLANK, LINE_SHAPE, Check, checks
from ecluse.formats.feed.file import (
    COLUMN_TYPE,
    CSV_UNREADABLE,
    FILE_EMPTY,
    FILE_MEMORY,
    FILE_TOO_LARGE,
    LINE_BYTES_MAX,
    PARQUET_UNREADABLE,
    REFUSALS_MAX,
    ROWS_MAX,
    VALUE_CHARS_MAX,
    Checked,
    FeedRow,
    Kind,
    RowRefusal,
    Standing,
    Terms,
)
from ecluse.formats.feed.footer import TAIL_BYTES, check_footer, footer_bytes
from ecluse.formats.feed.header import CHANGE, COLUMNS, check_columns, read_header
from ecluse.formats.feed.shrinking import AHEAD_DAYS
from ecluse.formats.feed.survey import Survey, kind_of
from ecluse.kernel.errors import Refused, refusal

if TYPE_CHECKING:
    from ecluse.engines.duckdb.sealed import SealedFiles

MEMORY = "400MB"  # for DuckDB; the rest of the budget of 1 GiB is the interpreter's, SQLite's and the buckets'
# DuckDB's threads, and eight more that read ahead, share one handle of a Python file system and seek in it between each other's
# reads: a good file is then refused, one time in a few. Alone, reading 1 M rows of Parquet takes 13 s, with two threads 16 s (two
# cores, busy): it is the sealing of rows that takes the minutes.
ONE_THREAD = "SET threads=1; SET async_threads=0"
# How DuckDB ends what it says of the limit above. When the system gives it no memory it says other things: a failure of ours.
_LIMIT_MET = " used)"
BLOCK = 4 << 20  # bytes surveyed at a time
FETCH = 16_384  # rows handed over at a time

FILE_CHANGED = refusal(
    "file_changed", 409, "The file changed while it was read", fix="Load it again, once it is whole."
)

_TEXT = frozenset({"VARCHAR"})
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_ALSO = {  # Parquet types a column may have beside text: those that say the same thing in one way only
    "valid_from": frozenset({"DATE"}),
    "valid_to": frozenset({"DATE"}),
    "birth_rank": _WHOLE,
    "priority": _WHOLE,
    "responsible": frozenset({"BOOLEAN"}),
}
_NEVER = "9999-12-31"  # `days.FOREVER`, as it is sealed
_HOLDS = "count(*) FILTER (WHERE valid_from <= ${0} AND (valid_to = '' OR valid_to >= ${0}))"
_OVER = "count(*) FILTER (WHERE valid_to <> '' AND valid_to < $then)"


class MemberFile:
    """One member file. Call `survey`, then `check`, then `rows`; close it."""

    def __init__(self, source: Path | tuple[Spool, str]) -> None:
        self._source = source
        self._duck = duckdb.connect(":memory:")
        self._duck.execute(f"SET memory_limit='{MEMORY}'; SET threads=2; SET temp_directory=''")
        self._kind = Kind.CSV
        self._names: tuple[str, ...] = ()
        self._lines = 0
        self._blank: list[int] = []
        self._stamp: tuple[int, ...] = ()
        self._sealed: SealedFiles | None = None
        if not isinstance(source, Path):
            from ecluse.engines.duckdb.sealed import SealedFiles

            self._sealed = SealedFiles(source[0])
            self._duck.register_filesystem(self._sealed)
            self._duck.execute(ONE_THREAD)

    def __enter__(self) -> MemberFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._duck.close()

    def survey(self, told: Callable[[int, int], None]) -> bytes:
        """Read every byte once; `told(done, of)` in bytes. SHA-256 of the content, or a refusal of the file."""
        self._stamp = self._stamped()
        with self._opened() as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            block = file.read(BLOCK)
            self._kind = kind_of(block)
            survey = Survey(text=self._kind is Kind.CSV)
            while block:
                survey.read(block)
                told(survey.bytes, size)
                block = file.read(BLOCK)
        survey.finish()
        self._lines, self._blank = survey.lines, survey.blank
        if self._kind is Kind.PARQUET:
            self._hold_footer(survey.bytes)
        self._names = read_header(survey.header) if self._kind is Kind.CSV else self._parquet_names()
        return survey.digest.digest()

    def check(self, terms: Terms) -> Checked:
        """Hold every row to every check."""
        check_columns(self._names, terms.mode, drop_unknown=terms.drop_unknown)
        if self._kind is Kind.PARQUET:
            self._check_types()
        table = checks(terms.mode)
        wrong = " OR ".join(f"({check.wrong})" for check in table)
        rows, bad, misshapen = self._count(wrong, table, terms)
        whole = rows + misshapen + len(self._blank)
        if not whole:
            raise FILE_EMPTY("there is no row")
        if whole > ROWS_MAX:
            raise FILE_TOO_LARGE(f"more than {ROWS_MAX:,} rows")
        if not bad and whole == rows:
            return Checked(rows, 0, (), 0, self._standing(terms))
        lines = self._malformed() if misshapen else []
        found = [LINE_SHAPE.refusal(line) for line in lines] + [LINE_BLANK.refusal(line) for line in self._blank]
        total, detailed = self._refused(wrong, table, terms, sorted([*lines, *self._blank])) if bad else (0, [])
        ordered = sorted(found + detailed, key=lambda each: each.line)[:REFUSALS_MAX]
        return Checked(whole, bad + whole - rows, tuple(ordered), total + whole - rows)

    def rows(self, terms: Terms, after: int) -> Iterator[list[FeedRow]]:
        """The rows past the first `after`, in order, a few thousand at a time. Only for files that passed `check`."""
        with self._wrapped():
            answer = self._duck.execute(f"{_rows(self._table(rejects=False))} OFFSET $after", {"after": after})
            while rows := answer.fetchmany(FETCH):
                yield rows
        if self._stamped() != self._stamp:
            raise FILE_CHANGED("size or time of change differ")

    def _count(self, wrong: str, table: Sequence[Check], terms: Terms) -> tuple[int, int, int]:
        """Rows that could be read, those of them that are refused, and lines that could not be read as rows."""
        query = f"SELECT count(*), count(*) FILTER (WHERE {wrong}) FROM {self._table(rejects=True)}"
        with self._wrapped():
            rows, bad = self._one(query, _asked(table, terms))
        misshapen = self._lines - 1 - len(self._blank) - rows if self._kind is Kind.CSV else 0
        return rows, bad, misshapen

    def _standing(self, terms: Terms) -> Standing:
        """The days of rows that are all good."""
        query = f"SELECT {_HOLDS.format('now')}, {_HOLDS.format('then')}, {_OVER} FROM {self._table(rejects=False)}"
        days = {"now": terms.today.isoformat(), "then": (terms.today + timedelta(AHEAD_DAYS)).isoformat()}
        with self._wrapped():
            return Standing(*self._one(query, days))

    def _refused(
        self, wrong: str, table: Sequence[Check], terms: Terms, skipped: list[int]
    ) -> tuple[int, list[RowRefusal]]:
        """How many refusals of values there are, and the first of them, each on its line of the file."""
        total = " + ".join(f"count(*) FILTER (WHERE {check.wrong})" for check in table)
        each = ", ".join(f"({check.wrong})" for check in table)
        numbered = f"(SELECT row_number() OVER () AS place, * FROM {self._table(rejects=False, skip=True)})"
        asked = _asked(table, terms)
        with self._wrapped():
            (count,) = self._one(f"SELECT {total} FROM {self._table(rejects=False, skip=True)}", asked)
            listed = self._duck.execute(
                f"SELECT place, {each} FROM {numbered} WHERE {wrong} LIMIT {REFUSALS_MAX}", asked
            ).fetchall()
        return count, [
            check.refusal(_line(place, skipped))
            for place, *failed in listed
            for check, is_wrong in zip(table, failed, strict=True)
            if is_wrong
        ]

    def _malformed(self) -> list[int]:
        """Lines that DuckDB could not read as rows in the last `check`."""
        found = self._duck.execute("SELECT DISTINCT line FROM reject_errors ORDER BY line").fetchall()
        return [line for (line,) in found]

    def _table(self, *, rejects: bool, skip: bool = False) -> str:
        """The file as a table of `COLUMNS` and `change`, all text, empty where absent."""
        wanted = [name for name in (*COLUMNS, CHANGE) if name in self._names]
        if self._kind is Kind.PARQUET:
            picked = [
                f"coalesce(left(CAST(\"{name}\" AS VARCHAR), {VALUE_CHARS_MAX}), '') AS {name}" for name in wanted
            ]
            source = f"read_parquet('{self._location()}')"
        else:
            picked = [f"coalesce(c{self._names.index(name)}, '') AS {name}" for name in wanted]
            source = self._csv(rejects=rejects, skip=skip)
        if CHANGE not in wanted:
            picked.append(f"'' AS {CHANGE}")
        return f"(SELECT {', '.join(picked)} FROM {source})"

    def _csv(self, *, rejects: bool, skip: bool) -> str:
        columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(self._names)))
        lenient = f", store_rejects=true, rejects_limit={REFUSALS_MAX}" if rejects else ""
        lenient = ", ignore_errors=true" if skip else lenient
        return (
            f"read_csv('{self._location()}', header=true, auto_detect=false, delim=',', quote='\"', escape='\"',"
            f" strict_mode=true, max_line_size={2 * LINE_BYTES_MAX}, columns={{{columns}}}{lenient})"
        )

    def _location(self) -> str:
        place = str(self._source) if isinstance(self._source, Path) else f"sealed://{self._source[1]}"
        return place.replace("'", "''")

    def _hold_footer(self, size: int) -> None:
        """Before DuckDB makes room for what the footer announces."""
        with self._opened() as file:
            file.seek(max(0, size - TAIL_BYTES))
            length = footer_bytes(file.read(TAIL_BYTES), size)
            file.seek(size - TAIL_BYTES - length)
            check_footer(file.read(length), size)

    def _parquet_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._parquet_columns())

    def _parquet_columns(self) -> list[tuple[str, str]]:
        with self._wrapped():
            described = self._duck.execute(f"DESCRIBE SELECT * FROM read_parquet('{self._location()}')").fetchall()
        return [(row[0], row[1]) for row in described]

    def _check_types(self) -> None:
        for name, found in self._parquet_columns():
            if name in (*COLUMNS, CHANGE) and found not in _TEXT | _ALSO.get(name, frozenset()):
                raise COLUMN_TYPE(f"{name} is {found}")

    def _one(self, query: str, asked: dict[str, Any]) -> tuple[int, ...]:
        (answer,) = self._duck.execute(query, asked).fetchall()  # to the end: only then are the rejected lines told
        found: tuple[int, ...] = answer
        return found

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO | SpoolReader]:
        file = self._source.open("rb") if isinstance(self._source, Path) else self._source[0].read(self._source[1])
        with file:
            yield file

    def _stamped(self) -> tuple[int, ...]:
        """What changes when somebody writes to the file; a spooled file is never written again."""
        if not isinstance(self._source, Path):
            return ()
        found = self._source.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        """DuckDB's refusals as ours; its words are left out because they quote the file."""
        try:
            yield
        except Refused:
            raise
        except duckdb.Error as wrong:
            raise self._said(wrong) from None

    def _said(self, wrong: duckdb.Error) -> Exception:
        """What an error of DuckDB's is: of the file, or a failure of ours, after which the same file may be read."""
        if self._sealed and self._sealed.failed:
            return self._sealed.failed  # a disk, a key: nothing that the file could help
        if isinstance(wrong, duckdb.OutOfMemoryException):
            return FILE_MEMORY(f"more than {MEMORY}") if _LIMIT_MET in str(wrong) else wrong
        return (CSV_UNREADABLE if self._kind is Kind.CSV else PARQUET_UNREADABLE)()


def _asked(table: Sequence[Check], terms: Terms) -> dict[str, Any]:
    text = " ".join(check.wrong for check in table)
    asked = {"insurer": terms.insurer, "products": sorted(terms.products)}
    return {name: value for name, value in asked.items() if f"${name}" in text}


def _rows(table: str) -> str:
    """`FeedRow`s of a table whose rows are all good."""
    return (
        "SELECT nir, birth_date, CAST(birth_rank AS TINYINT), member_number, contract, product, domains, valid_from,"
        f" CASE WHEN valid_to IN ('', '{_NEVER}') THEN '{_NEVER}' ELSE CAST(CAST(valid_to AS DATE) + 1 AS VARCHAR) END,"
        f" convention_type, csr, responsible = 'true', CAST(priority AS TINYINT), {CHANGE} = 'end' FROM {table}"
    )


def _line(place: int, skipped: list[int]) -> int:
    """The line of the `place`-th row read (from 1), when the lines `skipped` (in order) were not read as rows."""
    line = place + 1
    while (moved := place + 1 + bisect_right(skipped, line)) != line:
        line = moved
    return line
