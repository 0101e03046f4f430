"""Time, chance, the journal's disk, files out: what every use case leans on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from ecluse.gate.admission import Admission
from ecluse.journal.entry import Entry


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """This instant, UTC."""
        ...


class Ids(Protocol):
    """The only source of identifiers."""

    def below(self, end: int) -> int:
        """A whole number drawn at random, from 0 to below `end`."""
        ...

    def new(self, prefix: str) -> str:
        """`prefix` and 20 time-ordered characters."""
        ...

    def engagement(self, year: int) -> str:
        """An engagement number nobody can guess."""
        ...


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A place in the journal: the writer's slot, and the position after the last byte written."""

    slot: str
    position: int


class Log(Protocol):
    """The journal's disk. Group commit is `app/access.py`'s."""

    def append(self, entries: Sequence[bytes]) -> Mark:
        """Write the batch; durable on return. A failed sync poisons the log: later calls raise `journal_poisoned`."""
        ...

    def ready(self) -> None:
        """Raise what `append` would raise, as far as can be told without writing."""
        ...

    def is_ahead(self, marks: dict[str, int]) -> bool:
        """Whether `unkept` would give something; at once, and nothing is changed. Raises `journal_damaged`."""
        ...

    def unkept(self, marks: dict[str, int]) -> Iterator[tuple[bytes, Mark]]:
        """Entries written after `marks` (position by slot) whose writer is gone, or is this process."""
        ...


class JournalReader(Protocol):
    """The journal, read back."""

    def entry(self, admission: Admission) -> Entry | None:
        """The entry of the request the admission names, of whichever writer; None when the journal has none. Blocks."""
        ...

    def entries(self, admission: Admission, since_us: int, text: str) -> Iterator[Entry]:
        """Entries from an instant on (µs) in which `text` stands, of every writer, in no order. Blocks.

        Raises `journal_damaged`.
        """
        ...


class Post(Protocol):
    """Files out. Each appears whole or not at all, and is durable before anyone can see it."""

    def turn(self) -> AbstractContextManager[None]:
        """Be the one that writes, until the end of the block. Raises `payments_busy` at once while another does."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Write one file under `name` (a relative path); the same name again replaces it in one step."""
        ...

    def put_all(self, contents: Iterable[tuple[str, bytes]]) -> int:
        """Write many, becoming visible in the order given; returns how many."""
        ...

    def stage(self, contents: Iterable[tuple[str, bytes]]) -> Callable[[], None]:
        """Write some, all durable on return and none visible; what makes them visible, in the order given."""
        ...

    def has(self, name: str) -> bool:
        """Whether the file is there, whole."""
        ...

    def read(self, name: str) -> bytes:
        """A file that was written. Raises `FileNotFoundError`, which has the name."""
        ...

    def blocks(self, name: str) -> Iterator[bytes]:
        """The same, some of it at a time, as it was when it was asked for. Raises `FileNotFoundError`."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names of the whole files under a folder, however deep, as they were put; none of a folder that is not there."""
        ...

    def place(self, name: str) -> str:
        """Where the file is, for people."""
        ...


class Schemas(Protocol):
    """Published schemas of messages for the bank."""

    def check(self, document: bytes, message: str) -> None:
        """Assert that `document` is a valid `message` (`pain.001.001.09`…): what goes into it was checked before."""
        ...
