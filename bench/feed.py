"""How many rows of a member file one core takes in: read, checked, pseudonymised, sealed, sorted, answering.

On an envelope: 33 million people, 50,000 rows/s, 11 minutes: a national file of every insurer fits in a night with room
to spare. A row costs one survey (0.3 µs), twenty checks in DuckDB (2), a read into Python (1.6), two HMACs (2), one seal
(1.5), two staged rows (3) and two built ones (2): about 13 µs, 75,000 rows/s. On disk 210 bytes a row, written twice:
14 GB for 33 million, two minutes of a plain disk, beside the work.
Budget: 50,000 rows/s of CPU, 1 GiB of memory at 33 million rows.

Beside it, in the same run and with the same keys, a naive peer: the csv module, checks in Python, `executemany` into one
SQLite table with its primary key. It checks less (no days, no lines, no overlaps, no limits) and cannot be killed.

On PostgreSQL (`--store postgresql`) the tables are made by COPY on a server of its own on the same two cores. Budget: 30,000
rows/s of the wall's clock.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import msgspec

from bench.members import AMC, PRODUCT, PRODUCT_YAML, member, write_feed
from bench.postgres import server, url
from bench.results import keep
from ecluse.app.feeds import Order, journalled, load_file
from ecluse.app.ports import Keys
from ecluse.app.products import load_product
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.rights_files import RightsFiles
from ecluse.formats.feed.file import Mode
from ecluse.kernel.ids import nir
from ecluse.rights.person import member_message, nir_message, right_about
from ecluse.wiring import init_hub, open_hub

BUDGET_ROWS_PER_S = 50_000
BUDGET_SERVER_ROWS_PER_S = 30_000  # on the wall's clock: the server works beside us
BUDGET_MIB = 1_024
BUDGET_READ_US = 15
LOOKS = 20_000
PEER_ROWS_MAX = 1_000_000  # the peer's table outgrows memory: past this it only gets slower


class Measured(msgspec.Struct):
    """One load: wall and CPU seconds, peak memory of its process, CPU seconds by step."""

    rows: int
    wall_s: float
    cpu_s: float
    peak_mib: int
    steps: dict[str, float]
    read_us: float = 0.0


def ours(folder: Path, file: Path, store: str) -> Measured:
    """The whole use case on a real hub; `store` is the URL of a server, or empty for the embedded one."""
    if store:
        os.environ["ECLUSE_STORE_URL"] = store
    hub_dir = folder / "hub"
    init_hub(hub_dir)
    steps: dict[str, float] = {}
    current, since_s = "reading", time.process_time()

    def told(step: str, *_: int) -> None:
        nonlocal current, since_s
        now_s = time.process_time()
        steps[current] = steps.get(current, 0.0) + now_s - since_s
        current, since_s = step, now_s

    with open_hub(hub_dir) as hub:
        hub.run(load_product(hub, AMC, PRODUCT_YAML.encode()))
        begun, cpu = time.perf_counter(), time.process_time()
        with hub.feeds.files.at(file) as opened:
            feed = hub.run(load_file(hub, opened, Order(AMC, Mode.FULL), journalled(hub), told))
        wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
        assert feed.state == "loaded", feed
        told("end")
        made = Measured(feed.counts.rows, wall_s, cpu_s, _peak_mib(), steps)
        if not store:
            files = RightsFiles(hub_dir / "rights", Database(hub_dir / "hub.db"))
            made.read_us = _read_us(files, hub.keys, feed.counts.rows)
        return made


def _read_us(files: RightsFiles, keys: Keys, rows: int) -> float:
    """Microseconds of a warm look-up, the generation's name read each time."""
    drawn = random.Random(1)
    asked = [nir_message(*member(drawn.randrange(rows)), 1) for _ in range(LOOKS)]
    wanted = [(key,) for key in keys.pseudonyms(AMC, asked, 1)]
    for _ in range(2):
        begun = time.perf_counter()
        for key in wanted:
            assert files.read(AMC, key)[1]
    return (time.perf_counter() - begun) / LOOKS * 1e6


