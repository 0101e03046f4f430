"""The counts of an exposure as one Parquet table, long form: insurer, what is counted, of which value, how many people."""

from __future__ import annotations

import io
from collections.abc import Iterator

from ecluse.exposure.answer import Exposure, InsurerExposure

COLUMNS = ("insurer", "counted", "value", "people")
SPREADS = ("categories", "fields", "days", "accounts", "departements")


def counts_as_parquet(exposure: Exposure) -> bytes:
    """One row a count: `displayed_at_least` and `displayed_at_most` differ where the journal has gaps; unknown is null."""
    import pyarrow as pa  # a third of a second, that only who writes Parquet pays
    import pyarrow.parquet as parquet

    rows = [row for part in exposure.insurers for row in _rows(part)]
    out = io.BytesIO()
    schema = pa.schema([(name, pa.int64() if name == "people" else pa.string()) for name in COLUMNS])
    table = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema)
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
