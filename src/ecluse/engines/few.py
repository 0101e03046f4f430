"""A gate for a few at a time, first come first served: some more may wait a moment, the rest are refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Few:
    """`at_once`: how many do it at the same time; `queued_max`: how many more wait, for `wait_s` seconds at most."""

    def __init__(self, at_once: int, queued_max: int, wait_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._queued_max, self._wait_s = queued_max, wait_s
        self._queued = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places, until the end of the block. Raises `OSError` when none is free in time."""
        await self._got()
        try:
            yield
        finally:
            self._free.release()

    async def _got(self) -> None:
        if self._free.locked() and self._queued >= self._queued_max:
            raise OSError("too many wait")
        self._queued += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        finally:
            self._queued -= 1
