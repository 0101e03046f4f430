"""Journal entries a second, each durable, in the tree and signed for before its asker goes on; 256 askers wait at a time.

On an envelope: a sync takes 0.5 to 4 ms and is shared by all who wait, at most 512. An entry is 3 µs to encode, 1 µs of CRC,
3 µs of hashes, some 10 µs for its asker to be woken; a batch is one signature, 50 µs, and one write. 256 askers: 256 each 6 ms.
Budget: 20,000 entries/s with p99 ≤ 15 ms.

Beside it, in the same run: the same bytes with one `fdatasync` a record; and a PostgreSQL `INSERT` a record into an audit table
with the usual indexes, durable, by as many askers over 64 connections.

    python -m bench.append [--askers 256] [--seconds 5] [--json] [--keep]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import uvloop

from bench.postgres import NoPostgresError, server, url
from bench.results import keep
from ecluse.app.access import Desk
from ecluse.app.allowance import Allowance
from ecluse.app.ports import Mark
from ecluse.engines.clock import RandomIds, SystemClock
from ecluse.engines.keys.file import DevelopmentOnly, KeyFile
from ecluse.engines.local import LocalLog
from ecluse.engines.local.registry import Signer
from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from ecluse.kernel.errors import Refused
from ecluse.wiring.gate import built_in_caps, open_allowances, open_containments

BUDGET_PER_S = 20_000
BUDGET_P99_MS = 15.0
CONNECTIONS = 64  # more make PostgreSQL slower on two cores
TABLE = """CREATE TABLE audit (ts bigint, account text, practice text, insurer text, person bytea, operation text, fields int,
outcome text, request text, sealed bytea, who bytea, network text, software text, session text);
CREATE INDEX ON audit (account, ts); CREATE INDEX ON audit (person); CREATE INDEX ON audit (ts)"""
INSERT = "INSERT INTO audit VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)"
_IDS = RandomIds()


def entry() -> Entry:
    """A confirmed rights check, of the size they have."""
    return Entry(
        format=FORMAT,
        ts_us=time.time_ns() // 1000,
        operation=Operation.RIGHTS_CHECK,
        account=f"rpps:1{os.urandom(5).hex()}",
        practice="370000028",
        insurer="0075123456",
        person=os.urandom(16),
        presence=0,
        fields=0b111111,
        outcome="confirmed",
        engagement="E26ABCDEFGHJKM",
        request=_IDS.new("chk_"),
        sealed=os.urandom(250),
        who=os.urandom(75),
        network="192.0.2.0/24",
        software="logiciel-de-cabinet",
        session=os.urandom(8).hex(),
    )


class _Forgetful:
    """A rights store that keeps nothing: the journal is measured, not what follows it."""

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Nothing."""


async def asked(record: Callable[[Entry], Awaitable[object]], askers: int, seconds: float) -> dict[str, float]:
    """Entries a second and latencies (ms), when each asker sends the next as soon as the last is done."""
    waited: list[float] = []
    end = time.perf_counter() + seconds

    async def asker() -> None:
        while (begun := time.perf_counter()) < end:
            await record(entry())
            waited.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(asker() for _ in range(askers)))
    took = time.perf_counter() - begun
    waited.sort()
    return {
        "per_s": round(len(waited) / took),
        "p50_ms": round(median(waited) * 1e3, 2),
        "p99_ms": round(waited[int(len(waited) * 0.99)] * 1e3, 2),
    }


def ours(askers: int, seconds: float) -> dict[str, float]:
    """The desk, the log and the file keys as the hub has them."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        keys = KeyFile(Path(folder) / "hub.keys", "")
        keys.create("hub")
        clock = SystemClock()
        signer = Signer(
            "bench.invalid/journal", lambda: keys.public_key("journal"), lambda text: keys.sign("journal", text)
        )
        log = LocalLog(Path(folder) / "journal", signer, clock.now, Path(folder) / "heads")
        allowance = Allowance(clock, open_allowances(Path(folder), built_in_caps()), None)  # type: ignore[arg-type]
        desk = Desk(clock, keys, log, _Forgetful(), allowance, open_containments(Path(folder)))  # type: ignore[arg-type]
        try:
            return uvloop.run(asked(desk.record, askers, seconds))
        finally:
            desk.close()
            log.close()


def one_sync_each(seconds: float) -> dict[str, float]:
    """The same bytes, one after the other, each synced."""
    with tempfile.NamedTemporaryFile(dir=".") as file:

        async def record(written: Entry) -> None:
            os.write(file.fileno(), encode(written))
            os.fdatasync(file.fileno())

        return asyncio.run(asked(record, 1, seconds))


def inserts(askers: int, seconds: float) -> dict[str, float]:
    """One durable transaction an entry."""

    async def run(address: str) -> dict[str, float]:
        async with asyncpg.create_pool(address, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
            await pool.execute(TABLE)

            def record(written: Entry) -> Awaitable[object]:
                told: Awaitable[object] = pool.execute(
                    INSERT, written.ts_us, written.account, written.practice, written.insurer, written.person,
                    written.operation.value, written.fields, written.outcome, written.request, written.sealed, written.who,
                    written.network, written.software, written.session,
                )  # fmt: skip
                return told

            return await asked(record, askers, seconds)

    with server(pinned=False) as socket:
        return uvloop.run(run(url(socket, "audit")))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--askers", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results/")
    words = parser.parse_args()
    warnings.simplefilter("ignore", DevelopmentOnly)
    rounds = sorted((ours(words.askers, words.seconds) for _ in range(3)), key=lambda each: each["per_s"])
    figures: dict[str, Any] = {
        "askers": words.askers,
        "journal": rounds[1],
        "one_sync_each": one_sync_each(words.seconds),
    }
    try:
        figures["postgresql_insert"] = inserts(words.askers, words.seconds)
    except NoPostgresError as absent:
        figures["postgresql_insert"] = {"absent": str(absent)}
    if words.keep:
        keep(f"append-{words.askers}", figures)
    if words.json:
        print(json.dumps(figures))
        return
    for name, each in figures.items():
        print(f"{name:20} {each}")
    held = rounds[1]["per_s"] >= BUDGET_PER_S and rounds[1]["p99_ms"] <= BUDGET_P99_MS
    print(f"budget {BUDGET_PER_S:,}/s, p99 ≤ {BUDGET_P99_MS} ms: {'held' if held else 'MISSED'}")


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        raise SystemExit(str(refused)) from None
