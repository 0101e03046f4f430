"""Promise 2, by force: the server is killed at random moments, and every answer a client received is in the journal."""

from __future__ import annotations

import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from ecluse.engines.local import read_all
from ecluse.journal.entry import decode
from tests.journeys.site import Site, question

ASKERS = 8
FEW, MANY = 4, 150
FIRST_ANSWER_S = 30  # a busy machine takes a second


def ask_until_cut(url: str, token: str, received: list[dict[str, Any]]) -> None:
    """One asker: goes on until the connection breaks; keeps what arrived whole."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
        try:
            while True:
                received.append(client.post("/v1/rights/checks", json=question()).json())
        except httpx.TransportError:
            return


def kill_under_load(site: Site, token: str, after_s: float) -> list[dict[str, Any]]:
    """Start, ask from several threads, kill -9 after `after_s`; every answer received."""
    site.start()
    received: list[list[dict[str, Any]]] = [[] for _ in range(ASKERS)]
    threads = [threading.Thread(target=ask_until_cut, args=(site.url, token, each)) for each in received]
    for thread in threads:
        thread.start()
    deadline_s = time.monotonic() + FIRST_ANSWER_S
    while not any(received):
        assert time.monotonic() < deadline_s, "no answer came"
        time.sleep(0.005)
    time.sleep(after_s)
    site.stop(signal.SIGKILL)
    for thread in threads:
        thread.join()
    return [answer for each in received for answer in each]


def rounds(site: Site, count: int, seed: int) -> None:
    """Kill `count` times; after each, the journal holds every answer, and engagements of killed processes still hold."""
    random_s = random.Random(seed)
    token = site.token()
    for _ in range(count):
        answers = kill_under_load(site, token, random_s.uniform(0.0, 0.5))
        written = {entry.request: entry for entry in map(decode, read_all(site.directory / "journal"))}
        for answer in answers:
            entry = written[answer["check_id"]]
            assert (entry.outcome, entry.engagement) == ("confirmed", answer["engagement"]["number"])
    site.start()
    lines = [{"line": 1, "act": "CS", "date": question()["care_date"], "quantity": 1, "expense_cents": 5000,
              "base_cents": 3150, "amo_rate": "70%"}]  # fmt: skip
    with site.client(token) as client:
        for answer in answers[-5:]:
            number = answer["engagement"]["number"]
            assert client.post("/v1/quotes", json={"engagement": number, "lines": lines}).status_code == 200


@pytest.fixture
def killable(tmp_path: Path) -> Any:
    """A hub that is not started yet."""
    site = Site(tmp_path / "hub")
    site.make()
    site.load([{}])
    yield site
    if site.process:
        site.stop()


def test_every_answer_received_before_a_kill_is_in_the_journal(killable: Site) -> None:
    rounds(killable, FEW, seed=1)


@pytest.mark.slow
def test_every_answer_received_before_many_kills_is_in_the_journal(killable: Site) -> None:
    rounds(killable, MANY, seed=2)


def test_engagements_lost_with_their_file_come_back_from_the_journal(killable: Site) -> None:
    answers = kill_under_load(killable, killable.token(), 0.4)
    for name in ("engagements.db", "engagements.db-wal", "engagements.db-shm"):
        (killable.directory / name).unlink(missing_ok=True)
    killable.start()
    lines = [{"line": 1, "act": "G", "date": question()["care_date"], "quantity": 1, "expense_cents": 3000,
              "base_cents": 3000, "amo_rate": "70%"}]  # fmt: skip
    with killable.client() as client:
        for answer in answers[:3] + answers[-3:]:
            asked = {"engagement": answer["engagement"]["number"], "lines": lines}
            assert client.post("/v1/quotes", json=asked).status_code == 200
