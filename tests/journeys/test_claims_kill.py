"""Claims under kill -9: what a client was told is kept, booked and journalled, and what it resends is the same claim."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ecluse.journal.entry import Operation
from tests.journal import entries_in
from tests.journeys.site import AMC, PRACTICE, Site, question, today

SENDERS = 6
ROUNDS = 3


def body(invoice: str, expense_cents: int) -> dict[str, Any]:
    about = {name: question()[name] for name in ("insurer", "beneficiary", "domain")}
    line = {
        "line": 1,
        "act": "CS",
        "date": today(),
        "expense_cents": expense_cents,
        "base_cents": 3150,
        "amo_rate": "70%",
    }
    return {"invoice": invoice, **about, "lines": [line]}


def send_until_cut(url: str, token: str, name: str, told: dict[str, Any], tried: list[dict[str, Any]]) -> None:
    """One sender: new claims until the connection breaks; keeps each answer by invoice, and every body tried."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
        try:
            for number in range(100_000):
                tried.append(body(f"{name}-{number}", 5000 + len(tried)))
                told[tried[-1]["invoice"]] = client.post("/v1/claims", json=tried[-1]).json()
        except httpx.TransportError:
            return


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[Site]:
    """A hub that is not started yet."""
    site = Site(tmp_path / "hub")
    site.make()
    site.load([{}])
    yield site
    if site.process:
        site.stop()


def kept(site: Site) -> tuple[dict[str, tuple[str, int]], int, int]:
    """Claims by id, the sum of all postings, and what the insurer owes."""
    with sqlite3.connect(site.directory / "hub.db") as connection:
        claims = connection.execute("SELECT id, state, amc_cents FROM claim").fetchall()
        total = connection.execute("SELECT coalesce(sum(amount_cents), 0) FROM posting").fetchone()[0]
        owed = connection.execute(
            "SELECT coalesce(sum(amount_cents), 0) FROM posting WHERE account = ?", (f"insurer:{AMC}",)
        ).fetchone()[0]
    connection.close()
    return {claim: (state, cents) for claim, state, cents in claims}, total, owed


def test_every_claim_told_before_a_kill_is_kept_booked_and_journalled(killable: Site) -> None:
    token, delays = killable.token(practice=PRACTICE), random.Random(3)
    told: dict[str, Any] = {}
    for turn in range(ROUNDS):
        killable.start()
        tried: list[list[dict[str, Any]]] = [[] for _ in range(SENDERS)]
        threads = [
            threading.Thread(target=send_until_cut, args=(killable.url, token, f"{turn}{name}", told, tried[name]))
            for name in range(SENDERS)
        ]
        before = len(told)
        for thread in threads:
            thread.start()
        while len(told) == before and any(thread.is_alive() for thread in threads):  # a busy machine answers late
            time.sleep(0.01)
        time.sleep(delays.uniform(0.3, 0.8))
        killable.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
    claims, total, owed = kept(killable)
    journalled = {
        entry.request for entry in entries_in(killable.directory / "journal") if entry.operation is Operation.CLAIM
    }
    for answer in told.values():
        if answer["status"] == "accepted":
            assert claims[answer["claim_id"]] == ("accepted", answer["amc_cents"])
        assert answer["claim_id"] in claims
        assert answer["claim_id"] in journalled
    assert total == 0
    assert owed == sum(cents for state, cents in claims.values() if state == "accepted")
    assert {state for state, _ in claims.values()} <= {"accepted", "refused"}

    killable.start()  # the last of each sender was cut: sent again, it is one claim, whether it had been kept or not
    with killable.client(token) as client:
        for bodies in tried:
            again = [client.post("/v1/claims", json=bodies[-1]).json() for _ in range(2)]
            assert again[0] == again[1]
    afterwards, total, _ = kept(killable)
    assert len(afterwards) <= len(claims) + SENDERS
    assert total == 0
