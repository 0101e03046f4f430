"""A stop, by force of load: who got a connection gets an answer; readiness turns away first; told twice, it ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.site import Site, question

ASKERS = 12
DRAIN_S = 1.5


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Site]:
    """A hub that is not started yet."""
    site = Site(tmp_path / "hub")
    site.make()
    site.load([{}])
    yield site
    if site.process:
        site.stop(signal.SIGKILL)


class Asker(threading.Thread):
    """Asks over one connection at a time, kept as long as the server keeps it, until none is to be had."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        super().__init__()
        self.port, self.headers = port, headers
        self.statuses: list[int] = []
        self.cut: list[str] = []

    def run(self) -> None:
        import json

        body = json.dumps(question())
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.connect()
            except OSError:
                return
            try:
                while True:
                    connection.request("POST", "/v1/rights/checks", body, self.headers)
                    answer = connection.getresponse()
                    answer.read()
                    self.statuses.append(answer.status)
                    if answer.will_close:
                        break
            except (OSError, http.client.HTTPException) as broken:
                self.cut.append(repr(broken))
                return
            finally:
                connection.close()


def under_load(site: Site, workers: int) -> tuple[list[Asker], int]:
    token = site.token()
    site.start(workers=workers)
    port = int(site.url.rpartition(":")[2])
    askers = [
        Asker(port, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}) for _ in range(ASKERS)
    ]
    for asker in askers:
        asker.start()
    time.sleep(0.7)
    code = site.stop()
    for asker in askers:
        asker.join()
    return askers, code


@pytest.mark.parametrize("workers", [1, 2])
def test_no_request_that_got_a_connection_is_cut(idle: Site, workers: int) -> None:
    askers, code = under_load(idle, workers)
    assert code == 0
    assert [cut for asker in askers for cut in asker.cut] == []
    statuses = [status for asker in askers for status in asker.statuses]
    assert set(statuses) == {200}
    assert len(statuses) > ASKERS


def test_readiness_turns_away_first_and_questions_are_answered_meanwhile(idle: Site) -> None:
    idle.environment["ECLUSE_HTTP_DRAIN_S"] = str(DRAIN_S)
    idle.start()
    assert idle.process is not None
    with idle.client() as client:
        assert client.get("/readyz").json() == {"status": "ready", "parts": []}
        told_s = time.monotonic()
        idle.process.send_signal(signal.SIGTERM)
        while (ready := client.get("/readyz")).status_code == 200:
            assert time.monotonic() < told_s + DRAIN_S
        assert (ready.status_code, ready.json()["status"]) == (503, "stopping")
        assert ready.headers["connection"] == "close"
        assert client.post("/v1/rights/checks", json=question()).status_code == 200
    assert idle.process.wait(10) == 0
    assert time.monotonic() - told_s >= DRAIN_S
    idle.process = None


@pytest.mark.parametrize("workers", [1, 2])
def test_told_twice_it_ends_at_once(idle: Site, workers: int) -> None:
    idle.environment["ECLUSE_HTTP_DRAIN_S"] = "60"
    idle.start(workers=workers)
    assert idle.process is not None
    idle.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert idle.process.poll() is None
    told_s = time.monotonic()
    idle.process.send_signal(signal.SIGTERM)
    assert idle.process.wait(10) == 0
    assert time.monotonic() - told_s < 5
    idle.process = None


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_that_is_killed_ends_the_others_with_a_code_that_makes_systemd_start_them_again(idle: Site) -> None:
    idle.start(workers=2)
    assert idle.process is not None
    (answering,) = filter(None, map(children, children(idle.process.pid)))  # those of the process they are forked from
    os.kill(answering[-1], signal.SIGKILL)
    assert idle.process.wait(20) == 1
    idle.process = None


@pytest.mark.parametrize("workers", [1, 2])
def test_systemd_is_told(idle: Site, tmp_path: Path, workers: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0ecluse-test-{os.getpid()}-{workers}")
        heard.settimeout(20)
        idle.environment["NOTIFY_SOCKET"] = f"@ecluse-test-{os.getpid()}-{workers}"
        idle.start(workers=workers)
        assert heard.recv(100) == b"READY=1"
        assert httpx.get(f"{idle.url}/readyz").status_code == 200
        idle.stop()
        assert heard.recv(100) == b"STOPPING=1"


BROKEN = {
    "journal": lambda hub: next((hub / "journal").glob("*-w0/wal/*.seg")).unlink(),
    # Not dropped: the processes beside, which may begin now, make a table that lacks.
    "rights": lambda hub: sqlite3.connect(hub / "engagements.db").execute("ALTER TABLE mark RENAME position TO lost"),
    "database": lambda hub: sqlite3.connect(hub / "hub.db").execute("DROP TABLE feed"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_readiness_says_which_part_is_missing_and_no_more(idle: Site, part: str) -> None:
    idle.start()
    BROKEN[part](idle.directory)
    answer = httpx.get(f"{idle.url}/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not_ready", "parts": [part]})
    assert httpx.get(f"{idle.url}/healthz").status_code == 200
