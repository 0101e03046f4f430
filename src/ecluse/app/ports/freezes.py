"""Who froze typed look-ups of their rights; shared by every process of the hub, whatever its store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ecluse.app.ports.carried import Going


class Freeze(msgspec.Struct, frozen=True, array_like=True):
    """What was last said of a person's freeze, and when (µs): frozen, or lifted since."""

    insurer: str
    person: bytes
    is_frozen: bool
    at_us: int


class Freezes(Protocol):
    """People by the reference of their insurer. Every process has seen a change `seen_after_s` after it was made."""

    seen_after_s: float

    def is_frozen(self, insurer: str, person: bytes) -> bool:
        """Whether the person froze typed look-ups; as quick whether or not."""
        ...

    def put(self, insurer: str, person: bytes, *, frozen: bool, at_us: int) -> None:
        """Freeze, or lift it; durable on return. What is older than what is kept changes nothing."""
        ...

    def again(self, some: Sequence[tuple[Freeze, int]]) -> None:
        """The same out of the journal, each with when that told of it (µs), in one transaction."""
        ...

    def resting(self, going: Going, after: Freeze | None, limit: int) -> list[Freeze]:
        """What rests on entries that go, in the order of people; `limit` at most, those that come after one."""
        ...

    def told(self, some: Sequence[Freeze], at_us: int) -> None:
        """The journal told of these again, unless they were changed meanwhile."""
        ...
