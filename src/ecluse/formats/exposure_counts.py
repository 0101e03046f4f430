"""The counts of an exposure as one Parquet table, long form: insurer, what is counted, of which value, of how many, how often."""

from __future__ import annotations

import io
from collections.abc import Iterator

from ecluse.exposure.answer import Exposure, InsurerExposure

COLUMNS = ("insurer", "counted", "value", "people", "times")
NUMBERS = ("people", "times")
SPREADS = ("categories", "fields", "days", "accounts", "departements")


def counts_as_parquet(exposure: Exposure) -> bytes:
    """One row a count: `displayed_at_least` and `displayed_at_most` differ where the journal has gaps; unknown is null.

    `times`: how many entries of the journal told it, of everybody displayed (at least) and of each field; else null.
    """
    import pyarrow as pa  # a third of a second, that only who writes Parquet pays
    import pyarrow.parquet as parquet

    rows = [row for part in exposure.insurers for row in _rows(part)]
    out = io.BytesIO()
    schema = pa.schema([(name, pa.int64() if name in NUMBERS else pa.string()) for name in COLUMNS])
    table = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema)
    parquet.write_table(table, out)
    return out.getvalue()


def _rows(part: InsurerExposure) -> Iterator[tuple[str, str, str, int | None, int | None]]:
    shown = part.displayed
    yield part.insurer, "referenced", "", part.referenced, None
    yield part.insurer, "reachable_at_most", "", part.reachable, None
    yield part.insurer, "displayed_at_least", "", shown.people.at_least, shown.times
    yield part.insurer, "displayed_at_most", "", shown.people.at_most, None
    for name in SPREADS:
        for value, people in getattr(shown, name).items():
            times = shown.disclosures.get(value) if name == "fields" else None
            yield part.insurer, name, str(value), people, times
