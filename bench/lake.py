"""How fast the lake tells who was shown: fifty accounts, in seven days or in all there is; the naive ways beside it.

    python -m bench.lake --rows 100000000 --keep [--open] [--writers 3]

The lake is written by its own writer, straight from seeded numbers: 33 million members of 40 insurers, 300 000 accounts of
which few ask much, hours of the day as practices are open. Four months of some writers, frozen, as all months but the
running one are (`--open`: cut as that one is); what the writers after the first hold are links to its files, so that a
thousand million rows take little disk: the work of reading them is whole, their place in the page cache is not.
Cold: the files were put out of the page cache; warm: the median of the runs after. Processor seconds are told too: others on
the machine take nothing from them. Beside it, with fewer rows (how many is said), the same in each: a PostgreSQL audit table with
its indexes, and lines of JSON searched as a log is.
Budgets at 100 million rows: 0.5 s for fifty accounts in seven days, 0.5 s by insurer and field, 3 s over all rows by insurer;
at 1 000 million rows 1 s in seven days, 12 s over all rows.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa
from msgspec.structs import replace

from bench.peers import audit_log, audit_table
from bench.results import keep
from ecluse.app.ports.journal import Head
from ecluse.engines.duckdb.lake import DuckLake
from ecluse.engines.lake.columns import PERSONS as PERSONS_SCHEMA
from ecluse.engines.lake.columns import SCHEMA
from ecluse.engines.lake.export import commit, read_state
from ecluse.engines.lake.layout import COVERED, ENTRIES, PERSONS, WIDTHS, File, Range, State, ranges
from ecluse.engines.lake.parquet import WRITER, write_entries, write_persons
from ecluse.gate.admission import Admission, Request
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Operation

BUDGETS_S = {"displayed, 7 days": 0.5, "by insurer and field, 7 days": 0.5, "by insurer, all rows": 3.0}
BUDGETS_LARGE_S = {"displayed, 7 days": 1.0, "by insurer, all rows": 12.0}
LARGE_ROWS = 1_000_000_000
RUNS = 5
MONTHS = 4
MEMBERS, ACCOUNTS, INSURERS = 33_000_000, 300_000, 40
DAY_US = 86_400 * 1_000_000
START_US = 1_767_225_600_000_000  # 2026-01-01
MONTH_US = 365 * DAY_US // 12
ENDS_US = START_US + MONTHS * MONTH_US + DAY_US
ASKED = [f"rpps:{10_000_000_000 + 5_987 * n}" for n in range(50)]  # spread over busy and quiet ones
ADMISSION = Admission(
    Request(Account("operator"), "exp_1"), Operation.EXPOSURE_ASKED, "exp_1", Presence.TYPED, datetime.now(UTC)
)

# One month. `account` falls off as a square, so that the busiest tenth asks a third; hours are those of open practices, UTC.
_ROWS = """
CREATE OR REPLACE TABLE rows AS
SELECT i AS "index",
       $start + CAST(floor(i * ({month} / {rows}.0)) AS BIGINT) // {day} * {day}
           + (7 + (h1 % 12)) * 3600000000 + h2 % 3600000000 AS ts_us,
       'rpps:' || (10000000000 + CAST(floor({accounts} * power((h3 % 1000003) / 1000003.0, 2)) AS BIGINT)) AS account,
       member, 1 + member % {insurers} AS insurer_number, h4 % 4 AS op, (h5 % 10)::UTINYINT AS p, h1, h2
