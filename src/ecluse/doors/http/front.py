"""The outermost layer of the HTTP door: names, counts and logs what comes in, and keeps it to what one worker can answer in time.

Every request gets an id: it is in the answer's `X-Request-Id`, in the log and in the journal. Past `in_flight_max` requests
at once, and a queue as long, a request is refused with 503 and `Retry-After`: a late answer at the desk is worth less than a
quick refusal, and an unlimited queue makes everybody late (docs/operations.md). A place is for work, not for waiting: a body is
there whole before its request takes one (`slow_bodies.py`), it is given back before the answer is sent, and what cannot be kept
whole, a member file, has places of its own.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Container, Mapping
from threading import Event
from typing import Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ecluse.app.ports import Ids
from ecluse.doors.http.connections import WHOLE
from ecluse.doors.http.meters import ANSWERS, IN_FLIGHT, QUEUED, REFUSALS, SECONDS
from ecluse.doors.http.problems import OVERLOADED, send_problem
from ecluse.doors.http.slow_bodies import BODY_LATE, Bodies, paced
from ecluse.doors.log import LOG
from ecluse.kernel.errors import Refused

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})  # a full hub is not a dead one: these never wait
BODILESS = frozenset({"GET", "HEAD"})  # nobody here reads a body of theirs, so nobody waits for it
PREFIXES = {
    "/v1/rights/checks": "chk_",
    "/v1/quotes": "quo_",
    "/v1/claims": "clm_",
    "/v1/approvals": "pec_",
    "/v1/feeds": "fee_",
    "/v1/exposures": "exp_",
}
# Streams that come at once into one process. Each writes to one disk, from the core that answers checks; insurers send a file a
# day, so more than these is a second's bad luck, or somebody who sends slowly on purpose.
STREAMS_MAX = 8
LOGGED_FROM = {"all": 100, "refused": 400, "none": 600}  # `log.requests` → the lowest status that makes a line
API = "/v1/"  # whatever is answered here is for who asked it: no proxy and no browser's disk keeps it
TRACE = re.compile(
    r"[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}"
)  # W3C traceparent: the only thing of a client's we log

_CLOSE = (b"connection", b"close")
_NO_STORE = (b"cache-control", b"no-store")  # RFC 9111 §5.2.2.5
_CONVERTER = re.compile(r":\w+}")


class Front:
    """An ASGI application around others: `inner`, and the bare ones that answer one path each. `streams`: the paths to which
    more is sent than is kept."""

    def __init__(
        self,
        inner: ASGIApp,
        bare: Mapping[str, ASGIApp],
        in_flight_max: int,
        ids: Ids,
        bodies: Bodies,
        *,
        streams: Container[str] = (),
        log_requests: str = "refused",
        stopping: Event | None = None,
    ) -> None:
        self._inner = inner
        self._bare = bare
        self._ids = ids
        self._bodies = bodies
        self._streams = streams
        self._streaming = 0
        self._places = asyncio.Semaphore(in_flight_max)
        self._queue_max = in_flight_max
        self._queued = self._in_flight = 0
        self._logged_from = LOGGED_FROM[log_requests]
        self._stopping = stopping or Event()
        self._meters: dict[tuple[str, int], tuple[Any, Any]] = {}
        IN_FLIGHT.set_function(lambda: self._in_flight)
        QUEUED.set_function(lambda: self._queued)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it at once; whatever happens it is counted."""
        if scope["type"] != ScopeType.HTTP:
            await self._inner(scope, receive, send)
            return
        started_s = time.perf_counter()
        scope["path"] = plain(scope["path"])
        id_ = self._ids.new(PREFIXES.get(scope["path"], "req_"))
        cast("dict[str, Any]", scope)["request_id"] = id_
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], (b"x-request-id", id_.encode())]
                if nonce := cast("dict[str, Any]", scope).get(
                    "dpop_nonce"
                ):  # RFC 9449 §8.2: any answer may bring the next
                    headers.append((b"dpop-nonce", nonce.encode()))
                if scope["path"].startswith(API):
                    headers.append(_NO_STORE)
                # Who keeps a connection must turn to another hub; and nobody waits for what is late.
                if self._stopping.is_set() or status == BODY_LATE.status:
                    headers.append(_CLOSE)
                message["headers"] = headers
            await send(message)

        try:
            await self._let_in(scope, receive, note)
        finally:
            self._tell(scope, status, time.perf_counter() - started_s)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope.get("method")
        if path in PROBES:
            await self._inner(scope, receive, send)
            return
        if path in self._bare:
            cast("dict[str, Any]", scope)["path_template"] = path
        if method not in BODILESS and path in self._streams:
            await self._stream(scope, receive, send)
            return
        if method not in BODILESS and WHOLE not in scope:
            try:
                receive = await self._bodies.read(scope, receive)
            except Refused as refused:
                await send_problem(refused, scope, send)
                return
        await self._place(scope, receive, send)

    async def _place(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._places.locked() and self._queued >= self._queue_max:
            await send_problem(OVERLOADED(), scope, send)
            return
        self._queued += 1
        try:
            await self._places.acquire()
        finally:
            self._queued -= 1
        self._in_flight += 1
        is_working = True

        async def told(message: Message) -> None:
            nonlocal is_working
            if is_working:  # the answer is there, and may wait long for its reader
                is_working = False
                self._leave()
            await send(message)

        try:
            # Who knows what other methods a path takes is inside.
            bare = self._bare if scope.get("method") == "POST" else {}
            await bare.get(scope["path"], self._inner)(scope, receive, told)
        finally:
            if is_working:
                self._leave()

    def _leave(self) -> None:
        self._in_flight -= 1
        self._places.release()

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nobody waits for one of these places: it may take minutes until one is free."""
        if self._streaming >= STREAMS_MAX:
            await send_problem(OVERLOADED("as many files are coming in as one process takes"), scope, send)
            return
        self._streaming += 1
        self._in_flight += 1
        try:
            await self._inner(scope, paced(receive), send)
        finally:
            self._in_flight -= 1
            self._streaming -= 1

    def _tell(self, scope: Scope, status: int, passed_s: float) -> None:
        route = cast("dict[str, Any]", scope).get("path_template") or scope["path"]
        meters = self._meters.get((route, status)) or self._metered(scope, status)
        meters[0].inc()
        meters[1].observe(passed_s)
        if status >= 400 and (code := cast("dict[str, Any]", scope).get("refused")):
            REFUSALS.labels(code).inc()
        if status >= self._logged_from:
            log_request(scope, route_of(scope), status, passed_s)

    def _metered(self, scope: Scope, status: int) -> tuple[Any, Any]:
        """The counters of a route; remembered under its template, so never under what a client made up."""
        route = route_of(scope)
        meters = ANSWERS.labels(route, str(status)), SECONDS.labels(route)
        if route != "other":
            self._meters[cast("dict[str, Any]", scope).get("path_template") or scope["path"], status] = meters
        return meters


def plain(path: str) -> str:
    """The path without slashes too many, which name the same route to the framework: here too everything goes by the route,
    prefixes of ids, limits of bodies, and who answers. Proofs are of the address as it was sent, `raw_path`."""
    return "/" + "/".join(filter(None, path.split("/"))) if "//" in path or path.endswith("/") else path


def route_of(scope: Scope) -> str:
    """The route's template, `other` for none: never an identifier."""
    return _CONVERTER.sub("}", cast("dict[str, Any]", scope).get("path_template") or "other")


def log_request(scope: Scope, route: str, status: int, passed_s: float) -> None:
    """One line for one request."""
    seen = cast("dict[str, Any]", scope)
    line = {"id": seen["request_id"], "method": scope.get("method", ""), "route": route, "status": status}
    if code := seen.get("refused"):
        line["code"] = code
    if trace := _trace(scope):
        line["trace"] = trace
    tell = LOG.error if status >= 500 else LOG.warning if status >= 400 else LOG.info
    tell("request", **line, ms=round(1000 * passed_s, 2))


def _trace(scope: Scope) -> str:
    """The trace this request belongs to: the hub's own when it traces, or the caller's if it reads as one."""
    if own := cast("dict[str, Any]", scope).get("trace"):
        return str(own)
    sent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    found = TRACE.fullmatch(sent.decode("latin-1"))
    return found[1] if found else ""
