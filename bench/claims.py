"""How many claims one core takes in, controls, prices, books and journals in a second, durable before the answer.

On an envelope: 150,000 claims a day sent directly, or 2.2 million if every AMC share went through the hub; a night's
batch of four hours is then 155 claims/s, and the busiest second of the day some 300. A claim of two lines is two seals
(engagement opened, claim sealed) and seven keyed digests at 5 µs, fourteen small statements at 6 µs, prices and controls
at 60 µs, and its part of two syncs (ledger, journal) shared by those that wait together: 0.3 ms, or 3,000/s.
Budget: 800 claims/s on one core, with 32 senders. From bytes to bytes, without HTTP.

Beside it, in the same run: the same hub with one sender, so one transaction and one journal sync for each claim; and a
plain peer that controls, prices, seals and journals nothing: a synced SQLite transaction of three rows for each claim.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.access import seal_engagement
from ecluse.app.claims import ClaimSent, send_claim
from ecluse.app.products import load_product
from ecluse.engines.keys.file import DevelopmentOnly
from ecluse.engines.sqlite.connection import connect
from ecluse.gate.admission import Request
from ecluse.gate.identity import Account
from ecluse.journal.entry import FORMAT, Entry, Operation
from ecluse.kernel.days import FOREVER, paris_day
from ecluse.rights.check import horizon
from ecluse.rights.model import Covered, Domain, Engagement
from ecluse.wiring import OpenHub, init_hub, open_hub

BUDGET_CLAIMS_PER_S = 800
CLAIMS = 8_000
ALONE = 1_000  # claims of the run with one sender, and of the peer
SENDERS = 32
PRACTICES = 50
INSURER = "0075123456"
PRODUCT = """product: BASE
label: Formule de base
responsible: false
guarantees:
  - {domains: [MED], acts: [CS], guarantee: "BR_INCL:200", label: Consultations}
  - {domains: [MED], acts: [OSTEO], guarantee: "EUR_ACT:30/5Y", label: Ostéopathie}
  - {domains: [MED], guarantee: "TM:100", label: Soins}
"""

_decode = msgspec.json.Decoder(ClaimSent).decode
_encode = msgspec.json.Encoder().encode


def account(number: int) -> Account:
    """One of the practices that send."""
    return Account(f"rpps:{number:011d}", f"{number:09d}", "doctor", scopes=frozenset({"claims"}))


async def promise(hub: OpenHub, number: int, today: date) -> str:
    """An engagement as a rights check gives it, through the journal."""
    covered = Covered(
        f"C{number}", f"M{number}", "BASE", await hub.products.in_force(INSURER, "BASE"), FOREVER, "SV", "0001", True, 1
    )
    asker = account(number % PRACTICES)
    given = Engagement(
        number=hub.ids.engagement(today.year),
        insurer=INSURER,
        person=number.to_bytes(16),
        practice=asker.practice,
        account=asker.sub,
        domain=Domain.MED,
        care_date=today,
        valid_until=horizon(today),
        covered=(covered,),
    )
    sealed = seal_engagement(hub.keys, given)
    now_us = hub.now_ts_us
    known = (asker.sub, asker.practice, INSURER, given.person)
    await hub.desk.record(
        Entry(FORMAT, now_us, Operation.RIGHTS_CHECK, *known, 0, 63, "confirmed", given.number, "chk_bench", sealed)
    )
    return given.number


def body(number: int, engagement: str, day: str) -> bytes:
    """A claim of two lines, the second under a yearly guarantee."""
    consultation = {"line": 1, "act": "CS", "date": day, "expense_cents": 5000 + number % 900, "base_cents": 3150}
    session = {"line": 2, "act": "OSTEO", "date": day, "expense_cents": 6000, "base_cents": 0}
    lines = [consultation | {"amo_rate": "70%", "quantity": 1}, session | {"amo_rate": "0%", "quantity": 1}]
    return _encode({"invoice": f"2026-{number:06d}", "engagement": engagement, "lines": lines})


async def send(hub: OpenHub, number: int, sent: bytes) -> None:
    """One claim, from bytes to bytes."""
    asked = Request(account(number % PRACTICES), hub.ids.new("clm_"))
    released = await send_claim(hub, asked, _decode(sent))
    answer = _encode(released.answer)
    assert b'"accepted"' in answer, answer


async def spread(bodies: list[tuple[int, bytes]], senders: int, each: Callable[[int, bytes], Awaitable[None]]) -> None:
    """`senders` tasks share the bodies; each sends its next when the one before was answered."""
    waiting = iter(bodies)

    async def sender() -> None:
        for number, sent in waiting:
            await each(number, sent)

    await asyncio.gather(*(sender() for _ in range(senders)))


async def ours(hub: OpenHub, claims: int, alone: int) -> dict[str, float]:
    """Speeds with many senders, by the clock and by the processor, and with one."""
    today = paris_day(hub.clock.now())
    numbers = await asyncio.gather(*(promise(hub, number, today) for number in range(claims + alone)))
    bodies = [(number, body(number, each, today.isoformat())) for number, each in enumerate(numbers)]
    started_s, worked_s = time.perf_counter(), time.process_time()
    await spread(bodies[:claims], SENDERS, lambda number, sent: send(hub, number, sent))
    took_s, work_s = time.perf_counter() - started_s, time.process_time() - worked_s
    started_s = time.perf_counter()
    await spread(bodies[claims:], 1, lambda number, sent: send(hub, number, sent))
    return {
        "claims_per_s": claims / took_s,
        "claims_per_core_s": claims / work_s,
        "alone_per_s": alone / (time.perf_counter() - started_s),
    }


def plain(path: Path, claims: int) -> float:
    """The peer's speed: each claim in a synced transaction of its own, and nothing else done."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE claim (practice TEXT, invoice TEXT, body TEXT, PRIMARY KEY (practice, invoice))")
    connection.execute("CREATE TABLE posting (claim INTEGER, account TEXT, amount_cents INTEGER)")
    started_s = time.perf_counter()
    for number in range(claims):
        sent = json.loads(body(number, "E26", "2026-11-23"))
        connection.execute("BEGIN IMMEDIATE")
        row = (account(number % PRACTICES).practice, sent["invoice"], json.dumps(sent))
        key = connection.execute("INSERT INTO claim VALUES (?, ?, ?)", row).lastrowid
        for name, cents in (("insurer", 5795), ("practice", -5795)):
            connection.execute("INSERT INTO posting VALUES (?, ?, ?)", (key, name, cents))
        connection.execute("COMMIT")
    took_s = time.perf_counter() - started_s
    connection.close()
    return claims / took_s


