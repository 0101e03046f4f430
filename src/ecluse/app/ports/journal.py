"""The journal read as what it is: shards, each a log with a signed head, and the bytes of their entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec


class Head(msgspec.Struct, frozen=True):
    """How far one shard goes: its name (`2026-11-w0`), its size in entries, and the signed note that says so."""

    shard: str
    size: int
    checkpoint: str
    is_frozen: bool = False
    pruned: int = 0  # entries below this index are no longer kept


class Shards(Protocol):
    """The journal's shards. Blocks; everything is read again at each call, for others write meanwhile."""

    def heads(self) -> list[Head]:
        """Every shard, by name."""
        ...

    def entries(self, shard: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes of entries `start` until before `end`. Raises `journal_damaged`, `journal_pruned`."""
        ...
