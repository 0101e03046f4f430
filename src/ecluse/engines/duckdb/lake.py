# ruff: noqa: S608 - SQL is put together from names of our files, and from values quoted as DuckDB reads them
"""The lake asked with DuckDB: views over the files that can hold the answer, then the named query."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa

from ecluse.app.ports.journal import Head, Shards
from ecluse.app.ports.lake import Covered, Parameters
from ecluse.engines.lake.asked import Asked, Signed, Source, asked, sources
from ecluse.engines.lake.columns import PERSONS as PERSONS_SCHEMA
from ecluse.engines.lake.columns import SCHEMA
from ecluse.engines.lake.export import covered
from ecluse.engines.lake.layout import ENTRIES, PERSONS, place
from ecluse.engines.lake.numbers import quoted
from ecluse.gate.admission import Admission

MEMORY = "2GB"  # a question over a year of all accounts counts tens of millions of persons; past it, it goes to disk
THREADS = 2  # of a machine that also answers; the times of docs/bench.md are of two
# Footers of files of fewer entries together are kept from one question to the next: up to 330 MB of them (20 kB a row group).
FOOTERS_KEPT_ENTRIES = 1 << 28
TRIES = 3  # an export may replace files between the look at what there is and their reading

# What a column is where no file says so.
_KINDS = {
    "int64": "BIGINT",
    "string": "VARCHAR",
    "uint32": "UINTEGER",
    "uint8": "UTINYINT",
    "bool": "BOOLEAN",
    "binary": "BLOB",
    "fixed_size_binary[16]": "BLOB",
}
_NAMED = re.compile(r"(?<!:):([a-z_]+)")


class DuckLake:
    """The `Lake` port on the folder `lake`. A connection of its own for each question; what is kept is the footers of files."""

    def __init__(self, lake: Path, shards: Shards) -> None:
        self._lake = lake
        self._signed = Signed(shards)

    @property
    def heads(self) -> list[Head]:
        """The signed heads it is asked of."""
        return self._signed.heads

    def covered(self) -> list[Covered]:
        """What the lake has, by shard."""
        return covered(self._lake)

    def ask(self, admission: Admission, query: str, parameters: Parameters) -> pa.Table:
        """What the query answers. Raises `lake_behind`, `lake_differs`, `lake_query_unknown`."""
        assert isinstance(admission, Admission)
        what = asked(query, parameters)
        for again in range(TRIES):
            found = sources(self._signed, self._lake, what)
            try:
                return self._answer(what, found)
            except duckdb.IOException:
                if again == TRIES - 1 or found == sources(self._signed, self._lake, what):
                    raise
        raise AssertionError

    @cached_property
    def _duck(self) -> duckdb.DuckDBPyConnection:
        duck = duckdb.connect(":memory:")
        duck.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}")
        duck.execute(f"SET temp_directory = '{quoted(self._lake / 'questions')}'")
        return duck

    def _answer(self, what: Asked, found: list[Source]) -> pa.Table:
        entries = _reading([path for each in found for path in each.paths(ENTRIES, each.files)], SCHEMA)
        persons = _reading([path for each in found for path in each.paths(PERSONS, each.all_files)], PERSONS_SCHEMA)
        read = sum(file.end - file.start for each in found for file in each.files)
        with self._duck.cursor() as duck:
            duck.execute(f"SET parquet_metadata_cache = {read <= FOOTERS_KEPT_ENTRIES}")
            duck.register("hours", pa.table(what.hours))
            duck.execute(f"CREATE TEMP VIEW entries AS SELECT * FROM ({entries}) WHERE {_condition(what, found)}")
            duck.execute(f"CREATE TEMP VIEW persons AS {persons}")
            return duck.sql(_NAMED.sub(r"$\1", what.text), params=what.own).to_arrow_table()


def _condition(what: Asked, found: list[Source]) -> str:
    """The window and the lists as literals: those alone are held against the zone maps of row groups.

    Indexes are compared where a file goes on past its head alone: no count reads them else.
    """
    listed = [f"{column} IN ({_texts(values)})" for column, values in what.only.items()]
    ended = [f'(shard <> {_texts([each.shard])} OR "index" < {each.end})' for each in found if each.end is not None]
    return " AND ".join([f"ts_us >= {int(what.from_us)} AND ts_us < {int(what.to_us)}", *listed, *ended])


def _reading(paths: list[str], schema: pa.Schema) -> str:
    """The rows of all files, each with the shard whose folder it is in: read shard by shard, a footer was parsed three times."""
    if paths:
        files = f"read_parquet([{_texts(paths)}], filename = true)"
        return f"SELECT split_part(filename, '/', -2) AS shard, * EXCLUDE (filename) FROM {files}"
    kinds = ", ".join(f'NULL::{_KINDS[str(one.type)]} AS "{one.name}"' for one in schema)
    return f"SELECT '' AS shard, {kinds} WHERE false"


def _texts(values: list[str]) -> str:
    return ", ".join(f"'{quoted(each)}'" for each in values)


def open_lake(directory: Path, url: str, shards: Shards) -> DuckLake:
    """The engine of `duckdb:url`, in a hub's directory."""
    return DuckLake(directory / place(url)[0], shards)
