"""A cable between hub and server, that can be cut, or go silent: a machine that is lost says nothing, not even goodbye."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

BLOCK_BYTES = 65_536


@dataclass
class Moment:
    """The `nth` message to the server in which `words` are met, one after the other; `reached` once it is there.

    The message is held back; or, `is_answered`, it has gone on and its answer is.
    """

    words: tuple[bytes, ...] = (b"",)
    nth: int = 1
    is_answered: bool = False
    reached: threading.Event = field(default_factory=threading.Event)

    def is_met_by(self, message: bytes) -> bool:
        """Whether this message to the server is the one."""
        if self.words[0] not in message:
            return False
        if len(self.words) > 1:
            self.words = self.words[1:]
            return False
        self.nth -= 1
        return self.nth == 0


class Cable:
    """TCP on a loopback port, passed on to another. `cut` breaks it, `stall` keeps it open and passes nothing on.

    `stall_at` stalls it at a moment of the conversation: what is done to either side meanwhile is done right there.
    """

    def __init__(self, to: str) -> None:
        self._to = urlsplit(to)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._passes = self._call(self._made_event())
        self._ends: set[asyncio.StreamWriter] = set()
        self._moment: Moment | None = None
        self._server: asyncio.Server | None = None
        self.port = 0
        self.resume()

    @property
    def url(self) -> str:
        """The URL of the server, through the cable."""
        user, at, _ = self._to.netloc.rpartition("@")
        return urlunsplit(self._to._replace(netloc=f"{user}{at}127.0.0.1:{self.port}"))

    def cut(self) -> None:
        """Whoever is connected is told at once, whoever connects is refused."""
        self._call(self._cut())

    def stall(self) -> None:
        """Nothing passes any more, and nobody is told; new connections are taken and hear nothing."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def stall_at(self, moment: Moment | None) -> None:
        """Stall when this moment comes; None: go on when it does."""
        self._call(self._stall_at(moment))

    def resume(self) -> None:
        """As before; connections that were cut stay so."""
        self._call(self._resume())

    def remove(self) -> None:
        """Cut it for good."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _made_event(self) -> asyncio.Event:
        return asyncio.Event()

    async def _stall_at(self, moment: Moment | None) -> None:
        self._moment = moment

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            end.transport.abort()

    async def _resume(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._joined, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
        self._passes.set()

    async def _joined(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._ends.add(back)
        forth: asyncio.StreamWriter | None = None
        try:
            await self._passes.wait()
            there, forth = await asyncio.open_connection("127.0.0.1", self._to.port)
            self._ends.add(forth)
            await asyncio.gather(self._ask(here, forth), self._pass(there, back))
        except OSError:
            pass
        finally:
            for end in (back, forth):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(BLOCK_BYTES):
            await self._passes.wait()
            moment = self._moment
            is_now = moment is not None and moment.is_met_by(data)
            if moment is not None and is_now:
                self._moment = None
                self._passes.clear()
                moment.reached.set()
                if not moment.is_answered:
                    await self._passes.wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(BLOCK_BYTES):
            await self._passes.wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@contextmanager
def cable(to: str) -> Iterator[Cable]:
    """A cable to the server of a URL, until the end of the block."""
    made = Cable(to)
    try:
        yield made
    finally:
        made.remove()
