"""hub.db: durable writes in group commit, reads of the last committed state.

Units of work (`engines/sql/unit.py`) that arrive while a commit is being made durable run together in the next
transaction, each in its own savepoint: one that raises undoes itself alone. A caller goes on only when its work is on
disk (`synchronous=FULL`). The work itself runs on the event loop to its end, for SQLite never makes it wait: there is one
writer at a time, so nobody else sees or changes anything meanwhile. Only the COMMIT, which waits for the disk, runs in a
thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Generic

from ecluse.engines.schema import Schema, revision_of
from ecluse.engines.sql.named import statements
from ecluse.engines.sql.unit import DATABASE_BUSY, Result, Row, Work
from ecluse.engines.sqlite.connection import connect

BUSY_S = 10  # a payment run holds the file for less; past this, something is stuck and the caller must know
LOOK_S = 0.005  # how late another process's write may be seen: less than an answer takes under load
BATCH_MAX = 256  # units of work in one commit: bounds what one slow commit delays
PAUSE_S = 0.002  # between two tries for a file another process is writing to


class Reader:
    """Questions to one connection, by the name of their statement; answered at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sql = statements("ecluse.engines.sqlite")

    async def one(self, name: str, /, **values: Any) -> Row | None:
        """The first row; None when there is none."""
        return self._connection.execute(self._sql[name], values).fetchone()

    async def all(self, name: str, /, **values: Any) -> list[Row]:
        """Every row."""
        return self._connection.execute(self._sql[name], values).fetchall()


