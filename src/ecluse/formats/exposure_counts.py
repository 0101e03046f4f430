"""The counts of an exposure as one Parquet table, long form: insurer, what is counted, of which value, how many people."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as parquet

from ecluse.exposure.answer import Exposure, InsurerExposure

SCHEMA = pa.schema({"insurer": pa.string(), "counted": pa.string(), "value": pa.string(), "people": pa.int64()})
SPREADS = ("categories", "fields", "days", "accounts", "departements")


def counts_as_parquet(exposure: Exposure) -> bytes:
    """One row a count: `displayed_at_least` and `displayed_at_most` differ where the journal has gaps; unknown is null."""
    rows = [row for part in exposure.insurers for row in _rows(part)]
    out = io.BytesIO()
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)
    parquet.write_table(table, out)
    return out.getvalue()


def _rows(part: InsurerExposure) -> Iterator[tuple[str, str, str, int | None]]:
    shown = part.displayed
    yield part.insurer, "referenced", "", part.referenced
    yield part.insurer, "reachable_at_most", "", part.reachable
    yield part.insurer, "displayed_at_least", "", shown.people.at_least
    yield part.insurer, "displayed_at_most", "", shown.people.at_most
    for name in SPREADS:
        for value, people in getattr(shown, name).items():
            yield part.insurer, name, str(value), people