FROM (
    SELECT i, CAST(hash(i, $seed, 0) >> 1 AS BIGINT) AS h1, CAST(hash(i, $seed, 1) >> 1 AS BIGINT) AS h2,
           CAST(hash(i, $seed, 2) >> 1 AS BIGINT) AS h3, CAST(hash(i, $seed, 3) >> 1 AS BIGINT) AS h4,
           CAST(hash(i, $seed, 4) >> 1 AS BIGINT) AS h5,
           CAST(hash(i, $seed, 5) >> 1 AS BIGINT) % {members} AS member
    FROM range({rows}) AS given(i)
)
"""
_NUMBERED = """
CREATE OR REPLACE TABLE numbers AS
SELECT member, CAST(row_number() OVER (ORDER BY first_at) AS UINTEGER) AS person, first_at, first_ts_us
FROM (SELECT member, min("index") AS first_at, arg_min(ts_us, "index") AS first_ts_us FROM rows GROUP BY member)
"""
_REFERENCE = "unhex(md5('r' || {member}))"
_ENTRIES = """
SELECT "index", ts_us, account, '37' || lpad(CAST(hash(account) % 9000000 AS VARCHAR), 7, '0') AS practice,
       '00751' || lpad(CAST(insurer_number AS VARCHAR), 5, '0') AS insurer, person, {reference} AS reference,
       CASE op WHEN 0 THEN 'quote' WHEN 1 THEN 'claim' ELSE 'rights_check' END AS operation,
       CASE WHEN p = 0 THEN 2 WHEN p < 3 THEN 1 ELSE 0 END AS presence,
       CASE op WHEN 0 THEN 192 WHEN 1 THEN 577 ELSE 63 END AS fields,
       CASE op WHEN 1 THEN 'accepted' ELSE 'confirmed' END AS outcome,
       CASE WHEN op > 0 THEN 'E' || lpad(CAST(h1 AS VARCHAR), 19, '0') ELSE '' END AS engagement,
       'chk_' || lpad(CAST(h2 AS VARCHAR), 19, '0') AS request,
       '192.0.' || CAST(hash(account) % 250 AS VARCHAR) || '.0/24' AS network,
       'software-' || CAST(hash(account) % 40 AS VARCHAR) AS software,
       's' || CAST(hash(account, ts_us // {day}) % 1000000007 AS VARCHAR) AS session
FROM rows JOIN numbers USING (member)
WHERE "index" >= $first AND "index" < $last
ORDER BY account, ts_us, "index"
"""
_PERSONS = """
SELECT person, '00751' || lpad(CAST(1 + member % {insurers} AS VARCHAR), 5, '0') AS insurer, {reference} AS reference,
       unhex(md5('w' || member) || md5('x' || member)) AS who, true AS has_who, first_ts_us
FROM numbers WHERE first_at >= $first AND first_at < $last ORDER BY person
"""


class Written:
    """The heads of the shards that were written; nothing follows them."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes

    def heads(self) -> list[Head]:
        """Every shard, by name."""
        return [Head(name, size, "", is_frozen=True) for name, size in self.sizes.items()]

    def entries(self, shard: str, start: int, end: int) -> Iterator[bytes]:
        """No lake is behind here."""
        raise AssertionError(shard, start, end)


def write(lake: Path, rows: int, writers: int, seed: int, *, is_frozen: bool) -> Written:
    """Some months of `rows` entries; drawn for one writer, and linked for the others, who were asked about the same people."""
    size = rows // MONTHS // writers
    names = []
    for month in range(MONTHS):
        drawn = lake / f"2026-{month + 1:02d}-w0"
        write_shard(drawn, size, START_US + month * MONTH_US, seed + month, is_frozen=is_frozen)
        names += [drawn.name, *(link(drawn, f"{drawn.name[:-1]}{writer}") for writer in range(1, writers))]
    return Written(dict.fromkeys(names, size))


def link(drawn: Path, name: str) -> str:
    """The same files as a shard of that name."""
    shutil.copytree(drawn, drawn.with_name(name), copy_function=os.link)
    (drawn.with_name(name) / COVERED).unlink()
    commit(drawn.with_name(name), replace(read_state(drawn), shard=name))
    return name


def write_shard(folder: Path, size: int, start_us: int, seed: int, *, is_frozen: bool) -> None:
    """One month: rows drawn, persons numbered as they first appear, files as an export leaves them."""
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "drawn.db")) as duck:
        duck.execute(
            "SET memory_limit = '3GB'; SET threads = 2; SET preserve_insertion_order = false; SET enable_progress_bar = false"
        )
        given: dict[str, Any] = {
            "rows": size,
            "accounts": ACCOUNTS,
            "members": MEMBERS,
            "insurers": INSURERS,
            "month": MONTH_US,
        }
        given |= {"day": DAY_US, "reference": _REFERENCE.format(member="member")}
        duck.execute(_ROWS.format(**given), {"start": start_us, "seed": seed})
        duck.execute(_NUMBERED)
        files = [
            _write_range(duck, folder, each, given) for each in ranges(0, size, WIDTHS[:1] if is_frozen else WIDTHS)
        ]
        persons = duck.sql("SELECT count(*) FROM numbers").fetchall()[0][0]
    for each in folder.glob("drawn.db*"):
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    commit(folder, State(folder.name, size, 0, persons, "", is_frozen, tuple(files), WRITER))