class Transaction(Reader):
    """The `Tx` of a unit of work: the writer's transaction, which is everybody's turn at once."""

    async def run(self, name: str, /, **values: Any) -> None:
        """Run one statement."""
        self._connection.execute(self._sql[name], values)

    async def many(self, name: str, /, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each row of values."""
        self._connection.executemany(self._sql[name], rows)

    async def hold(self, *what: str | bytes) -> None:
        """Held already: there is one writer."""

    @asynccontextmanager
    async def undoable(self) -> AsyncIterator[_Part]:
        """A savepoint; undone when the block says so, or raises."""
        part = _Part()
        self._connection.execute("SAVEPOINT part")
        ended = False
        try:
            yield part
            ended = True
        finally:
            if part.undone or not ended:
                self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")


class _Part:
    undone = False

    def undo(self) -> None:
        """Nothing of it will have happened."""
        self.undone = True


class Database:
    """One SQLite file of the hub. Not shared between threads; each process opens its own.

    An absent file is refused, for an empty one in its place would hide that claims and money are lost: `part_missing`. So is
    one of another revision: `database_outdated`, `database_newer`.
    """

    def __init__(self, path: Path) -> None:
        _ready(path)
        self._writer = connect(path)
        self.reader = connect(path)
        self.reader.execute("PRAGMA query_only=1")
        self.reads = Reader(self.reader)
        self.seen = Seen(self.reader)
        self._tx = Transaction(self._writer)
        self.retries = 0  # tries for a file that another process was writing to
        self._memory: dict[str, Remembered[Any]] = {}
        self._waiting: list[tuple[Work[Any], asyncio.Future[Any]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def close(self) -> None:
        """Close both connections; work still waiting is lost with its callers, who were told nothing."""
        self._disk.shutdown()
        self.reader.close()
        self._writer.close()

    async def write(self, work: Work[Result]) -> Result:
        """Run one unit of work in group commit; returns once it is durable. What `work` raises is raised here."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        return await done

    async def remembered(self, name: str, /, **values: str) -> Any:
        """The first column of the first row, or None, remembered until another connection writes to the file."""
        memory = self._memory.get(name)
        if memory is None:
            memory = self._memory[name] = Remembered(self, statements("ecluse.engines.sqlite")[name])
        return memory.get(**values)

    def forget(self) -> None:
        """What is remembered was just changed here: ask again."""
        self.seen.look()

    async def _commit_all(self) -> None:
        """Commit batch after batch until nobody waits."""
        try:
            await asyncio.sleep(0)  # let the other requests of this turn of the loop join the batch
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                await self._commit(batch)
        finally:
            self._committing = None

    async def _commit(self, batch: list[tuple[Work[Any], asyncio.Future[Any]]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            self.retries += await _begin_patiently(self._writer)
            outcomes = [self._attempt(work) for work, _ in batch]
            await loop.run_in_executor(self._disk, self._writer.execute, "COMMIT")
            self.seen.look()
        except Exception as broken:  # noqa: BLE001 - not swallowed: every caller of the batch gets it
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            outcomes = [broken] * len(batch)
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            _tell(done, outcome)

    def _attempt(self, work: Work[Any]) -> _Returned | Exception:
        self._writer.execute("SAVEPOINT work")
        try:
            returned = _Returned(_finished(work(self._tx)))
        except Exception as refused:  # noqa: BLE001 - not swallowed: `write` raises it again for its caller
            self._writer.execute("ROLLBACK TO work")
            self._writer.execute("RELEASE work")
            return refused
        self._writer.execute("RELEASE work")
        return returned


class Seen:
    """Which state of the file readers see; some other connection's write makes it another.

    SQLite tells by `PRAGMA data_version`, from memory it shares with every process: 2.6 µs, and three such questions a check.
    Asked once in a millisecond they were 5 % more checks a second; `LOOK_S` late may another process's write be seen, never our
    own.
    """

    def __init__(self, reader: sqlite3.Connection) -> None:
        self._reader = reader
        self._version = -1
        self._looked_s = 0.0

    def version(self) -> int:
        """The number of the state."""
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_S:
            self._looked_s = now_s
            (self._version,) = self._reader.execute("PRAGMA data_version").fetchone()
        return self._version

    def look(self) -> None:
        """This process wrote: look at once."""
        self._looked_s = 0.0


class Remembered(Generic[Result]):
    """What one query gives by key, remembered until some other connection has written to the file."""

    def __init__(self, database: Database, query: str) -> None:
        self._reader = database.reader
        self._seen = database.seen
        self._query = query
        self._version = -1
        self._values: dict[tuple[str, ...], Result | None] = {}

    def get(self, **values: str) -> Result | None:
        """The first column of the first row for these parameters; None when there is no row."""
        key = tuple(values.values())
        version = self._seen.version()
        if version != self._version:
            self._version = version
            self._values.clear()
        if key not in self._values:
            row = self._reader.execute(self._query, values).fetchone()
            self._values[key] = row[0] if row else None
        return self._values[key]


class _Returned:
    def __init__(self, value: object) -> None:
        self.value = value


def _finished(work: Coroutine[Any, Any, Result]) -> Result:
    """What a unit of work returns, run to its end at once."""
    try:
        work.send(None)
    except StopIteration as returned:
        value: Result = returned.value
        return value
    work.close()
    raise AssertionError("a unit of work waited for something other than its own statements")


def _tell(done: asyncio.Future[Any], outcome: _Returned | Exception) -> None:
    if done.cancelled():
        return
    if isinstance(outcome, _Returned):
        done.set_result(outcome.value)
    else:
        done.set_exception(outcome)


async def _begin_patiently(connection: sqlite3.Connection) -> int:
    """Wait for another process's transaction without holding up this process's loop; how many tries were in vain."""
    deadline_s, tries = time.monotonic() + BUSY_S, 0
    while not _try_begin(connection):
        if time.monotonic() > deadline_s:
            raise DATABASE_BUSY()
        tries += 1
        await asyncio.sleep(PAUSE_S)
    return tries


def _try_begin(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as busy:
        if busy.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _ready(path: Path) -> None:
    revision = ""
    if path.exists():  # to connect would make one
        with closing(connect(path)) as connection:
            revision = revision_of(connection)
    Schema(database=f"sqlite:{path.name}", revision=revision).hold()
