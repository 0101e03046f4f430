"""Decoys as they are kept: batches, each sealed under the hub's key; made again from the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from ecluse.app.ports.carried import Going


class Kept(msgspec.Struct, frozen=True):
    """A batch: sealed where it stands, empty where it was dropped; when it was planted or dropped (µs)."""

    batch: str
    sealed: bytes
    stands: bool
    at_us: int


class Decoys(Protocol):
    """Which batches stand. Every change is durable on return; another process's is seen at the next call."""

    def put(self, batch: str, sealed: bytes, at_us: int, told_us: int = 0) -> None:
        """Keep a batch that was planted. One that was dropped since stays dropped.

        `told_us`: when the journal told of it, where that was later.
        """
        ...

    def drop(self, batch: str, at_us: int) -> None:
        """A batch stands no more, whether it was put yet or not."""
        ...

    def resting(self, going: Going) -> list[Kept]:
        """What rests on entries that go."""
        ...

    def told(self, some: Sequence[Kept], at_us: int) -> None:
        """The journal told of these again, unless they were dropped meanwhile."""
        ...

    def standing(self) -> Mapping[str, bytes]:
        """The batches that stand, sealed."""
        ...

    def version(self) -> int:
        """A number that rises with each change."""
        ...
