"""The hosts in a server's URL, and which of them writes: the primary of the newest timeline.

A promotion begins a new timeline. So of two hosts that both believe to be the primary, the former one, started again by mistake,
is known by its older timeline. Every host is asked at once: one that is lost, and says nothing, delays nobody.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg

CONNECT_S = 3  # a server on the same network answers in milliseconds; past this it is down, and a desk is waiting
OTHERS_S = 0.2  # how long the other hosts are heard once one has answered: twenty times what a near one needs

# A log file's name begins with its timeline, in hexadecimal. Anybody may ask.
_TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"


@dataclass(frozen=True, slots=True)
class Primary:
    """The host that writes: its timeline, and the URL of this host alone."""

    timeline: int
    url: str


def each_host(url: str) -> tuple[str, ...]:
    """The URL once for each of its hosts (`…@one:5432,two:5432/…`)."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return tuple(urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(","))


async def primary_of(url: str) -> Primary:
    """The host of `url` that takes writes.

    Raises what the last one that refused said: `OSError`, `TimeoutError`, an error of asyncpg.
    """
    waiting = {asyncio.create_task(_asked(each)) for each in each_host(url)}
    found: list[Primary] = []
    refused: BaseException = TimeoutError()
    try:
        patience_s: float = CONNECT_S
        while waiting:
            told, waiting = await asyncio.wait(waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if not told:
                break
            for each in told:
                if (error := each.exception()) is not None:
                    refused = error
                else:
                    found.append(each.result())
                    patience_s = OTHERS_S
    finally:
        for each in waiting:
            each.cancel()
    if not found:
        raise refused
    return max(found, key=lambda each: each.timeline)


async def _asked(url: str) -> Primary:
    connection = await asyncpg.connect(url, timeout=CONNECT_S, target_session_attrs="read-write")
    try:
        return Primary(int(await connection.fetchval(_TIMELINE, timeout=CONNECT_S), 16), url)
    finally:
        connection.terminate()
