"""How long a payment run of a day takes, files included, and how much memory.

On an envelope: 33 million insured send 150,000 claims a day (43 million a year, 300 days) to some 40,000 practices. The run
writes about 150,000 rows each of lines, moves, call lines and claims, and 80,000 postings: 700,000 rows at 5 µs are 4 s;
40,000 remittances of 0.6 KB at 0.1 ms each are 4 s; 40,000 transfers of 360 bytes are 15 MB of XML, built and validated at
30 µs each, 1 s. About 10 s. Memory: one file of 10,000 transfers as a tree (40 MB) and 12,500 call lines at a time.
Budget: 60 s and 500 MiB for 150,000 claims.

Beside it, in the same run, a peer: the same claims paid row by row in Python, a transaction a practice, the bank file by
sepaxml without its validation; it writes no calls for funds and syncs no remittance to disk. On PostgreSQL (`--store
postgresql`) the budget is the same; the peer stays on SQLite.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from itertools import groupby
from pathlib import Path

from sepaxml import SepaTransfer
from stdnum import luhn

from bench.postgres import server, url
from bench.results import keep
from ecluse.app.directory import load_insurers, load_practices
from ecluse.app.payments import run_payments
from ecluse.engines.postgres.database import Database as Books
from ecluse.engines.postgres.server import Server
from ecluse.engines.roles import BOOKS
from ecluse.engines.sql.ledger import book
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.database import Database
from ecluse.payments.ledger import Entry, accepted
from ecluse.wiring import init_hub, open_hub

BUDGET_S = 60
BUDGET_MIB = 500
CLAIMS, PRACTICES, INSURERS = 150_000, 40_000, 12
IBAN = "FR7630006000011234567890189"
DAY = date(2026, 11, 23)

_CLAIM = """
    INSERT INTO claim (id, practice, invoice, body, insurer, person, state, amc_cents, received_on, pay_by, sealed)
    VALUES (?, ?, ?, x'', ?, x'', 'accepted', ?, ?, '2026-12-02', x'')"""
_CLAIM_THERE = """
    INSERT INTO claim (id, practice, invoice, body, insurer, person, state, amc_cents, received_on, pay_by, sealed)
    VALUES ($1, $2, $3, '', $4, '', 'accepted', $5, $6, '2026-12-02', '')"""


_REMIT = """
    INSERT INTO remittance (id, run, practice, amount_cents, state, executed_on, payee)
    VALUES (?, 'run', ?, ?, 'ordered', ?, x'')"""
_POST = "INSERT INTO posting VALUES (?, ?, ?, ?, 'transfer_ordered', ?, 0)"


def practice_number(n: int) -> str:
    """The `n`-th made-up FINESS number."""
    body = f"75{n:06d}"
    return body + luhn.calc_check_digit(body)


def fill(directory: Path, claims: int, practices: int, store: str = "") -> None:
    """A hub with that many accepted claims, the same in every run."""
    if store:
        os.environ["ECLUSE_STORE_URL"] = store
    init_hub(directory)
    settings = (directory / "ecluse.toml").read_text()
    settings = settings.replace('iban = ""', f'iban = "{IBAN}"').replace(
        'creditor_id = ""', 'creditor_id = "FR72ZZZ123456"'
    )
    (directory / "ecluse.toml").write_text(settings)
    drawn = random.Random(7)
    rows = [_claim(n, practices, drawn) for n in range(claims)]
    with open_hub(directory) as hub:
        lines = [f"{practice_number(n)},Cabinet médical n° {n},{IBAN},\n" for n in range(practices)]
        practices_csv = ("practice,name,iban,bic\n" + "".join(lines)).encode()
        hub.run(load_practices(hub.keys, hub.directory, practices_csv))
        amcs = [f"{_amc(n)},Mutuelle {n},{IBAN},{'M-1,2020-01-01' if n % 2 else ','}\n" for n in range(INSURERS)]
        insurers_csv = ("insurer,name,iban,mandate,mandate_signed_on\n" + "".join(amcs)).encode()
        hub.run(load_insurers(hub.keys, hub.directory, insurers_csv))
        entries = [accepted(row[0], row[3], row[1], row[4]) for row in rows]
        hub.run(_fill_server(hub.settings.store.url, rows, entries) if store else _fill_file(directory, rows, entries))


async def _fill_file(directory: Path, rows: list[Row], entries: list[Entry]) -> None:
    connection = connect(directory / "hub.db")
    connection.execute("BEGIN")
    connection.executemany(_CLAIM, rows)
    connection.execute("COMMIT")
    await Database(directory / "hub.db").write(lambda tx: book(tx, entries, 0))


async def _fill_server(store: str, rows: list[Row], entries: list[Entry]) -> None:
    server = Server("home", store, 1)
    async with server.connection(BOOKS) as connection:
        await connection.executemany(_CLAIM_THERE, rows)
    await Books(server).write(lambda tx: book(tx, entries, 0))
    async with server.connection(BOOKS) as connection:
        await connection.execute("ANALYZE claim")  # what autovacuum does within a minute
    await server.close()


Row = tuple[str, str, str, str, int, str]


def _claim(n: int, practices: int, drawn: random.Random) -> Row:
    # a few practices (pharmacies) send many claims, most send one or two
    place = n if n < practices else int(practices * drawn.random() ** 3)
    amount_cents = drawn.choice((750, 945, 1500, 2795, 6000, 12_000)) + drawn.randrange(200)
    return f"clm_{n:020d}", practice_number(place), f"F{n}", _amc(n % INSURERS), amount_cents, str(DAY)


def _amc(n: int) -> str:
    return f"{75_000_000 + n:010d}"


def ours(directory: Path) -> None:
    """A payment run with all its files."""
    with open_hub(directory) as hub:
        report = hub.run(run_payments(hub.till, DAY))
    assert report.made


def plain(directory: Path) -> None:
    """The peer: one practice after the other, one claim after the other."""
    connection = connect(directory / "hub.db")
    out = directory / "out"
    out.mkdir()
    rows = connection.execute(
        "SELECT id, practice, amc_cents FROM claim WHERE state = 'accepted' ORDER BY practice"
    ).fetchall()
    transfers = []
    for practice, same in groupby(rows, key=lambda row: row[1]):
        claims = [(claim, cents) for claim, _, cents in same]
        remittance = f"rem_{practice}"
        _pay_plainly(connection.execute, remittance, practice, claims)
        (out / f"{remittance}.json").write_text(json.dumps({"id": remittance, "lines": claims}))
        transfers.append((practice, sum(cents for _, cents in claims)))
    for at in range(0, len(transfers), 10_000):
        (out / f"{at}.xml").write_bytes(_plain_file(transfers[at : at + 10_000]))


def _pay_plainly(
    execute: Callable[..., sqlite3.Cursor], remittance: str, practice: str, claims: list[tuple[str, int]]
) -> None:
    total = sum(cents for _, cents in claims)
    execute("BEGIN")
    execute(_REMIT, (remittance, practice, total, str(DAY)))
    for n, (claim, cents) in enumerate(claims):
        execute("INSERT INTO remittance_line VALUES (?, ?, ?, '', 'payment', ?)", (remittance, n, claim, cents))
        execute("INSERT INTO claim_move VALUES (?, 2, 0, 'order', 'ordered', ?)", (claim, remittance))
        execute("UPDATE claim SET state = 'ordered', remittance = ? WHERE id = ?", (remittance, claim))
    entry = int(execute("SELECT coalesce(max(entry), 0) + 1 FROM posting").fetchone()[0])
    for n, (account, cents) in enumerate(((f"practice:{practice}", total), ("transit", -total))):
        execute(_POST, (entry, n, account, cents, remittance))
    execute("COMMIT")


def _plain_file(transfers: list[tuple[str, int]]) -> bytes:
    own = {"name": "ECLUSE", "IBAN": IBAN, "batch": False, "currency": "EUR"}
    file = SepaTransfer(own, schema="pain.001.001.09", clean=True)
    for practice, cents in transfers:
        file.add_payment(
            {"name": "Cabinet", "IBAN": IBAN, "amount": cents, "execution_date": DAY, "description": practice}
        )
    return bytes(file.export(validate=False))


def measured(what: str, directory: Path) -> tuple[float, int]:
    """Seconds and peak MiB of `ours` or `plain` in a process of its own."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "bench.payments", "--only", what, str(directory)]
    child = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return time.perf_counter() - started, int(child.stdout)


