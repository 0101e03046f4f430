"""Parquet files whose bytes follow from their rows alone: one thread, one version of pyarrow, row groups of one size.

An account's rows are together, so that the statistics of a row group (zone maps) leave out most groups of a wide file. What
repeats has a dictionary, times are differences. Only texts that a count never reads are compressed: unpacking the rest
took a third of a question's time, and dictionaries and differences leave it little to save.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecluse.engines.durable import PART, sync
from ecluse.engines.lake.columns import PERSONS, SCHEMA

# Fifty accounts touch a fifth of the groups of 2^22 entries: 3.4 times faster than groups of 2^17.
GROUP_ROWS = (
    1 << 14
)  # 128 groups in a wide file: fifty accounts of 300 000 touch a third of them; fewer would be no zone map
PERSONS_GROUP_ROWS = 1 << 20
WRITER = f"pyarrow {pa.__version__}"

_DICTIONARY = ["account", "practice", "insurer", "operation", "presence", "fields", "outcome", "network", "software"]
_COMPRESSED = frozenset({"index", "engagement", "request", "session"})
_DIFFERENCES = ["ts_us"]
_MEASURED = ["index", "ts_us", "account", "practice", "insurer", "person", "fields", "session"]  # zone maps
_DICTIONARY_BYTES = 8 << 20  # a group's accounts fit, were they all different


def write_entries(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write rows of `SCHEMA`, already in order. On disk when it returns, under its own name."""
    _write(path, SCHEMA, _grouped(tables, GROUP_ROWS), _DICTIONARY, _MEASURED)


def write_persons(path: Path, tables: Iterable[pa.Table]) -> None:
    """The same with rows of `PERSONS`."""
    _write(path, PERSONS, _grouped(tables, PERSONS_GROUP_ROWS), ["insurer"], ["person", "insurer", "first_ts_us"])


def _write(
    path: Path, schema: pa.Schema, groups: Iterable[pa.Table], dictionary: list[str], measured: list[str]
) -> None:
    part = path.with_name(path.name + PART)
    with pq.ParquetWriter(
        part,
        schema,
        compression={name: "ZSTD" if name in _COMPRESSED else "NONE" for name in schema.names},
        use_dictionary=dictionary,
        column_encoding={name: "DELTA_BINARY_PACKED" for name in _DIFFERENCES if name in schema.names},
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        write_statistics=measured,
        store_schema=False,
    ) as writer:
        for group in groups:
            writer.write_table(group.cast(schema), row_group_size=group.num_rows)
    sync(part)
    part.replace(path)
    sync(path.parent)


def _grouped(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows, `rows` at a time, however they came."""
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += table.num_rows
        while count >= rows:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, rows).combine_chunks()
            waiting, count = [whole.slice(rows)], count - rows
    if count:
        yield pa.concat_tables(waiting).combine_chunks()
