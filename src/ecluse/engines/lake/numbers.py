# ruff: noqa: S608 - SQL is put together from names of our own
"""Persons numbered by their first appearance in a shard: joins with a bound on memory, never all persons in a dictionary.

33 million persons would be 4 GB of Python. DuckDB holds the new entries and lets the persons seen before stream past.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from ecluse.engines.lake.columns import ORDER, PERSONS, SCHEMA

MEMORY = "600MB"  # what does not fit goes to a temporary folder beside the lake
THREADS = 1  # an export runs beside a hub that answers

_SEEN = """
CREATE OR REPLACE TEMP TABLE seen AS
SELECT insurer, reference, min("index") AS first_at, arg_min(ts_us, "index") AS first_ts_us,
       min("index") FILTER (WHERE who IS NOT NULL) AS who_at, arg_min(who, "index") FILTER (WHERE who IS NOT NULL) AS who
FROM fresh WHERE reference IS NOT NULL GROUP BY insurer, reference
"""
_KNOWN = """
CREATE OR REPLACE TEMP TABLE known AS
SELECT insurer, reference, max(kept.person) AS person, bool_or(kept.has_who) AS has_who
FROM kept JOIN seen USING (insurer, reference) GROUP BY insurer, reference
"""
_NUMBERED = """
CREATE OR REPLACE TEMP TABLE numbered AS
SELECT seen.*, known.person IS NULL AS is_new, coalesce(known.has_who, false) AS has_who,
       CAST(coalesce(known.person, $persons + row_number() OVER (PARTITION BY known.person IS NULL ORDER BY first_at))
            AS UINTEGER) AS person
FROM seen LEFT JOIN known USING (insurer, reference)
"""
_ENTRIES = """
SELECT fresh.* EXCLUDE (who), coalesce(numbered.person, 0::UINTEGER) AS person
FROM fresh LEFT JOIN numbered USING (insurer, reference)
"""
# A row where somebody is seen first, and one where their `who` is: the same row when that is the same entry.
_PERSONS = """
SELECT first_at AS at, person, insurer, reference, NULL::BLOB AS who, false AS has_who, first_ts_us FROM numbered WHERE is_new
UNION ALL
SELECT who_at, person, insurer, reference, who, true, NULL FROM numbered WHERE who_at IS NOT NULL AND NOT has_who
"""
_MERGED = """
SELECT person, any_value(insurer) AS insurer, any_value(reference) AS reference, any_value(who) AS who,
       bool_or(has_who) AS has_who, any_value(first_ts_us) AS first_ts_us
FROM pieces GROUP BY person ORDER BY person
"""
_COLUMNS, _ORDER = (", ".join(f'"{name}"' for name in names) for names in (SCHEMA.names, ORDER))
_SORTED = f"SELECT {_COLUMNS} FROM pieces ORDER BY {_ORDER}"


class Numbers:
    """DuckDB put to the three joins and sorts of an export."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        self._duck = duck

    def number(self, fresh: pa.Table, kept: Sequence[Path], persons: int) -> tuple[pa.Table, pa.Table]:
        """The entries with their persons' numbers, and the rows to add to the persons, each with the entry `at` which it came.

        `kept`: the persons' files so far, of `persons` persons.
        """
        duck = self._duck
        duck.register("fresh", fresh)
        self._view("kept", kept, PERSONS.empty_table())
        for step in (_SEEN, _KNOWN):
            duck.execute(step)
        duck.execute(_NUMBERED, {"persons": persons})
        found = duck.sql(_ENTRIES).to_arrow_table(), duck.sql(_PERSONS).to_arrow_table()
        duck.unregister("fresh")
        duck.execute("DROP TABLE seen; DROP TABLE known; DROP TABLE numbered")
        return found

    def merged(self, files: Sequence[Path], more: pa.Table) -> Iterator[pa.Table]:
        """The persons of these files and those rows, in the order of their numbers, each once."""
        return self._pieces(_MERGED, files, more.select(PERSONS.names))

    def sorted(self, files: Sequence[Path], more: pa.Table) -> Iterator[pa.Table]:
        """The entries of these files and those rows, in the lake's order."""
        return self._pieces(_SORTED, files, more.select(SCHEMA.names))

    def _pieces(self, query: str, files: Sequence[Path], more: pa.Table) -> Iterator[pa.Table]:
        self._view("pieces", files, more)
        for batch in self._duck.sql(query).to_arrow_reader(1 << 16):
            yield pa.Table.from_batches([batch])

    def _view(self, name: str, files: Sequence[Path], more: pa.Table) -> None:
        """The rows of these files and those of `more`, under a name."""
        self._duck.register(f"more_{name}", more)
        listed = ", ".join(f"'{quoted(each)}'" for each in files)
        kept = f" UNION ALL SELECT * FROM read_parquet([{listed}])" if files else ""
        self._duck.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM more_{name}{kept}")


@contextmanager
def numbers(folder: Path) -> Iterator[Numbers]:
    """A `Numbers` until the end of the block; what does not fit in memory goes to a folder in `folder`."""
    with TemporaryDirectory(prefix="sorting-", dir=folder) as spill, duckdb.connect(":memory:") as duck:
        duck.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}")
        duck.execute("SET preserve_insertion_order = false")
        duck.execute(f"SET temp_directory = '{quoted(spill)}'")
        yield Numbers(duck)


def quoted(text: object) -> str:
    """A text as it stands between the quotes of DuckDB's SQL."""
    return str(text).replace("'", "''")
