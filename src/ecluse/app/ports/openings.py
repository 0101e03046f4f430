"""Openings by insurer, as they stand in the journal: an index that follows from it and can be made again at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Opening(msgspec.Struct, frozen=True, array_like=True):
    """The first entry that tells an account of a person: where it stands, when it was written (µs). Neither is named in it."""

    id: bytes
    insurer: str
    shard: str
    place: int
    at_us: int


class Openings(Protocol):
    """The index; shared by every process of the hub. Blocks: a millisecond for some hundred openings.

    Of entries with the same id the earliest is kept, whatever the order they come in, so what is kept follows from which
    entries were read and from nothing else.
    """

    @property
    def has_begun(self) -> bool:
        """Whether an insurer ever asked: until then nothing is followed."""
        ...

    def marks(self) -> Mapping[str, int]:
        """How far each shard was followed, in entries."""
        ...

    def follow(self, shard: str, upto: int, found: Sequence[Opening]) -> None:
        """Keep the openings found in a shard up to an entry, and that it was read so far."""
        ...

    def page(self, insurer: str, starts: Mapping[str, int], limit: int) -> tuple[list[Opening], Mapping[str, int]]:
        """An insurer's openings from these entries of each shard on, `limit` at most, in the order of shards and entries; and how
        far each shard was followed when they were read."""
        ...

    def opening(self, insurer: str, id_: bytes) -> Opening | None:
        """One opening; None of another insurer, or of none."""
        ...
