"""What others would do first: a table of PostgreSQL that every access goes into, indexed by account and time, and by person."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from bench.postgres import server

_TABLE = """
CREATE TABLE audit (ts_us bigint, account text, practice text, insurer text, reference bytea, operation text, presence smallint,
                    fields bigint, outcome text, engagement text, request text, network text, software text, session text);
"""
_INDEXES = """
CREATE INDEX ON audit (account, ts_us);
CREATE INDEX ON audit (insurer, reference);
ANALYZE audit;
"""
_ASKED = """
SELECT insurer, reference, bit_or(fields), min(ts_us), max(ts_us), count(*)
FROM audit WHERE ts_us >= %(from_us)s AND ts_us < %(to_us)s AND account = ANY(%(accounts)s) AND fields <> 0
GROUP BY insurer, reference
"""
COLUMNS = (
    "ts_us, account, practice, insurer, '\\x' || hex(reference) AS reference, "
    "operation, presence, fields, outcome, engagement, request, network, software, session"
)


def compared(files: list[str], asked: dict[str, Any], place: Path, runs: int) -> dict[str, Any]:
    """Load these entries, in the order of time as they would have come; seconds of the question, bytes a row."""
    import psycopg

    lines = place / "audit.csv"
    duckdb.sql(
        f"COPY (SELECT {COLUMNS} FROM read_parquet({files}) ORDER BY index) TO '{lines}' (FORMAT csv, HEADER false)"
    )
    with server() as socket, psycopg.connect(f"host={socket} port=5432 user=postgres", autocommit=True) as base:
        began_s = time.perf_counter()
        base.execute(_TABLE)
        with lines.open("rb") as read, base.cursor().copy("COPY audit FROM STDIN (FORMAT csv)") as copy:
            while block := read.read(1 << 20):
                copy.write(block)
        base.execute(_INDEXES)
        loaded_s = time.perf_counter() - began_s
        times_s, rows = [], 0
        for _ in range(runs):
            began_s = time.perf_counter()
            rows = len(base.execute(_ASKED, asked).fetchall())
            times_s.append(time.perf_counter() - began_s)
        size = base.execute("SELECT pg_total_relation_size('audit')").fetchone()
        count = base.execute("SELECT count(*) FROM audit").fetchone()
    lines.unlink()
    assert size
    assert count
    return {
        "persons": rows,
        "warm_s": round(median(times_s), 4),
        "loaded_s": round(loaded_s, 1),
        "bytes_a_row": round(size[0] / count[0]),
    }
