"""Insurers on three PostgreSQL servers: each answers for its own, one that is down stops nobody else, and an insurer moves while
it is asked about."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.site import AMC, ECLUSE, MEMBER, PRODUCT, Site, question, todays_line
from tests.servers import Server, started

OTHER = "0075999999"
ASKED = 40  # people one practice asks about: fewer than it may open


@pytest.fixture(scope="module")
def others() -> Iterator[list[Server]]:
    """Two servers beside the home one."""
    with started() as south, started() as west:
        yield [south, west]


@pytest.fixture
def site(tmp_path: Path, postgres: Server, others: list[Server]) -> Iterator[Site]:
    """A hub whose insurers are on the server `south`, with one member each, and its server."""
    south, west = (other.url(other.empty()) for other in others)
    site = Site(
        tmp_path / "hub",
        ECLUSE_STORE_URL=postgres.url(postgres.empty()),
        ECLUSE_STORE_SERVERS=json.dumps({"south": south, "west": west}),
        ECLUSE_STORE_INSURERS=json.dumps({AMC: "south", OTHER: "west"}),
    )
    site.make()
    (tmp_path / "other.yaml").write_text(PRODUCT)
    site.run("product", "load", str(tmp_path / "other.yaml"), "--insurer", OTHER)
    site.load([{"member_number": f"M{n}", "birth_date": f"19{n:02d}-06-14"} for n in range(10, 90)])
    other = tmp_path / "other.csv"
    other.write_text(",".join(MEMBER) + "\n" + ",".join({**MEMBER, "insurer": OTHER}.values()) + "\n")
    site.json("feed", "load", str(other), "--insurer", OTHER, "--full")
    site.start()
    yield site
    if site.process is not None:
        site.stop()


class Asker(threading.Thread):
    """A practice that asks and asks, and keeps what it was told."""

    def __init__(self, site: Site, insurer: str = AMC) -> None:
        super().__init__()
        self.client, self.insurer = site.client(), insurer
        self.answers: list[dict[str, Any]] = []
        self.refused: list[tuple[int, str]] = []
        self.stopped = threading.Event()
        self.start()

    def run(self) -> None:
        asked = 0
        while not self.stopped.is_set():
            asked += 1
            card = {"nir": MEMBER["nir"], "birth_date": f"19{10 + asked % ASKED:02d}-06-14", "birth_rank": 1}
            answer = self.client.post("/v1/rights/checks", json=question(insurer=self.insurer, beneficiary=card))
            said = answer.json()
            if answer.status_code == 200:
                self.answers.append(said)
            else:
                self.refused.append((answer.status_code, said["code"]))

    def end(self) -> None:
        self.stopped.set()
        self.join()


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The code of a refused command."""
    assert done.returncode == 2, done.stderr
    return done.stderr.splitlines()[-1].split(":")[0]


def rows(server: Server, url: str, table: str) -> int:
    return int(server.sql(f"SELECT count(*) FROM {table} WHERE insurer = '{AMC}'", url.rsplit("/", 1)[1]))


def databases(site: Site) -> dict[str, str]:
    return dict(json.loads(site.environment["ECLUSE_STORE_SERVERS"]))


def bill_all(client: httpx.Client, answers: list[dict[str, Any]]) -> None:
    """Every promise made is kept."""
    for number, said in enumerate(answers):
        body = {
            "invoice": f"F{number}",
            "engagement": said["engagement"]["number"],
            "lines": [todays_line(expense_cents=5000 + number)],
        }
        answer = client.post("/v1/claims", json=body)
        assert (answer.status_code, answer.json().get("status")) == (201, "accepted"), answer.text


