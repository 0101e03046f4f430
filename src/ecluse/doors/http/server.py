"""The HTTP server of one process, and how it stops: nobody who got a connection is left without an answer.

1. Told to stop, it says so: `/readyz` is 503 `stopping`, and every answer closes its connection. It still answers everything.
2. After `drain_s`, once no connection is open or a last call is over, it takes no more connections.
3. What was begun is finished; then the process ends. Told a second time, it ends at once.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

import uvicorn

from ecluse.doors.http.app import build
from ecluse.doors.http.meters import Board
from ecluse.doors.notify import READY, STOPPING
from ecluse.wiring import OpenHub

KEEP_ALIVE_S = 75  # practice software asks every few minutes at most; longer only holds memory
LAST_CALL_S = 1.0  # a client whose connection is open may be sending: it is answered, then told to close
STOP_S = 20  # a stopping worker finishes what it has begun
STOPS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """uvicorn's server with a stop in two steps; `stop` may be called from any thread, any number of times."""

    def __init__(self, hub: OpenHub, tell: Callable[[str], object]) -> None:
        self._stopping = Event()
        self._tell = tell
        self._board = Board(hub.dir / "run")
        self._drain_s = hub.settings.http.drain_s
        self._told_s = 0.0
        self._signals: set[int] = set()
        super().__init__(_config(hub, self._board, self._stopping))

    def answer(self, listening: socket.socket) -> None:
        """Take requests until stopped; `tell` hears READY and STOPPING."""
        self._board.sweep()
        try:
            self.run(sockets=[listening])
        finally:
            self._board.withdraw()

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
            passed_s = time.monotonic() - self._told_s - self._drain_s
            if passed_s >= 0 and (not self.server_state.connections or passed_s >= LAST_CALL_S):
                self.should_exit = True
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours until the end; uvicorn would raise them again, and the hub would not be closed."""
        before = {each: signal.signal(each, self.handle_exit) for each in STOPS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _config(hub: OpenHub, board: Board, stopping: Event) -> uvicorn.Config:
    return uvicorn.Config(
        build(
            hub,
            hub.issuers,
            in_flight_max=hub.settings.http.in_flight_max,
            log_requests=hub.settings.log.requests,
            meters=board,
            stopping=stopping,
        ),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
