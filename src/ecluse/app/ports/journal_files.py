"""The journal as files: what an inspection reads, whether they belong to this hub or are somebody's copy."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from ecluse.journal.verify import Files


class SignedHead(msgspec.Struct, frozen=True):
    """A signed head of a shard, and the file it was found in."""

    file: str
    note: str


class ShardTold(msgspec.Struct, frozen=True):
    """What is told of a shard: its key (a vkey), its state and, once it is not open, its size and root (hexadecimal)."""

    name: str
    key: str
    state: Literal["open", "frozen", "abandoned"]
    size: int
    root: str
    pruned: int
    heads: tuple[SignedHead, ...]


class JournalFiles(Protocol):
    """A journal's folder, and the second home of its heads where there is one. Blocks."""

    def shards(self) -> list[ShardTold]:
        """Every shard, by name. Raises `ValueError` when the list of them does not read."""
        ...

    def strays(self) -> list[str]:
        """Logs and heads that no shard of the list explains."""
        ...

    def files(self, shard: str) -> Files:
        """The files of one shard."""
        ...
