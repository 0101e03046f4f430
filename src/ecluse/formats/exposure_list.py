"""The list of one insurer's displayed members, as CSV and as Parquet: one line a person, the same columns in both.

`fields` holds the names of the fields that left, separated by spaces; `times_by_field` how often each did, in the same order.
Instants are RFC 3339, UTC. Whoever was forgotten since is in the list by their reference alone: the count stays true, and nobody
can be written to who asked to be forgotten.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from ecluse.kernel import days

UNKNOWN = "unknown"


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One person as their insurer is told of them; `birth_rank` is 0 of who was forgotten."""

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


def as_csv(rows: Iterable[Row]) -> bytes:
    """UTF-8, comma, header, CRLF (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(msgspec.structs.astuple, rows))
    return text.getvalue().encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    """The same as a Parquet file."""
    import pyarrow as pa  # a third of a second, that only who writes Parquet pays
    import pyarrow.parquet as parquet

    out = io.BytesIO()
    columns = list(zip(*map(msgspec.structs.astuple, rows), strict=True)) or [()] * len(COLUMNS)
    kinds = [pa.int64() if hint is int else pa.string() for hint in map(_kinds().get, COLUMNS)]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    parquet.write_table(pa.Table.from_arrays(arrays, names=list(COLUMNS)), out)
    return out.getvalue()


def instant(ts_us: int) -> str:
    """An instant to the second, UTC."""
    return days.instant(ts_us).isoformat(timespec="seconds").replace("+00:00", "Z")


def _kinds() -> dict[str, object]:
    return {field.name: field.type for field in msgspec.structs.fields(Row)}
