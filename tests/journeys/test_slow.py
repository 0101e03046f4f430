"""Who sends slowly, or without end, on a real hub with few places: others are answered as if nobody did."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ecluse.app.feeds import RECEIVING
from tests.journeys.site import AMC, Site, question

PLACES = 2


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub that answers two at a time and lets two wait."""
    site = Site(Path(tmp_path_factory.mktemp("slow")) / "hub", ECLUSE_HTTP_IN_FLIGHT_MAX=str(PLACES))
    site.make()
    site.load([{}])
    site.start()
    yield site
    site.stop()


def connected(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(site.url.rpartition(":")[2])), timeout=5)


SLOW = {
    "claims, nobody": ("/v1/claims", False),
    "checks, nobody": ("/v1/rights/checks", False),
    "checks, a professional": ("/v1/rights/checks", True),
    "quotes, a professional": ("/v1/quotes", True),
    "nothing there": ("/v1/nothing", False),
}


@pytest.mark.parametrize(("path", "knows"), SLOW.values(), ids=SLOW.keys())
def test_bodies_that_do_not_come_keep_nobody_waiting(small: Site, path: str, knows: bool) -> None:
    shown = f"Authorization: Bearer {small.own_token}\r\n" if knows else ""
    sent = f"POST {path} HTTP/1.1\r\nHost: x\r\n{shown}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    with ExitStack() as stack:
        for _ in range(5 * PLACES):
            stack.enter_context(connected(small)).sendall(sent.encode())
        time.sleep(0.2)
        with small.client() as client:
            answered = client.post("/v1/rights/checks", json=question())
    assert (answered.status_code, answered.json()["outcome"]) == (200, "confirmed")


def test_a_head_without_end_is_not_kept(small: Site) -> None:
    with connected(small) as endless, pytest.raises((ConnectionResetError, BrokenPipeError)):
        endless.sendall(b"GET /v1/claims HTTP/1.1\r\nHost: x\r\nX: " + bytes([97]) * (8 << 20))
    with small.client() as client:
        assert client.post("/v1/rights/checks", json=question()).status_code == 200


def test_one_insurers_files_that_do_not_end_leave_the_places_to_the_others(small: Site) -> None:
    """And its own checks and questions go on; a file it sends is told to wait."""
    other = "0075999999"
    small.run("product", "load", str(small.directory.parent / "base.yaml"), "--insurer", other)
    own, others = (small.token(f"amc:{amc}", practice="", scope="feeds", insurer=amc) for amc in (AMC, other))
    head = f"POST /v1/feeds?mode=full HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {own}\r\nContent-Type: text/csv\r\n"
    with ExitStack() as stack:
        for _ in range(RECEIVING.own_max):
            stack.enter_context(connected(small)).sendall(f"{head}Content-Length: 100\r\n\r\namc".encode())
        time.sleep(0.5)
        said = []
        for token in (own, others):
            with small.client(token) as client:
                sent = client.post("/v1/feeds?mode=full", content=b"amc", headers={"Content-Type": "text/csv"})
                said.append((sent.status_code, sent.json().get("code", "")))
        assert said == [(429, "too_many_at_once"), (202, "")]
