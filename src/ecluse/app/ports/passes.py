"""Passes that were issued, which of them are revoked, and presentations that were accepted already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from ecluse.passes.issued import Pass


class PassRecord(msgspec.Struct, frozen=True):
    """A pass as the hub remembers it: enough to make the very same bytes again, and whose it is (the insurer's reference)."""

    made: Pass
    person: bytes


Make = Callable[[int], PassRecord]  # the pass, once its index is drawn; called in a thread


class PassStore(Protocol):
    """Shared by the processes of one hub's directory."""

    async def issue(self, batch: bytes, wanted: Mapping[int, Make], now_ts: int) -> dict[int, PassRecord]:
        """The passes of these lines of a batch, each made once with an index nobody else is given; durable on return.

        A line that was issued before is the pass it was. Passes that expired long ago are forgotten. Raises `passes_spent`.
        """
        ...

    async def stands(self, held: Pass) -> bytes | None:
        """Whose this pass is, if it was issued exactly so and is not revoked; else None: a signature alone is not believed."""
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


@dataclass(frozen=True, slots=True)
class PassPorts:
    """What passes need: where they are remembered, the public key they are signed under, and the signing, which blocks."""

    store: PassStore
    public: Callable[[], bytes]
    sign: Callable[[bytes], bytes]
