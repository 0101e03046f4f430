"""The HTTP server of one process, and how it stops: nobody who got a connection is left without an answer.

1. Told to stop, it says so: `/readyz` is 503 `stopping`, and every answer closes its connection. It still answers everything.
2. After `drain_s` the kernel makes no more connections for it; those it had made are taken in. Whoever has one and asks within a
   last call is answered.
3. What was begun is finished; then the process ends. Told a second time, it ends at once.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

import uvicorn
from litestar.types import ASGIApp

from ecluse.app.asker import Askers
from ecluse.app.hub import Hub
from ecluse.app.portal.login import Logins
from ecluse.app.portal.logout import Logouts
from ecluse.app.portal.passkeys import BoundPasskeys
from ecluse.app.portal.provider_logout import ProviderLogouts
from ecluse.app.portal.sessions import OpenSessions
from ecluse.doors.http.app import build
from ecluse.doors.http.connections import Connection
from ecluse.doors.http.meters import RETRIES, Board, count_issuer, count_witness
from ecluse.doors.http.portal import Portal
from ecluse.doors.http.who import Door
from ecluse.doors.log import LOG
from ecluse.doors.notify import READY, STOPPING
from ecluse.kernel.errors import refusal
from ecluse.wiring import OpenHub
from ecluse.wiring.journal import ask_witnesses, published_logs

KEEP_ALIVE_S = 75  # practice software asks every few minutes at most; longer only holds memory
LAST_CALL_S = 1.0  # a client whose connection is open may be sending: it is answered, then told to close
STOP_S = 20  # a stopping worker finishes what it has begun
_SO_ATTACH_FILTER, _BPF_RETURN = 26, 0x06  # <asm-generic/socket.h>, <linux/bpf_common.h>
STOPS = (signal.SIGTERM, signal.SIGINT)

TRACES_ABSENT = refusal(
    "traces_absent",
    500,
    "OpenTelemetry is not installed",
    fix='Run `pip install "ecluse[otel]"`, or leave traces.endpoint empty.',
)


class Server(uvicorn.Server):
    """uvicorn's server with a stop in two steps; `stop` may be called from any thread, any number of times."""

    def __init__(self, hub: OpenHub, worker: str, tell: Callable[[str], object]) -> None:
        self._hub = hub
        self._stopping = Event()
        self._tell = tell
        self._board = Board(hub.dir / "run")
        RETRIES.set_function(hub.stores.upkeep.retries)
        self._drain_s = hub.settings.http.drain_s
        self._told_s = 0.0
        self._signals: set[int] = set()
        self._listening: socket.socket | None = None
        self._closed = False
        application, self._end_traces = _application(hub, self._board, self._stopping, worker)
        super().__init__(_config(application))

    def answer(self, listening: socket.socket) -> None:
        """Take requests until stopped; `tell` hears READY and STOPPING."""
        self._board.sweep()
        self._listening = listening
        try:
            self._hub.run(self._answering(listening))
        finally:
            self._board.withdraw()
            self._end_traces()

    async def _answering(self, listening: socket.socket) -> None:
        """Serve; beside it, what a database server lacked while it was away is copied again, witnesses and issuers are asked."""
        beside = [
            asyncio.create_task(self._hub.keep_up()),
            asyncio.create_task(ask_witnesses(self._hub, count_witness)),
            asyncio.create_task(self._hub.issuers.run()),
        ]
        for task in beside:
            task.add_done_callback(self._ended)
        try:
            await self.serve(sockets=[listening])
        finally:
            for task in beside:
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What runs beside ends with the server; ended by a bug, the server stops, so that its supervisor starts it again."""
        if not task.cancelled() and (bug := task.exception()):
            LOG.error("broken", kind=type(bug).__name__, exc_info=bug)
            self.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests, and say so."""
        await super().startup(sockets)
        self._tell(READY)

    def stop(self) -> None:
        """Begin to stop."""
        if not self._stopping.is_set():
            self._told_s = time.monotonic()
            self._stopping.set()
            self._tell(STOPPING)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins to stop; the same once more ends at once (Ctrl-C brings SIGINT, then the parent's SIGTERM)."""
        self.stop()
        if sig in self._signals:
            self.force_exit = self.should_exit = True
        self._signals.add(sig)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether the main loop ends now."""
        if counter % 10 == 0:
            self._board.tell()
        if self._stopping.is_set():
            self._leave(time.monotonic() - self._told_s - self._drain_s)
        return await super().on_tick(counter)

    def _leave(self, passed_s: float) -> None:
        """Step 2, `passed_s` seconds after the drain. A turn of the loop lies between the last connection made and the end."""
        if self._closed:
            self.should_exit = not self.server_state.connections or passed_s >= LAST_CALL_S
        elif passed_s >= 0 and self._listening is not None:
            connect_no_more(self._listening)
            self._closed = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours until the end; uvicorn would raise them again, and the hub would not be closed."""
        before = {each: signal.signal(each, self.handle_exit) for each in STOPS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def connect_no_more(listening: socket.socket) -> None:
    """Let the kernel drop whatever arrives for this listening socket; connections it has made already can still be accepted.

    Closing the socket alone would reset those that nobody had accepted yet. The filter is one instruction of classic BPF,
    "keep 0 bytes of every packet" (socket(7), SO_ATTACH_FILTER); a client that tries now tries again in a second.
    """
    if sys.platform != "linux":  # elsewhere a connection made in the last tenth of a second may be reset
        return
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", _BPF_RETURN, 0, 0, 0))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(instruction)))


def _application(hub: OpenHub, board: Board, stopping: Event, worker: str) -> tuple[ASGIApp, Callable[[], None]]:
    """The application as the settings want it, and what ends its traces."""
    told = hub.settings
    if not told.traces.endpoint:
        return _built(hub, hub, board, stopping), lambda: None
    try:
        from ecluse.doors.http.traces import TracedDoor, open_tracer, traced_hub
    except ModuleNotFoundError:
        raise TRACES_ABSENT() from None
    tracer, end = open_tracer(told.traces.endpoint, told.traces.ratio, worker)
    return TracedDoor(_built(hub, traced_hub(hub, tracer), board, stopping), tracer), end


def _built(opened: OpenHub, hub: Hub, board: Board, stopping: Event) -> ASGIApp:
    ports = opened.portal
    sessions = OpenSessions(ports.sessions, ports.idle_s) if ports else None
    door = door_of(opened, sessions)
    browsers = None
    if ports and sessions:
        logins = Logins(ports, opened.issuers, opened.clock, opened.ids)
        passkeys = BoundPasskeys(hub, ports, opened.issuers, logins) if ports.passkey_s else None
        logouts, told = Logouts(ports, opened.clock), ProviderLogouts(ports, opened.issuers, opened.clock)
        browsers = Portal(door, logins, logouts, told, sessions, passkeys)
    return build(
        hub,
        door,
        in_flight_max=opened.settings.http.in_flight_max,
        log_requests=opened.settings.log.requests,
        meters=board,
        stopping=stopping,
        upkeep=opened.stores.upkeep,
        logs=published_logs(opened),
        browsers=browsers,
    )


def door_of(opened: OpenHub, sessions: OpenSessions | None = None) -> Door:
    """Who recognises askers, as the settings want it; with `sessions`, browsers too. Without `http.public_url`,
    production believes no proof: a request does not say under which name it came."""
    http = opened.settings.http
    opened.issuers.heard = count_issuer
    return Door(
        Askers(
            opened.issuers,
            opened.clock,
            opened.proofs,
            nonce_required=http.dpop_nonce,
            sessions=sessions,
            came=opened.sensings.came,
        ),
        public_url=http.public_url or ("" if opened.settings.production else None),
        address_header=http.address_header,
        certificate_header=http.certificate_header,
        has_portal=sessions is not None,
    )


def _config(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
