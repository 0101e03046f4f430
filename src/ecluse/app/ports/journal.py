"""The journal read as what it is: shards, each a log with a signed head, and the bytes of their entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

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


class ShardState(msgspec.Struct, frozen=True):
    """A shard as the list has it: `month` as `2026-11`; `size` and `root` (hexadecimal) of one that is over."""

    name: str
    month: str
    state: Literal["open", "frozen", "abandoned"]
    size: int
    root: str
    pruned: int
    has_entries: bool


class Loss(msgspec.Struct, frozen=True):
    """A shard given up: entries `kept`, entries `lost` that were signed once, when the last one kept was written (0: none)."""

    shard: str
    kept: int
    lost: int
    last_ts_us: int
    reason: str


class Archive(Protocol):
    """Shards that are over. Blocks."""

    def shards(self) -> list[ShardState]:
        """Every shard, by name."""
        ...

    def prune(self, shard: str) -> None:
        """Remove a frozen shard's entries; its hashes stay."""
        ...

    def abandon(self, shard: str, reason: str, known: int) -> Loss:
        """Give up a shard that lost entries; `known`: how far a database knows it. Raises `journal_written`, `loss_refused`."""
        ...
