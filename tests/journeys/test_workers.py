"""Two workers behind one port: what one promised the other honours, and an invoice is one claim whoever takes it in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.journeys.site import AMC, HEADER, MEMBER, Site, question

ASKERS = 8


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, store: dict[str, str]) -> Iterator[Site]:
    """A hub of two workers; nobody is a member yet."""
    site = Site(tmp_path_factory.mktemp("pair") / "hub", **store)
    site.make()
    site.start(workers=2)
    yield site
    assert site.stop() == 0


def lines() -> list[dict[str, Any]]:
    day = question()["care_date"]
    return [{"line": 1, "act": "CS", "date": day, "expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%"}]


def post(site: Site, token: str, path: str, body: dict[str, Any]) -> httpx.Response:
    """Ask over a new connection, so that any worker may take it."""
    return httpx.post(f"{site.url}{path}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)


@pytest.fixture(scope="module")
def fed(pair: Site) -> Site:
    """The same hub once the member's file was sent over HTTP and loaded beside the server."""
    with pair.client(pair.token(f"amc:{AMC}", practice="", scope="feeds")) as client:
        body = f"{HEADER}\n{','.join(MEMBER.values())}\n".encode()
        sent = client.post("/v1/feeds", content=body, headers={"Content-Type": "text/csv"})
        assert sent.status_code == 202
        for _ in range(200):
            state = client.get(f"/v1/feeds/{sent.json()['feed_id']}").json()
            if state["state"] not in ("received", "loading"):
                break
            time.sleep(0.1)
    assert (state["state"], state["counts"]["rows"]) == ("loaded", 1)
    return pair


def test_an_engagement_of_one_worker_is_known_to_the_other_at_once(fed: Site) -> None:
    token = fed.token()

    def check_then_quote(_: int) -> int:
        number = post(fed, token, "/v1/rights/checks", question()).json()["engagement"]["number"]
        return post(fed, token, "/v1/quotes", {"engagement": number, "lines": lines()}).status_code

    with ThreadPoolExecutor(ASKERS) as pool:
        assert set(pool.map(check_then_quote, range(60))) == {200}


def test_one_invoice_sent_to_both_at_once_is_one_claim(fed: Site) -> None:
    token = fed.token()
    number = post(fed, token, "/v1/rights/checks", question()).json()["engagement"]["number"]
    body = {"invoice": "2026-000777", "engagement": number, "lines": lines()}
    with ThreadPoolExecutor(ASKERS) as pool:
        answers = list(pool.map(lambda _: post(fed, token, "/v1/claims", body), range(ASKERS)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["claim_id"] for answer in answers}) == 1
    assert {answer.json()["amc_cents"] for answer in answers} == {2795}


def test_each_worker_writes_its_own_part_of_the_journal(fed: Site) -> None:
    written = {shard.name for shard in (fed.directory / "journal").iterdir() if any(shard.glob("wal/*.seg"))}
    assert len(written) >= 2
