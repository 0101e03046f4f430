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

    def count(self, insurer: str) -> int:
        """How many people of an insurer are frozen."""
        ...

    def kept(self, insurer: str, person: bytes) -> Freeze | None:
        """What was last said of a person, by any process."""
        ...

    def freeze(self, insurer: str, person: bytes, now_us: int) -> int:
        """Freeze, durably; the instant it counts from: now, or just after what is kept, where a clock went back."""
        ...

    def lift(self, insurer: str, person: bytes, *, at_us: int, told_us: int) -> None:
        """Lift it, durably, as of `at_us`, unless they were frozen since; `told_us`: when the journal told of it."""
        ...

    def again(self, some: Sequence[tuple[Freeze, int]]) -> None:
        """The same out of the journal, each with when that told of it (µs), in one transaction. The newest wins."""
        ...

    def resting(self, going: Going, after: Freeze | None, limit: int) -> list[Freeze]:
        """What rests on entries that go, in the order of people; `limit` at most, those that come after one."""
        ...

    def told(self, some: Sequence[Freeze], at_us: int) -> None:
        """The journal told of these again, unless they were changed meanwhile."""
        ...
