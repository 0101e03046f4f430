"""One PostgreSQL server: a pool of connections for each of the hub's roles, with limits, and one word for all that can go wrong.

A connection takes its role in its first message (`engines/roles.py`), so what answers checks cannot change rights, whatever
it is made to say. A server that cannot be reached is refused at once for `RETRY_S`, so that its askers do not wait in line, and
is tried again by the next one after that: it comes back by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from ecluse.engines.roles import BOOKS, CHECK, LOAD
from ecluse.engines.schema import hold, named
from ecluse.engines.sql.unit import DATABASE_BUSY
from ecluse.kernel.errors import refusal

CONNECT_S = 3  # a server on the same network answers in milliseconds; past this it is down, and a desk is waiting
WAIT_S = 5  # for a free connection; as long again as the slowest ordinary answer
RETRY_S = 1  # between two tries to reach a server that is down
IDLE_S = 60  # a connection nobody used for that long is given back
STATEMENT_S = {
    CHECK: 5,
    BOOKS: 120,
    LOAD: 0,
}  # a look-up is a millisecond, a payment run's longest statement some seconds
LOCK_MS = 10_000  # who waits longer for another's transaction is told `database_busy`

DATABASE_UNAVAILABLE = refusal(
    "database_unavailable",
    503,
    "A database server of the hub does not answer",
    fix="Try again in a minute; insurers on other servers are not concerned.",
)

TEXT_INVALID = refusal(
    "text_invalid", 400, "A text holds a zero character", fix="Send the text without it: nothing has such a name."
)

# What the server or the network says when it is gone, going, or no longer the one that writes.
_GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TargetServerAttributeNotMatched,
)
_BUSY = (asyncpg.LockNotAvailableError, asyncpg.TooManyConnectionsError, asyncpg.QueryCanceledError)
_FULL = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError)


class Server:
    """One server. Its pools belong to the event loop that first asks."""

    def __init__(self, name: str, url: str, connections_max: int) -> None:
        self.name = name
        self._url = url
        self._connections_max = connections_max
        self._pools: dict[str, asyncpg.Pool[Any]] = {}
        self._making = asyncio.Lock()
        self._down_until_s = 0.0

    @asynccontextmanager
    async def connection(self, role: str) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A connection in that role until the end of the block. Raises `database_unavailable`, `database_busy`."""
        with self.refusing():
            pool = await self._pool(role)
            try:
                taken = await pool.acquire(timeout=CONNECT_S + WAIT_S)
            except TimeoutError:
                raise DATABASE_BUSY("every connection is in use") from None
            try:
                yield taken
            finally:
                await pool.release(taken)

    async def dedicated(self, role: str) -> asyncpg.Connection[Any]:
        """A connection of its own, outside the pools, for as long as its caller wants. Raises `database_unavailable`."""
        with self.refusing():
            return await asyncpg.connect(self._url, timeout=CONNECT_S, server_settings=_settings(role))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """What PostgreSQL, its driver or the network say, as the hub says it. Their words may quote values: they are dropped."""
        try:
            yield
        except asyncpg.CharacterNotInRepertoireError:
            raise TEXT_INVALID() from None
        except _BUSY as busy:
            raise DATABASE_BUSY(f"server {self.name}: {type(busy).__name__}") from None
        except _FULL as full:
            raise DATABASE_UNAVAILABLE(f"server {self.name}: {type(full).__name__}") from None
        except _GONE as gone:
            self._down_until_s = time.monotonic() + RETRY_S
            raise DATABASE_UNAVAILABLE(f"server {self.name}: {type(gone).__name__}") from None

    async def close(self) -> None:
        """Give every connection back."""
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

    async def _pool(self, role: str) -> asyncpg.Pool[Any]:
        if time.monotonic() < self._down_until_s:
            raise DATABASE_UNAVAILABLE(f"server {self.name} is down")
        if (pool := self._pools.get(role)) is not None:
            return pool
        async with self._making:
            if role not in self._pools:
                self._pools[role] = await self._open(role)
            return self._pools[role]

    async def _open(self, role: str) -> asyncpg.Pool[Any]:
        pool: asyncpg.Pool[Any] = asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._connections_max,
            timeout=CONNECT_S,
            max_inactive_connection_lifetime=IDLE_S,
            server_settings=_settings(role),
            init=self._held,
        )
        return await pool

    async def _held(self, connection: asyncpg.Connection[Any]) -> None:
        """A new connection is refused when its database is of another revision."""
        hold(named(self._url), str(await connection.fetchval("SELECT version_num FROM alembic_version")))


def _settings(role: str) -> dict[str, str]:
    return {
        "role": role,
        "application_name": role,
        "statement_timeout": f"{STATEMENT_S[role] * 1000}",
        "lock_timeout": f"{LOCK_MS}",
        "jit": "off",  # look-ups are short: compiling one costs more than running it
        **(_LOOKING_UP if role == CHECK else {}),
    }


# Look-ups come in batches of unknown size against tables of unknown size; the plan is known: the index, each time.
_LOOKING_UP = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
}
