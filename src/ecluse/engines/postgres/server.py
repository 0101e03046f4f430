"""One PostgreSQL server: a pool of connections for each of the hub's roles, with limits, and one word for all that can go wrong.

A connection takes its role in its first message (`engines/roles.py`), so what answers checks cannot change rights, whatever
it is made to say. A server may have several hosts, of which one writes (`hosts.py`); only that one is spoken to.

When it is lost, one task looks for the host that writes, again and again; meanwhile askers are refused at once, so that they do
not wait in line, nor take the place of those who ask other servers. It comes back by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from ecluse.engines.postgres.hosts import CONNECT_S, Primary, primary_of
from ecluse.engines.roles import BOOKS, CHECK, LOAD
from ecluse.engines.schema import hold, named
from ecluse.engines.sql.unit import DATABASE_BUSY
from ecluse.kernel.errors import refusal

WAIT_S = 5  # for a free connection; as long again as the slowest ordinary answer
RETRY_S = 0.05  # between two looks for the host that writes: a promotion takes a tenth of a second
IDLE_S = 60  # a connection nobody used for that long is given back
CLOSE_S = 2  # to take leave of a server; a lost one would never answer
DOUBT_S = 5  # a statement without an answer for that long may be asked of a lost server: another connection finds out
LOOK_UP_S = 3  # a look-up takes a millisecond, but waits for the switch of an insurer's rights: a second at most
READ_S = 30  # a page of a payment run is read in tenths
# How long a connection is held at most: a unit of work may be the payment run of a whole country, a load takes what it takes.
HELD_S = {CHECK: LOOK_UP_S + 1.0, BOOKS: 600.0, LOAD: float("inf")}
LOCK_MS = 10_000  # who waits longer for another's transaction is told `database_busy`
IDLE_IN_WORK_S = 60  # a hub that stands still in the middle of a unit of work holds others up no longer than that

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
    asyncpg.IdleInTransactionSessionTimeoutError,
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
        self.retries = 0  # units of work begun again, and times the server was found again
        self._url = url
        self._connections_max = connections_max
        self._pools: dict[str, asyncpg.Pool[Any]] = {}
        self._primary: Primary | None = None
        self._making = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._is_lost = False

    @asynccontextmanager
    async def connection(self, role: str, held_s: float | None = None) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A connection in that role until the end of the block, or for `held_s` seconds (its role's by default).

        Raises `database_unavailable`, `database_busy`.
        """
        with self.refusing():
            pool = await self._pool(role)
            try:
                taken = await pool.acquire(timeout=CONNECT_S + WAIT_S)
            except TimeoutError:
                raise DATABASE_BUSY("every connection is in use") from None
            doubting = asyncio.create_task(self._doubt(taken, held_s or HELD_S[role]))
            try:
                yield taken
            finally:
                try:
                    await pool.release(taken)
                finally:
                    doubting.cancel()

    async def dedicated(self, role: str) -> asyncpg.Connection[Any]:
        """A connection of its own, outside the pools, for as long as its caller wants.

        Raises `database_unavailable`, and `database_outdated` or `database_newer` where the database is of another revision.
        """
        with self.refusing():
            async with AsyncExitStack() as stack:
                connection = await _connect((await self._found()).url, server_settings=_settings(role))
                stack.callback(connection.terminate)
                await self._held(connection)
                stack.pop_all()  # it is its caller's now
            return connection

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
            self._is_lost = True
            self._look()
            raise DATABASE_UNAVAILABLE(f"server {self.name}: {type(gone).__name__}") from None

    async def close(self) -> None:
        """Give every connection back."""
        if self._looking is not None:
            self._looking.cancel()
        for pool in self._pools.values():
            try:
                async with asyncio.timeout(CLOSE_S):
                    await pool.close()
            except _GONE:
                pool.terminate()
        self._pools.clear()

    async def _pool(self, role: str) -> asyncpg.Pool[Any]:
        primary = await self._found()
        async with self._making:
            if role not in self._pools:
                self._pools[role] = await self._open(primary.url, role)
            return self._pools[role]

    async def _found(self) -> Primary:
        """The host that writes; looked for only once, and again when it was lost."""
        if self._is_lost:
            raise DATABASE_UNAVAILABLE(f"server {self.name} is down")
        async with self._making:
            if self._primary is None and not self._is_lost:
                self._primary = await primary_of(self._url)
        if self._primary is None:
            raise DATABASE_UNAVAILABLE(f"server {self.name} is down")
        return self._primary

    def _look(self) -> None:
        """Have one task look for the host that writes, unless one does."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_until_found())

    async def _look_until_found(self) -> None:
        try:
            while not await self._finds():
                self._is_lost = True
                self._drop()  # whoever waits for an answer of a lost server is told now
                await asyncio.sleep(RETRY_S)
            self.retries += self._is_lost
            self._is_lost = False
        finally:
            self._looking = None

    async def _finds(self) -> bool:
        """Whether the host that writes is found. A former primary, of an older timeline, is not it."""
        try:
            found = await primary_of(self._url)
        except asyncpg.TooManyConnectionsError:
            return self._primary is not None  # it lives: those who work there go on
        except (*_GONE, asyncpg.PostgresError):
            return False
        known = self._primary
        if known is not None and found.timeline < known.timeline:
            return False
        self._primary = found
        if known is not None and known.url != found.url:
            self._drop()
        for pool in self._pools.values():
            await pool.expire_connections()  # those of before may be dead, or may not write any more
        return True

    def _drop(self) -> None:
        for pool in self._pools.values():
            pool.terminate()
        self._pools.clear()

    async def _doubt(self, taken: asyncpg.Connection[Any], held_s: float) -> None:
        """Look whether the server is still there while a caller waits long for it; past its time, end the connection.

        The connection is closed, the statement is not cancelled: a COMMIT that waits for a replica would be told done when it is
        cancelled. Left alone, it holds what it holds until the replica has it, and nobody is told before.
        """
        until_s = time.monotonic() + held_s
        while (left_s := until_s - time.monotonic()) > 0:
            await asyncio.sleep(min(DOUBT_S, left_s))
            self._look()
        taken.terminate()

    async def _open(self, url: str, role: str) -> asyncpg.Pool[Any]:
        pool: asyncpg.Pool[Any] = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=self._connections_max,
            connect=_connect,
            max_inactive_connection_lifetime=IDLE_S,
            server_settings=_settings(role),
            init=self._held,
        )
        return await pool

    async def _held(self, connection: asyncpg.Connection[Any]) -> None:
        """A new connection is refused when its database is of another revision; a database without tables is of none."""
        try:
            revision = str(await connection.fetchval("SELECT version_num FROM alembic_version"))
        except asyncpg.UndefinedTableError:
            revision = ""
        hold(named(self._url), revision)


async def _connect(url: str, **options: Any) -> asyncpg.Connection[Any]:
    """Connect to a host that may write. Too late is `ConnectionError`: the pool says `TimeoutError` when it is all in use.

    Raises `database_outdated` where nobody ever made the hub's roles.
    """
    try:
        return await asyncpg.connect(url, timeout=CONNECT_S, target_session_attrs="read-write", **options)
    except TimeoutError:
        raise ConnectionError from None
    except asyncpg.InvalidParameterValueError:  # the role: all else in the URL was taken when this host was looked for
        hold(named(url), "")
        raise


def _settings(role: str) -> dict[str, str]:
    """What the hub stands on, whatever a database or a user was given as a default."""
    return {
        "role": role,
        "application_name": role,
        # Limits are counted behind an advisory lock: a snapshot taken before it was granted would not see who had it before.
        "default_transaction_isolation": "read committed",
        "statement_timeout": "0",
        "idle_session_timeout": "0",  # a lock of a whole load or move is a session's
        "lock_timeout": f"{LOCK_MS}",
        "jit": "off",  # look-ups are short: compiling one costs more than running it
        **_LOST_CLIENT,
        **_OF_ROLE[role],
    }


# What a hub that is lost, or stands still, held is free again after half a minute; by default, after two hours or never.
_LOST_CLIENT = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
_IDLE = {"idle_in_transaction_session_timeout": f"{IDLE_IN_WORK_S * 1000}"}

_OF_ROLE = {
    CHECK: {
        **_IDLE,
        "statement_timeout": f"{LOOK_UP_S * 1000}",
        # Engagements are copies: a replica may lag with them, what it lacks is copied again from the journal.
        "synchronous_commit": "local",
        # Look-ups come in batches of unknown size against tables of unknown size; the plan is known: the index, each time.
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "enable_bitmapscan": "off",
    },
    BOOKS: _IDLE,  # no statement_timeout: it would cancel a COMMIT that waits for a replica, and have it told done
    LOAD: {},
}