def test_an_insurer_moves_while_it_is_asked_about(site: Site, others: list[Server]) -> None:
    south, west = databases(site)["south"], databases(site)["west"]
    asker = Asker(site)
    time.sleep(0.5)
    moved = site.json("insurer", "move", AMC, "--to", "west")
    time.sleep(0.5)
    asker.end()
    assert asker.refused == []
    assert {each["outcome"] for each in asker.answers} == {"confirmed"}
    assert (moved["source"], moved["target"], moved["rights"], moved["members"]) == ("south", "west", 80, 80)
    assert site.json("insurer", "list") == {AMC: "west", OTHER: "west"}
    bill_all(asker.client, asker.answers[:: max(1, len(asker.answers) // 100)])
    for table in ("rights", "members", "engagement"):
        assert rows(others[0], south, table) == 0, f"{table} was left behind"
        assert rows(others[1], west, table) >= 80
    again = site.run("insurer", "move", AMC, "--to", "west", check=False)
    assert refusal(again) == "already_there"


def test_a_move_killed_anywhere_is_gone_on_with(site: Site, others: list[Server]) -> None:
    asker = Asker(site)
    for number in range(6):
        command = [ECLUSE, "insurer", "move", AMC, "--to", "west"]
        killed = subprocess.Popen(command, env=site.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.8 + 0.15 * number)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    ended = site.run("insurer", "move", AMC, "--to", "west", check=False)
    assert ended.returncode == 0 or refusal(ended) == "already_there", ended.stderr
    time.sleep(0.5)
    asker.end()
    # The move may have stood still between the two servers for longer than an asker waits, and it said so.
    assert set(asker.refused) <= {(503, "insurer_moving")}
    bill_all(asker.client, asker.answers[:: max(1, len(asker.answers) // 100)])
    assert site.json("insurer", "list")[AMC] == "west"
    assert rows(others[1], databases(site)["west"], "rights") == 80
    assert rows(others[0], databases(site)["south"], "rights") == 0


def test_a_server_that_is_down_refuses_its_insurers_only_and_comes_back_by_itself(
    site: Site, others: list[Server]
) -> None:
    client = site.client()
    others[0].kill()
    try:
        refused = client.post("/v1/rights/checks", json=question(beneficiary={"birth_date": "1979-06-14"}))
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert refused.headers["retry-after"]
        answer = client.post("/v1/rights/checks", json=question(insurer=OTHER))
        assert answer.json()["outcome"] == "confirmed"
        bill_all(client, [answer.json()])
    finally:
        others[0].start()
    deadline_s = time.monotonic() + 10
    while True:
        answer = client.post("/v1/rights/checks", json=question(beneficiary={"birth_date": "1979-06-14"}))
        if answer.status_code == 200:
            break
        assert time.monotonic() < deadline_s, answer.text
        time.sleep(0.2)
    assert answer.json()["outcome"] == "confirmed"


def test_an_insurer_goes_nowhere_it_cannot(site: Site) -> None:
    for words, code in (
        ((AMC, "--to", "north"), "server_unknown"),
        (("0075000000", "--to", "west"), "insurer_nowhere"),
    ):
        refused = site.run("insurer", "move", *words, check=False)
        assert refusal(refused) == code


def test_an_insurer_stays_where_it_is_while_the_journal_refuses(site: Site) -> None:
    """Moved, it could not be moved again to be told."""
    before = site.json("insurer", "list")
    renamed = Site(site.directory)
    renamed.environment = {**site.environment, "ECLUSE_JOURNAL_ORIGIN": "renamed.test/journal"}
    refused = renamed.run("insurer", "move", AMC, "--to", "west", check=False)
    assert refusal(refused) == "journal_origin_changed"
    assert site.json("insurer", "list") == before


def test_the_embedded_store_has_one_place(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    site.make()
    refused = site.run("insurer", "move", AMC, "--to", "west", check=False)
    assert refusal(refused) == "one_file_only"
    assert os.environ.get("ECLUSE_STORE_SERVERS") is None
    spread = Site(tmp_path / "hub", ECLUSE_STORE_SERVERS='{"south": "postgresql://x/y"}')
    refused = spread.run("insurer", "list", check=False)
    assert refusal(refused) == "one_file_only"