def _write_range(duck: duckdb.DuckDBPyConnection, folder: Path, made: Range, given: dict[str, Any]) -> File:
    span = {"first": made.start, "last": made.end}
    for kind, query, writer, schema in (
        (ENTRIES, _ENTRIES, write_entries, SCHEMA),
        (PERSONS, _PERSONS, write_persons, PERSONS_SCHEMA),
    ):
        reader = duck.sql(query.format(**given), params=span).to_arrow_reader(1 << 16)
        writer(folder / made.name(kind), (pa.Table.from_batches([batch]).select(schema.names) for batch in reader))
    times = 'SELECT min(ts_us), max(ts_us) FROM rows WHERE "index" >= $first AND "index" < $last'
    return File(made.start, made.end, *duck.sql(times, params=span).fetchall()[0])


def week(rows_from_us: int = START_US + 40 * DAY_US) -> dict[str, Any]:
    """Seven days in February, the fifty accounts."""
    return {"from_us": rows_from_us, "to_us": rows_from_us + 7 * DAY_US, "accounts": ASKED}


QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "displayed, 7 days": ("displayed", week()),
    "by insurer and field, 7 days": ("displayed_by_insurer_and_field", week()),
    "by insurer, all rows": ("displayed_by_insurer", {"from_us": 0, "to_us": 2**62, "accounts": ASKED}),
    "by day, all rows": (
        "exposed_days",
        {"from_us": START_US, "to_us": ENDS_US, "accounts": ASKED},
    ),
    "by insurer, all accounts, 7 days": ("displayed_by_insurer", week() | {"accounts": []}),
}


def timed(ask: Callable[[], int]) -> tuple[float, int]:
    """Seconds, and what was found."""
    began_s = time.perf_counter()
    found = ask()
    return time.perf_counter() - began_s, found


