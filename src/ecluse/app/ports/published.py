"""What the journal publishes of itself, hashes and signed heads, never entries; and what its witnesses said of it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from ecluse.journal.note import Key


class PublicShard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A shard as strangers see it; `size` and `root` (hexadecimal) of one that is over."""

    name: str
    key: str
    state: str = "open"
    size: int = 0
    root: str = ""
    pruned: int = 0


class WitnessSaid(msgspec.Struct, frozen=True):
    """What a witness last answered about a shard: `outcome` is `cosigned`, `refused`, `ahead` or `failed`."""

    witness: str
    shard: str
    outcome: str
    size: int
    at_ts_us: int


class Published(Protocol):
    """The journal's public files. Blocks; None for what is not there. Others write meanwhile."""

    def shards(self) -> list[PublicShard]:
        """Every shard, by name."""
        ...

    def checkpoint(self, shard: str) -> str | None:
        """A shard's published head, with the cosignatures there are of it."""
        ...

    def tile(self, shard: str, name: str) -> bytes | None:
        """A tile, by its path under the shard."""
        ...

    def cosigned(self, shard: str) -> str | None:
        """The newest head of a shard that a witness signed."""
        ...

    def keep_cosigned(self, shard: str, note: str) -> None:
        """Keep that head; it appears whole."""
        ...

    def said(self) -> list[WitnessSaid]:
        """What each witness last answered about each shard."""
        ...

    def keep_said(self, said: list[WitnessSaid]) -> None:
        """Remember it, for whoever looks after the hub."""
        ...

    def take_turn(self) -> bool:
        """Whether this process is the one that asks the witnesses; it stays so until it ends."""
        ...


class Witness(Protocol):
    """Somebody else's witness, over the network."""

    @property
    def key(self) -> Key:
        """What its cosignatures are verified with."""
        ...

    async def submit(self, body: bytes) -> tuple[int, str]:
        """Send `add-checkpoint`; the status and the text of the answer. Raises `OSError` when there is none in time."""
        ...
