"""A load generator of our own: keep-alive connections that send prepared bytes, in a process of its own.

    python -m bench.load PORT PATH --connections 32 --seconds 5 < questions.jsonl

A line is a body, or a header of its own, a tab, and the body. Each connection sends its next request when the last answer has
come (a closed loop). It spends about 25 µs of its own core a request, and prints one JSON object: answers, seconds, per second,
p50 and p99 in milliseconds, other statuses.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time

import uvloop


class Asker(asyncio.Protocol):
    """One connection: send, wait for the whole answer, note its time, send again until the deadline."""

    def __init__(self, requests: itertools.cycle[bytes], times_s: list[float], deadline_s: float) -> None:
        self._requests = requests
        self._times_s = times_s
        self._deadline_s = deadline_s
        self._received = b""
        self._sent_s = 0.0
        self.others = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take in a piece of the answer."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        now_s = time.perf_counter()
        self._times_s.append(now_s - self._sent_s)
        self.others += b" 200 " not in head[:16]
        self._received = b""
        if now_s < self._deadline_s:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        """End."""
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        self._sent_s = time.perf_counter()
        self._transport.write(next(self._requests))  # type: ignore[attr-defined]


def _length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.index(b"content-length:") + 15
    return int(lowered[at : lowered.find(b"\r", at) if b"\r" in lowered[at:] else len(lowered)])


def prepared(lines: list[bytes], path: str, authorization: str) -> list[bytes]:
    """The bytes of each request."""
    allowed = f"Authorization: {authorization}\r\n" if authorization else ""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\n{allowed}Content-Type: application/json\r\n".encode()
    return [head + _rest(line) for line in lines]


def _rest(line: bytes) -> bytes:
    own, _, body = line.rpartition(b"\t")
    return own + b"\r\n" * bool(own) + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def load(port: int, requests: list[bytes], connections: int, seconds: float) -> dict[str, float]:
    """Ask for `seconds`, and tell how it went."""
    loop = asyncio.get_running_loop()
    times_s: list[float] = []
    started_s = time.perf_counter()
    cycle = itertools.cycle(requests)
    opened = [
        await loop.create_connection(lambda: Asker(cycle, times_s, started_s + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(asker.done for _, asker in opened))
    passed_s = time.perf_counter() - started_s
    times_s.sort()
    return {
        "answers": len(times_s),
        "seconds": round(passed_s, 2),
        "per_s": round(len(times_s) / passed_s),
        "p50_ms": round(1000 * times_s[len(times_s) // 2], 2),
        "p99_ms": round(1000 * times_s[len(times_s) * 99 // 100], 2),
        "others": sum(asker.others for _, asker in opened),
    }


def main() -> None:
    """Read bodies from standard input, one JSON object a line, and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--authorization", default="", help="the header of all requests, such as 'Bearer …'")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    requests = prepared([line.rstrip(b"\n") for line in sys.stdin.buffer], given.path, given.authorization)
    print(json.dumps(uvloop.run(load(given.port, requests, given.connections, given.seconds))))


if __name__ == "__main__":
    main()
