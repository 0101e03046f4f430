"""Decoys as they are kept: batches, each sealed under the hub's key; made again from the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Decoys(Protocol):
    """Which batches stand. Every change is durable on return; another process's is seen at the next call."""

    def put(self, batch: str, sealed: bytes, at_us: int) -> None:
        """Keep a batch that was planted. One that was dropped since stays dropped."""
        ...

    def drop(self, batch: str, at_us: int) -> None:
        """A batch stands no more, whether it was put yet or not."""
        ...

    def standing(self) -> Mapping[str, bytes]:
        """The batches that stand, sealed."""
        ...

    def version(self) -> int:
        """A number that rises with each change."""
        ...
