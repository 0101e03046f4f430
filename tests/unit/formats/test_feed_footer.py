"""The footer of a Parquet file: what writers write passes, what announces more than it holds does not, and cheaply."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.formats.feed.footer import FOOTER_BYTES_MAX, ROWS_ALWAYS, TAIL_BYTES, check_footer, footer_bytes
from ecluse.kernel.errors import Refused

TABLE = "SELECT i AS a, i::VARCHAR AS b, [i] AS c, {'d': i, 'e': true} AS f FROM range(50_000) _(i)"
VERSION = "15 02"  # field 1 (i32): 1
SCHEMA = "19 1c 48 01 61 15 00 00"  # field 2 (list): one struct, a name and no children
ROWS = "16 02"  # field 3 (i64): 1
EMPTY = f"{VERSION} {SCHEMA} {ROWS} 19 0c 00"  # field 4 (list): no row group

# What is wrong → the bytes of the footer.
WRONG = {
    "no byte": "",
    "no end": VERSION,
    "eight million columns": f"{VERSION} 19 fc 80 92 f4 01",
    "eight million row groups": f"{VERSION} {SCHEMA} {ROWS} 19 fc 80 92 f4 01",
    "two thousand million pairs": f"{VERSION} {SCHEMA} {ROWS} 19 0c 19 fc ff ff ff ff 07",
    "a list one longer than the rest": f"{VERSION} 19 35 02 02",
    "a set longer than the rest": f"{VERSION} 1a f5 ff ff ff ff 07",
    "a map longer than the rest": f"{VERSION} 1b ff ff ff ff 07 55",
    "a map of elements of no kind": f"{VERSION} 1b 01 00 00 00",
    "a name longer than the rest": f"{VERSION} 18 ff ff ff ff 07 61",
    "a name of minus one byte": f"{VERSION} 18 ff ff ff ff ff ff ff ff ff 01",
    "a list whose elements take no byte": f"{VERSION} 19 f0 01 00 00",
    "a value of a kind that is none": f"{VERSION} 1d 00",
    "half a number": f"{VERSION} 17 00 00 00 00",
    "a number without end": f"{VERSION} 16 ff ff ff ff ff ff ff ff ff ff ff ff 01 00",
    "row groups that are numbers": f"{VERSION} {SCHEMA} {ROWS} 19 15 02 00",
    "a row group of minus one row": f"{VERSION} {SCHEMA} {ROWS} 19 1c 36 01 00 00",
    "structs in structs": f"{VERSION} {'1c ' * 40}{'00 ' * 41}",
    "lists in lists": f"{VERSION} {'19 19 ' * 40}{'00 ' * 41}",
    "more columns than a file has, each of one byte": f"{VERSION} 19 fc e0 a7 12 {'00 ' * 300_000} 00",
    "more row groups than a file has, each of one byte": f"{VERSION} {SCHEMA} {ROWS} 19 fc e0 a7 12 {'00 ' * 300_000} 00",
    "more columns than a file has, in lists of ten": f"{VERSION} {('19 ac ' + '00 ' * 10) * 30_000} 00",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_announces_more_than_it_holds_is_refused(name: str) -> None:
    footer = bytes.fromhex(WRONG[name])
    tracemalloc.start()
    with pytest.raises(Refused, match="parquet_unreadable"):
        check_footer(footer, 1 << 40)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (
        peak < 1_000_000
    )  # of this process: what another thread does meanwhile, too; believed, it would be a gigabyte


def test_an_empty_footer_passes() -> None:
    check_footer(bytes.fromhex(EMPTY), 100)


@pytest.mark.parametrize(("rows", "size", "refused"), [(1, 20, False), (ROWS_ALWAYS, 20, False), (ROWS_ALWAYS + 1, 20, True),
                                                       (50_000, 50_000, False), (50_001, 50_000, True)])  # fmt: skip
def test_rows_need_bytes(rows: int, size: int, refused: bool) -> None:
    """Those of the row groups together, whatever the file says of itself."""
    half = rows // 2
    groups = "".join(f"36 {varint(each << 1)} 00 " for each in (half, rows - half))
    footer = bytes.fromhex(f"{VERSION} {SCHEMA} {ROWS} 19 2c {groups} 00")
    if refused:
        with pytest.raises(Refused, match="file_too_dense"):
            check_footer(footer, size)
    else:
        check_footer(footer, size)


def varint(value: int) -> str:
    low, high = value & 0x7F, value >> 7
    return f"{low | 0x80:02x} {varint(high)}" if high else f"{low:02x}"


@pytest.mark.parametrize("options", ["", ", ROW_GROUP_SIZE 2048", ", PARQUET_VERSION v2", ", KV_METADATA {k: 'v'}"])
def test_what_duckdb_writes_passes(tmp_path: Path, options: str) -> None:
    path = tmp_path / "f.parquet"
    with duckdb.connect() as duck:
        duck.execute(f"COPY ({TABLE}) TO '{path}' (FORMAT parquet{options})")
    held(path.read_bytes())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"row_group_size": 1000},
        {"write_page_index": True},
        {"write_page_checksum": True},
        {"data_page_version": "2.0"},
        {"sorting_columns": [pq.SortingColumn(0)]},
        {"compression": "zstd", "store_schema": False},
    ],
)
def test_what_pyarrow_writes_passes(tmp_path: Path, options: dict[str, object]) -> None:
    table = pa.table({"a": range(50_000), "b": [str(each) for each in range(50_000)], "c": [[1.5, None]] * 50_000})
    pq.write_table(table, tmp_path / "f.parquet", **options)
    held((tmp_path / "f.parquet").read_bytes())


def held(content: bytes) -> None:
    length = footer_bytes(content[-TAIL_BYTES:], len(content))
    check_footer(content[-TAIL_BYTES - length : -TAIL_BYTES], len(content))


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"PAR1",
        b"\x00\x00\x00\x00PAR1",
        b"\x01\x00\x00\x00PARE",
        b"\xff\xff\xff\xffPAR1",
        b"\x59\x00\x00\x00PAR1",
        (FOOTER_BYTES_MAX + 1).to_bytes(4, "little") + b"PAR1",
    ],
)
def test_a_footer_that_cannot_be_there_is_refused(tail: bytes) -> None:
    with pytest.raises(Refused, match="parquet_unreadable"):
        footer_bytes(tail, 1 << 30 if len(tail) == TAIL_BYTES and tail[2] else 100)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(footer: bytes) -> None:
    with suppress(Refused):
        check_footer(footer, 1 << 40)
