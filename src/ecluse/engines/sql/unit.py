"""A unit of work: what a relational engine gives to code that reads and changes several rows as one.

The code is written once, as a coroutine over named statements, and each engine drives it: SQLite runs it to its end without
ever waiting (one writer at a time), PostgreSQL waits for its server between two statements (many writers at a time). So it
says what it must not share with another writer (`hold`), and bears to be run again from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from ecluse.kernel.errors import refusal

Row = Any  # a tuple, by position

DATABASE_BUSY = refusal("database_busy", 503, "The database is busy", fix="Try again in a few seconds.")
INDEX_KEY_NEWER = refusal(
    "index_key_newer", 503, "The insurer's index key was rotated a moment ago", fix="Ask again in a second."
)
Result = TypeVar("Result")


class Reads(Protocol):
    """Questions by the name of their statement."""

    async def one(self, name: str, /, **values: Any) -> Row | None:
        """The first row; None when there is none."""
        ...

    async def all(self, name: str, /, **values: Any) -> list[Row]:
        """Every row."""
        ...


class Undo(Protocol):
    """Part of a unit of work that may still be undone."""

    def undo(self) -> None:
        """When the block ends, nothing of it has happened."""
        ...


class Tx(Reads, Protocol):
    """One transaction. All of it is durable when the unit of work has returned, or nothing of it ever was."""

    async def run(self, name: str, /, **values: Any) -> None:
        """Run one statement."""
        ...

    async def many(self, name: str, /, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each row of values."""
        ...

    async def hold(self, *what: str | bytes) -> None:
        """Nobody else holds `what` until this transaction ends. Hold in the same order everywhere."""
        ...

    def undoable(self) -> AbstractAsyncContextManager[Undo]:
        """A block that can be undone alone; one that raises is."""
        ...


Work = Callable[[Tx], Coroutine[Any, Any, Result]]


class Database(Protocol):
    """One database: reads of the last committed state, and durable units of work."""

    @property
    def reads(self) -> Reads:
        """Outside any unit of work."""
        ...

    async def write(self, work: Work[Result]) -> Result:
        """Run one unit of work, durable on return. What it raises is raised here. Raises `database_busy`."""
        ...

    async def remembered(self, name: str, /, **values: str) -> Any:
        """The first column of the first row, or None; asked again once something may have changed it."""
        ...

    def forget(self) -> None:
        """What is remembered was just changed here: ask again."""
        ...


class Places(Protocol):
    """Which database holds what is an insurer's own."""

    async def of(self, insurer: str) -> Database:
        """Where the insurer is; where it would be, if it is nowhere."""
        ...

    async def write(self, insurer: str, work: Work[Result]) -> Result:
        """Run a unit of work there, once the insurer is there from now on. Raises `insurer_moving`."""
        ...
