"""Promise 2, by force: the server is killed at random moments, and every answer a client received is in the journal."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journal import told
from tests.journeys.members import row, write
from tests.journeys.site import AMC, ECLUSE, Site, question
from tests.journeys.test_stop import children
from tests.servers import runs

ASKERS = 8
FEW, MANY = 4, 150
FIRST_ANSWER_S = 30  # a busy machine takes a second
END_S = 5  # for a process to end, on a busy machine; the file below takes longer to load
BEGIN_S = 30  # what starts must first import what will end it: long, on a machine with much else to do
MANY_ROWS, LOAD_S = 100_000, 60


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
        written = {entry.request: entry for entry in told(site.directory / "journal")}
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


def all_end(pids: list[int], within_s: float = END_S) -> None:
    """Soon none of them runs."""
    deadline_s = time.monotonic() + within_s
    while left := [pid for pid in pids if runs(pid)]:
        assert time.monotonic() < deadline_s, f"{len(left)} of {len(pids)} outlive the hub"
        time.sleep(0.01)


def test_nobody_outlives_a_hub_that_is_killed_while_it_starts(killable: Site) -> None:
    """A child that had not begun when its parent was killed must find out too."""
    for workers, after_s in itertools.product((1, 2), (0, 0.2, 0.5)):
        words = [ECLUSE, "serve", "--port", "0", "--workers", str(workers)]
        hub = subprocess.Popen(words, env=killable.environment, stderr=subprocess.DEVNULL)
        while not children(hub.pid):
            time.sleep(0.002)
        time.sleep(after_s)
        started = children(hub.pid)
        hub.kill()
        hub.wait()
        all_end(started, BEGIN_S)


def test_a_loader_in_the_middle_of_a_file_ends_with_its_hub_and_the_next_goes_on(
    killable: Site, tmp_path: Path
) -> None:
    body = write(tmp_path / "members.csv", [row(n, product="BASE") for n in range(MANY_ROWS)]).read_bytes()
    token = killable.token(f"amc:{AMC}", practice="", scope="feeds")
    killable.start()
    assert killable.process is not None
    with killable.client(token) as client:
        feed = client.post("/v1/feeds?mode=full", content=body, headers={"Content-Type": "text/csv"}).json()["feed_id"]
        assert reached(client, feed, "loading") == 0
    time.sleep(0.3)
    started = children(killable.process.pid)
    killable.stop(signal.SIGKILL)
    all_end(started)
    killable.start()
    with killable.client(token) as client:
        assert client.get(f"/v1/feeds/{feed}").json()["state"] == "loading", (
            "it was loaded before the kill: send more rows"
        )
        assert reached(client, feed, "loaded") == MANY_ROWS


def reached(client: httpx.Client, feed: str, state: str) -> int:
    """How many rights the feed has brought once it is in this state."""
    deadline_s = time.monotonic() + LOAD_S
    while (shown := client.get(f"/v1/feeds/{feed}").json())["state"] != state:
        assert time.monotonic() < deadline_s, shown
        time.sleep(0.01)
    rights: int = shown["counts"]["rights"]
    return rights
