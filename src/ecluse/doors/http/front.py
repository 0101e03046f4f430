"""The outermost layer of the HTTP door: counts what comes in, and keeps it to what one worker can answer in time.

Past `in_flight_max` requests at once, and a queue as long, a request is refused with 503 and `Retry-After`: a late answer at
the desk is worth less than a quick refusal, and an unlimited queue makes everybody late (docs/operations.md).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from ecluse.doors.http.problems import send_problem
from ecluse.kernel.errors import refusal

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

OVERLOADED = refusal("overloaded", 503, "Too many requests at once", fix="Try again in a second.")

ANSWERS = Counter("ecluse_answers_total", "HTTP answers", ["route", "status"])
SECONDS = Histogram("ecluse_answer_seconds", "Time to answer", ["route"], buckets=BUCKETS_S)

ROUTES = ("/v1/rights/checks", "/v1/quotes", "/v1/claims", "/v1/remittances", "/v1/feeds")


class Front:
    """An ASGI application around others: `inner`, and the bare ones that answer one path each."""

    def __init__(self, inner: ASGIApp, bare: Mapping[str, ASGIApp], in_flight_max: int) -> None:
        self._inner = inner
        self._bare = bare
        self._places = asyncio.Semaphore(in_flight_max)
        self._queue_max = in_flight_max
        self._queued = 0
        self._times = {route: SECONDS.labels(route) for route in (*ROUTES, "other")}
        self._counts: dict[tuple[str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it at once."""
        if scope["type"] != ScopeType.HTTP:
            await self._inner(scope, receive, send)
        elif self._places.locked() and self._queued >= self._queue_max:
            await send_problem(OVERLOADED(), send)
        else:
            self._queued += 1
            async with self._places:
                self._queued -= 1
                await self._measured(scope, receive, send)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = _route(scope["path"])
        status = 500
        started_s = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._bare.get(scope["path"], self._inner)(scope, receive, note)
        finally:
            self._times[route].observe(time.perf_counter() - started_s)
            self._count(route, status)

    def _count(self, route: str, status: int) -> None:
        counter = self._counts.get((route, status))
        if counter is None:
            counter = self._counts[route, status] = ANSWERS.labels(route, str(status))
        counter.inc()


def _route(path: str) -> str:
    """The route's name for metrics: never an identifier."""
    return path if path in ROUTES else next((route for route in ROUTES if path.startswith(route + "/")), "other")
