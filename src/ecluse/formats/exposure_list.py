"""The list of one insurer's displayed members, as CSV and as Parquet: one line a person, the same columns in both.

`fields` holds the names of the fields that left, separated by spaces; `times_by_field` how often each did, in the same order.
Instants are RFC 3339, UTC. Whoever was forgotten since is in the list by their reference alone: the count stays true, and nobody
can be written to those who asked to be forgotten.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from ecluse.kernel import days

UNKNOWN = "unknown"


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One person as their insurer is told of them; `birth_rank` is 0 for a person who was forgotten."""

    member_number: str
    birth_date: str
    birth_rank: int
    reference: str
    fields: str
    first_at: str
    last_at: str
    times: int
    without_presence: int
    category: str
    times_by_field: str


COLUMNS = Row.__struct_fields__


class CsvList:
    """The list as CSV: UTF-8, comma, header, CRLF (RFC 4180)."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._text = io.TextIOWrapper(self._out, "utf-8", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(COLUMNS)

    def add(self, rows: Sequence[Row]) -> None:
        """More persons."""
        self._writer.writerows(map(msgspec.structs.astuple, rows))

    def content(self) -> bytes:
        """The whole file; nothing is added after."""
        self._text.flush()
        return self._out.getvalue()


class ParquetList:
    """The same as a Parquet file, each addition a row group."""

    def __init__(self) -> None:
        import pyarrow as pa  # a third of a second, that only who writes Parquet pays
        import pyarrow.parquet as parquet

        kinds = {field.name: field.type for field in msgspec.structs.fields(Row)}
        self._schema = pa.schema({name: pa.int64() if kinds[name] is int else pa.string() for name in COLUMNS})
        self._table = pa.table
        self._out = io.BytesIO()
        self._writer = parquet.ParquetWriter(self._out, self._schema)

    def add(self, rows: Sequence[Row]) -> None:
        """More persons; at least one."""
        columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
        self._writer.write_table(self._table(dict(zip(COLUMNS, columns, strict=True)), schema=self._schema))

    def content(self) -> bytes:
        """The whole file; nothing is added after."""
        self._writer.close()
        return self._out.getvalue()


def instant(ts_us: int) -> str:
    """An instant to the second, UTC."""
    minute, second = divmod(ts_us // 1_000_000, 60)
    return f"{_minute(minute)}:{second:02d}Z"


@lru_cache(1 << 14)  # a week has ten thousand minutes
def _minute(since_1970: int) -> str:
    return days.instant(since_1970 * 60_000_000).isoformat(timespec="minutes").removesuffix("+00:00")