def measure(claims: int, alone: int, profile: bool) -> dict[str, Any]:
    """All the speeds, on a fresh hub with real syncs; the books are checked before anything is told."""
    warnings.simplefilter("ignore", DevelopmentOnly)
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "hub"
        init_hub(directory)
        with open_hub(directory) as hub:
            hub.run(load_product(hub, INSURER, PRODUCT.encode()))
            profiler = cProfile.Profile() if profile else None
            if profiler:
                profiler.enable()
            speeds = asyncio.run(ours(hub, claims, alone))
            if profiler:
                profiler.disable()
                pstats.Stats(profiler).sort_stats("tottime").print_stats(35)
            owed, kept = (
                connect(directory / "hub.db")
                .execute(
                    "SELECT (SELECT sum(amount_cents) FROM posting WHERE account LIKE 'insurer:%'), sum(amc_cents) FROM claim"
                )
                .fetchone()
            )
            assert owed == kept > 0
        peer = plain(Path(place) / "peer.db", alone)
    return {
        "name": "claims",
        "unit": "claims/s/core",
        "budget": BUDGET_CLAIMS_PER_S,
        "measure": round(speeds["claims_per_s"]),
        "per_processor_second": round(speeds["claims_per_core_s"]),
        "one_sender": round(speeds["alone_per_s"]),
        "peer": round(peer),
        "peer_name": "one synced SQLite transaction for each claim, uncontrolled, unsealed, not journalled",
        "held": speeds["claims_per_s"] >= BUDGET_CLAIMS_PER_S,
        "claims": claims,
        "senders": SENDERS,
    }


def main() -> int:
    """Print the measure; exit code 1 when the budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    parser.add_argument("--claims", type=int, default=CLAIMS, help="claims sent by many senders")
    parser.add_argument("--profile", action="store_true", help="where the time goes (slows everything down)")
    asked = parser.parse_args()
    found = measure(asked.claims, min(ALONE, asked.claims), asked.profile)
    if asked.json:
        print(json.dumps(found))
    else:
        print(f"claims: {found['measure']:,} claims/s, {SENDERS} senders, one process (budget {BUDGET_CLAIMS_PER_S:,})")
        print(f"        {found['per_processor_second']:,} claims for each second of processor, all threads together")
        print(f"        {found['one_sender']:,} claims/s with one sender: a transaction and a journal sync for each")
        print(f"peer:   {found['peer']:,} claims/s, {found['peer_name']}")
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
