"""The list of an insurer's displayed members: the same rows in both files, however many came at a time."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from ecluse.formats.exposure_list import COLUMNS, CsvList, ParquetList, Row, instant

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
COUNTS = st.integers(0, 2**40)
ROWS = st.builds(Row, WORDS, WORDS, COUNTS, WORDS, WORDS, WORDS, WORDS, COUNTS, COUNTS, WORDS)


@given(st.lists(st.lists(ROWS, min_size=1, max_size=3), max_size=3))
def test_both_files_hold_the_same_rows_however_they_came(blocks: list[list[Row]]) -> None:
    as_csv, as_parquet = CsvList(), ParquetList()
    for block in blocks:
        as_csv.add(block)
        as_parquet.add(block)
    rows = [astuple(row) for block in blocks for row in block]
    header, *lines = csv.reader(io.StringIO(as_csv.content().decode(), newline=""))
    table = pq.read_table(io.BytesIO(as_parquet.content()))
    assert (tuple(header), table.column_names) == (COLUMNS, list(COLUMNS))
    assert [tuple(line) for line in lines] == [tuple(map(str, row)) for row in rows]
    assert [tuple(row.values()) for row in table.to_pylist()] == rows


@given(st.integers(0, 4_000_000_000_000_000))
def test_an_instant_is_written_to_the_second_that_has_begun(ts_us: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts_us)
    assert instant(ts_us) == at.strftime("%Y-%m-%dT%H:%M:%SZ")