def peak_mib() -> int:
    """The largest this process has been. Not `ru_maxrss`, which a child inherits from its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def main() -> None:
    """Fill two hubs, run both, print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=CLAIMS)
    parser.add_argument("--keep", action="store_true", help="keep the figures under bench/results/")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", choices=("ours", "plain"), help=argparse.SUPPRESS)
    parser.add_argument("directory", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        {"ours": ours, "plain": plain}[options.only](options.directory)
        print(peak_mib())
        return
    practices = max(1, options.claims * PRACTICES // CLAIMS)
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="bench-payments-") as place:
        first, second = Path(place) / "ours", Path(place) / "plain"
        fill(second, options.claims, practices)
        store = ""
        if options.store == "postgresql":
            store = url(stack.enter_context(server(pinned=False)), "hub")
            fill(first, options.claims, practices, store)
        else:
            shutil.copytree(second, first)
        seconds, mib = measured("ours", first)
        print(f"payment run   {options.claims:>8} claims, {practices} practices: {seconds:6.1f} s, peak {mib} MiB")
        print(f"budget                                              {BUDGET_S:6.1f} s, peak {BUDGET_MIB} MiB")
        peer_seconds, peer_mib = measured("plain", second)
        print(f"peer, row by row                                    {peer_seconds:6.1f} s, peak {peer_mib} MiB")
        kept = seconds <= BUDGET_S and mib <= BUDGET_MIB
        if options.keep:
            ours_, peer = (
                {"seconds": round(seconds, 1), "peak_mib": mib},
                {"seconds": round(peer_seconds, 1), "peak_mib": peer_mib},
            )
            figures = {"bench": "payments", "store": options.store, "ours": ours_, "peer": peer, "within_budget": kept}
            keep(f"payments-{options.store}-{options.claims}", figures)
        print(f"ratio {peer_seconds / seconds:.1f} ×; budget {'kept' if kept else 'MISSED'}")


if __name__ == "__main__":
    main()