def forget(folder: Path) -> None:
    """Put the files out of the page cache."""
    for each in folder.rglob("*.parquet"):
        file = os.open(each, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def ask_all(lake: Path, written: Written) -> dict[str, dict[str, Any]]:
    """Every question, cold once and warm `RUNS` times."""
    engine, found = DuckLake(lake, written), {}
    for name, (query, asked) in QUESTIONS.items():
        ask = partial(_rows, engine, query, asked)
        forget(lake)
        cold_s, rows = timed(ask)
        began_s = time.process_time()
        warm_s = median(timed(ask)[0] for _ in range(RUNS))
        cpu_s = (time.process_time() - began_s) / RUNS
        found[name] = {"cold_s": round(cold_s, 3), "warm_s": round(warm_s, 3), "cpu_s": round(cpu_s, 3), "rows": rows}
        print(
            f"  {name}: cold {cold_s:.2f} s, warm {warm_s:.3f} s, {cpu_s:.3f} s of processor ({rows:,} rows)",
            flush=True,
        )
    return found


def _rows(engine: DuckLake, query: str, asked: dict[str, Any]) -> int:
    found: int = engine.ask(ADMISSION, query, asked).num_rows
    return found


def measure(given: argparse.Namespace, place: Path) -> dict[str, Any]:
    """Write, ask, compare."""
    lake, rows, naive_rows = place / "lake", given.rows, given.naive_rows
    budgets_s = BUDGETS_LARGE_S if rows >= LARGE_ROWS else BUDGETS_S
    loads = [os.getloadavg()[0]]
    began_s = time.perf_counter()
    written = write(lake, rows, given.writers, given.seed, is_frozen=not given.open)
    wrote_s = time.perf_counter() - began_s
    entries = sum(each.stat().st_size for each in lake.rglob("entries-*"))
    persons = sum(each.stat().st_size for each in lake.rglob("persons-*"))
    print(
        f"lake: {rows:,} rows in {wrote_s:.0f} s, {entries / rows:.1f} + {persons / rows:.1f} bytes a row", flush=True
    )
    loads.append(os.getloadavg()[0])
    found = ask_all(lake, written)
    loads.append(os.getloadavg()[0])
    print(f"load before writing, before asking, after: {', '.join(f'{each:.1f}' for each in loads)}", flush=True)
    peers = naive(naive_rows, place) if naive_rows else {}
    return {
        "name": "lake",
        "rows": rows,
        "writers": given.writers,
        "is_frozen": not given.open,
        "entries_bytes_a_row": round(entries / rows, 1),
        "persons_bytes_a_row": round(persons / rows, 1),
        "written_s": round(wrote_s),
        "runs": RUNS,
        "budgets_s": budgets_s,
        "questions": found,
        "loads": [round(each, 1) for each in loads],
        "held": all(found[name]["warm_s"] <= budget_s for name, budget_s in budgets_s.items()),
        "peers": peers,
    }


def naive(rows: int, place: Path) -> dict[str, Any]:
    """Seven days of fifty accounts in a month of `rows` entries: by the lake, by a table of PostgreSQL, by a search of lines."""
    name, small = "2026-02-w0", place / "small"
    write_shard(small / name, rows, START_US + MONTH_US, 6, is_frozen=True)
    engine = DuckLake(small, Written({name: rows}))
    asked = {"from_us": START_US + MONTH_US, "to_us": START_US + MONTH_US + 7 * DAY_US, "accounts": ASKED}
    ours_s = [timed(lambda: engine.ask(ADMISSION, "displayed", asked).num_rows) for _ in range(RUNS)]
    files = [str(each) for each in sorted((small / name).glob("entries-*"))]
    found = {"rows": rows, "ours_s": round(median(s for s, _ in ours_s), 4), "persons": ours_s[0][1]}
    for peer in (audit_table, audit_log):
        told = peer.compared(files, asked, place, RUNS)
        assert told.get("persons", found["persons"]) == found["persons"], "they count the same persons"
        found[peer.__name__.rpartition(".")[2]] = told
        print(f"  {peer.__name__}: {told}", flush=True)
    return found


def main() -> int:
    """Print the measure; exit code 1 when a budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    parser.add_argument("--rows", type=int, default=6_000_000, help="entries in the lake")
    parser.add_argument("--naive-rows", type=int, default=1_000_000, help="entries that the naive ways get; 0 for none")
    parser.add_argument(
        "--writers", type=int, default=3, help="writing processes, whose shards are links to the first's"
    )
    parser.add_argument("--open", action="store_true", help="files cut as those of the running month")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--place", type=Path, help="where the files go; a temporary folder else")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results/")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecluse-lake-", dir=given.place) as place:
        found = measure(given, Path(place))
    if given.keep:
        keep(f"lake-{given.rows}" + ("-open" if given.open else ""), found)
    if given.json:
        print(json.dumps(found))
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
