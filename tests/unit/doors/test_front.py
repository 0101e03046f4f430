"""The outermost layer: past what a worker can answer in time, a request is refused at once and the others go on."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ecluse.doors.http.front import Front
from ecluse.doors.http.slow_bodies import Bodies
from ecluse.engines.clock import RandomIds


def ask(places: int, requests: int) -> list[int]:
    """Statuses of `requests` made at once to a front of `places` places whose inner application waits a moment."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.02)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def one(front: Front) -> int:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        asked: Any = {"type": "http", "method": "GET", "path": "/x", "headers": []}
        await front(asked, None, send)  # type: ignore[arg-type]
        if sent[0]["status"] == 503:
            assert (b"retry-after", b"1") in sent[0]["headers"]
            assert msgspec.json.decode(sent[1]["body"])["code"] == "overloaded"
        return int(sent[0]["status"])

    async def all_at_once() -> list[int]:
        front = Front(slow, {}, places, RandomIds(), Bodies({}, 100))
        return await asyncio.gather(*(one(front) for _ in range(requests)))

    return asyncio.run(all_at_once())


def test_a_queue_as_long_as_the_places_is_served() -> None:
    assert ask(places=3, requests=6) == [200] * 6


def test_what_comes_past_the_queue_is_refused_at_once() -> None:
    assert sorted(ask(places=3, requests=10)) == [200] * 6 + [503] * 4
