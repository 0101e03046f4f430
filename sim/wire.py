"""A small HTTP/1.1 client over one kept connection: light enough that the latencies it measures are the server's.

It knows what the hub's answers are like (a status, headers, a body of known length) and nothing more of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

TIMEOUT_S = 30.0  # far beyond what a desk would wait: a server that is stuck, not one that is slow


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content_type: str
    body: bytes


class Line:
    """One connection to the hub, opened when first used and kept."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request and its answer. Raises OSError or EOFError when the server is gone, TimeoutError when it is stuck."""
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", f"Content-Length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join(head).encode() + b"\r\n\r\n" + body
        async with asyncio.timeout(TIMEOUT_S):
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
            assert self.reader is not None
            self.writer.write(request)
            return await self._answer(self.reader)

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(fields["content-length"]))
        if fields.get("connection") == "close":
            await self.close()
        return Answer(int(head[0].split(" ")[1]), fields.get("content-type", ""), body)

    async def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self.writer is not None:
            self.writer.close()
            await self.writer.wait_closed()
        self.reader = self.writer = None

    def drop(self) -> None:
        """Forget a connection that broke."""
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None