def naive(folder: Path, file: Path) -> Measured:
    """What one would write first."""
    init_hub(folder / "peer")
    with open_hub(folder / "peer") as hub, file.open(newline="") as text:
        hub.keys.create(AMC)
        begun, cpu = time.perf_counter(), time.process_time()
        table = sqlite3.connect(folder / "naive.db")
        table.execute("CREATE TABLE rights (person BLOB, contract TEXT, sealed BLOB, PRIMARY KEY (person, contract))")
        table.execute("CREATE TABLE members (member BLOB PRIMARY KEY, person BLOB)")
        rows = csv.DictReader(islice(text, PEER_ROWS_MAX + 1))
        count = 0
        while some := list(islice(rows, 10_000)):
            made = list(_naive_rows(hub.keys, some))
            table.executemany("INSERT INTO rights VALUES (?, ?, ?)", [(row[0], row[1], row[2]) for row in made])
            table.executemany("INSERT OR REPLACE INTO members VALUES (?, ?)", [(row[3], row[0]) for row in made])
            table.commit()
            count += len(some)
        return Measured(count, time.perf_counter() - begun, time.process_time() - cpu, _peak_mib(), {})


def _naive_rows(keys: Keys, rows: Sequence[dict[str, str]]) -> Iterator[tuple[bytes, str, bytes, bytes]]:
    for row in rows:
        assert row["insurer"] == AMC
        assert row["product"] == PRODUCT
        assert row["valid_to"] == "" or row["valid_from"] <= row["valid_to"]
        rank = int(row["birth_rank"])
        messages = [
            nir_message(nir(row["nir"]), row["birth_date"], rank),
            member_message(row["member_number"], row["birth_date"], rank),
        ]
        person, named = keys.pseudonyms(AMC, messages, 1)
        sealed = keys.seal(AMC, json.dumps(row).encode(), right_about(AMC, person))
        yield person, row["contract"], sealed, named


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Write the file, load it both ways, each in a process of its own, and say how it stands against the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--dir", type=Path, help="where to work; about 700 bytes a row are needed")
    parser.add_argument("--keep", action="store_true", help="keep the figures under bench/results/")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    with ExitStack() as stack, tempfile.TemporaryDirectory(dir=asked.dir) as made:
        folder = Path(made)
        write_feed(folder / "feed.csv", asked.people)
        with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            peer = pool.apply(naive, (folder, folder / "feed.csv"))
            store = ""
            if asked.store == "postgresql":
                store = url(stack.enter_context(server(pinned=False)), "hub")
            mine = pool.apply(ours, (folder, folder / "feed.csv", store))
    for name, one in (("ecluse", mine), ("naive peer", peer)):
        print(
            f"{name:<11}{one.rows:>12,} rows {one.wall_s:>8.1f} s {one.rows / one.wall_s:>9,.0f} rows/s"
            f" {one.rows / one.cpu_s:>9,.0f} rows per CPU-second, peak {one.peak_mib:,} MiB"
        )
    print(
        "           CPU µs a row: " + ", ".join(f"{step} {s / mine.rows * 1e6:.1f}" for step, s in mine.steps.items())
    )
    if asked.store == "postgresql":
        pace, budget, per = mine.rows / mine.wall_s, BUDGET_SERVER_ROWS_PER_S, "rows/s"
    else:
        pace, budget, per = mine.rows / mine.cpu_s, BUDGET_ROWS_PER_S, "rows/s per core"
        print(f"           warm look-up {mine.read_us:.1f} µs (budget {BUDGET_READ_US})")
        print(f"{pace / (peer.rows / peer.cpu_s):.1f} times the naive peer")
    kept = pace >= budget and mine.peak_mib <= BUDGET_MIB
    if asked.keep:
        figures = {"ours": msgspec.structs.asdict(mine), "naive": msgspec.structs.asdict(peer)}
        keep(
            f"feed-{asked.store}-{asked.people}",
            {"bench": "feed", "store": asked.store, **figures, "within_budget": kept},
        )
    print(f"budget {budget:,} {per}, {BUDGET_MIB:,} MiB: {'kept' if kept else 'MISSED'}")


if __name__ == "__main__":
    main()
