"""Bodies are read whole before their request takes a place: a slow or endless sender holds nothing that others need.

Most bodies came whole with their head; those cost nothing here. The others have a deadline, and together a number of bytes: a
connection that waits for its body is a task, a timer and what it has sent so far, a few kilobytes beside the socket itself, so
their number is bounded by open files alone. Streams are not kept: they are only held to a pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from litestar.types import Receive, Scope

from ecluse.doors.http.problems import OVERLOADED, TOO_LARGE
from ecluse.kernel.errors import refusal

BODY_S = 10.0  # from the head to the body's last byte: the largest needs 100 KB/s, a check's 200 bytes anything; nginx's, too
SILENCE_S = 60.0  # between two pieces of a stream: a network that was away comes back, and nginx waits as long
HELD_BYTES_MAX = 64 << 20  # of bodies that have begun to come, in one process: 64 of the largest, thousands of claims

BODY_LATE = refusal("body_late", 408, "The body came too slowly", fix="Send the whole body at once.")
BODY_CUT = refusal(
    "body_cut", 499, "The connection was closed before the body was whole", fix="Send the request again."
)


class Bodies:
    """The bodies that one process is reading. `bytes_max`: how long one may be, by path; `others_bytes_max` on every other."""

    def __init__(self, bytes_max: Mapping[str, int], others_bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._others_bytes_max = others_bytes_max
        self._held_bytes = 0

    async def read(self, scope: Scope, receive: Receive) -> Receive:
        """Wait for the whole body; the value gives it again, as one piece. Raises as `whole`."""
        return _again(await self.whole(scope, receive), receive)

    async def whole(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, once it is there.

        Raises `body_late`, `body_cut`, `too_large`, `overloaded`.
        """
        bytes_max = self._bytes_max.get(scope["path"], self._others_bytes_max)
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(BODY_S):
                while more:
                    piece, more = _told(await receive())
                    body += piece
                    self._held_bytes += len(piece)
                    if len(body) > bytes_max:
                        raise TOO_LARGE()
                    if self._held_bytes > HELD_BYTES_MAX:
                        raise OVERLOADED()
        except TimeoutError:
            raise BODY_LATE(f"not whole after {BODY_S:.0f} s") from None
        finally:
            self._held_bytes -= len(body)
        return bytes(body)


def paced(receive: Receive) -> Receive:
    """The same pieces of a stream, each within `SILENCE_S` of when it is asked for. Raises `body_late`."""

    async def piece() -> Any:
        try:
            async with asyncio.timeout(SILENCE_S):
                return await receive()
        except TimeoutError:
            raise BODY_LATE(f"nothing came for {SILENCE_S:.0f} s") from None

    return piece


def _told(message: Any) -> tuple[bytes, bool]:
    """A piece of a body, and whether there are more. Raises `body_cut`."""
    if message["type"] == "http.disconnect":
        raise BODY_CUT()
    return message.get("body", b""), message.get("more_body", False)


def _again(body: bytes, receive: Receive) -> Receive:
    """What an application asks to find `body` there, and afterwards whatever comes next."""
    waiting: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def message() -> Any:
        return waiting.pop() if waiting else await receive()

    return cast("Receive", message)
