"""Passes that were issued, which of them are revoked, and presentations that were accepted already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from ecluse.passes.issued import Pass


class PassRecord(msgspec.Struct, frozen=True):
    """A pass as the hub remembers it: enough to make the very same bytes again, and whose it is (the insurer's reference).

    `mark` says which key signed it (`PassKey.mark`); the store writes it.
    """

    made: Pass
    person: bytes
    mark: bytes = b""


class Signed(msgspec.Struct, frozen=True):
    """How many passes of an insurer a key signed that are neither expired nor revoked, and when the last of them expires."""

    mark: bytes
    insurer: str
    count: int
    until_ts: int


class Room(NamedTuple):
    """How many passes of one insurer, and of one of its people, there may be, revoked or not, until they are forgotten: each has
    taken an index."""

    insurer: int
    person: int


Make = Callable[[int], PassRecord]  # the pass, once its index is drawn; called in a thread


class PassStore(Protocol):
    """Shared by the processes of one hub's directory."""

    async def issue(
        self, batch: bytes, wanted: Mapping[int, Make], now_ts: int, marks: Callable[[], Sequence[bytes]], room: Room
    ) -> dict[int, PassRecord]:
        """The passes of these lines of a batch, each made once with an index nobody else is given; durable on return.

        `marks`: the keys that are trusted, asked for while nobody else issues; the last one signs. A line that was issued
        before is the pass it was, signed anew if its key is trusted no longer; if it is revoked, another pass. Passes that
        expired long ago are forgotten. Raises `passes_spent`, `passes_many`: then none of them is issued.
        """
        ...

    async def miss(self, insurer: str, day: int, rows: int) -> int:
        """Count rows of a day (its ordinal) that named nobody, durably; how many there were before, of every process. Days before
        the day are forgotten."""
        ...

    async def stands(self, held: Pass, mark: bytes) -> bytes | None:
        """Whose this pass is, if it was issued exactly so, under this key, and is not revoked; else None: a signature alone is
        not believed."""
        ...

    async def signed(self, now_ts: int) -> list[Signed]:
        """What stands at this instant, by key and insurer; reads the whole book."""
        ...

    async def take(self, index: int, window: int, nonce: bytes, oldest: int) -> bool:
        """Accept a presentation: False when it was accepted before, by any process, or when the pass was shown too often.

        Windows before `oldest` are forgotten: they are refused by their time.
        """
        ...

    async def revoke(self, insurer: str, index: int, now_ts: int) -> bytes | None:
        """Revoke a pass, durably; whose it is, or None when none of this insurer's has this index. Again changes nothing."""
        ...

    async def revoke_person(self, insurer: str, person: bytes, now_ts: int) -> int:
        """Revoke every pass of a person, durably; how many were not revoked yet."""
        ...

    async def revoked(self) -> tuple[list[int], int]:
        """Indexes revoked, of passes that may still be shown; and how many indexes the list has now."""
        ...

    async def close(self) -> None:
        """Wait for what is being written, and close."""
        ...
