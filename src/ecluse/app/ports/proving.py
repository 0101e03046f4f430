"""What proofs are made from: shards with their entries, and the hashes published of them."""

from __future__ import annotations

from typing import Protocol

from ecluse.app.ports.journal import Shards
from ecluse.journal.merkle import Hashes


class Provable(Shards, Protocol):
    """The journal, to prove things of. Blocks."""

    def note(self, shard: str) -> str:
        """A published head of the shard that covers every entry it has, with its cosignatures; waited for a moment.

        Raises `journal_unpublished`.
        """
        ...

    def cosigned(self, shard: str) -> str:
        """The newest head of the shard that witnesses signed; that of `note` when there is none."""
        ...

    def hashes(self, shard: str, size: int) -> Hashes:
        """The hashes of the shard's tree of `size` entries. What it gives raises `ValueError` for a tile that is not there."""
        ...
