"""Who froze typed look-ups of their rights; shared by every process of the hub, whatever its store."""

from __future__ import annotations

from typing import Protocol


class Freezes(Protocol):
    """People by the reference of their insurer. Every process has seen a change `seen_after_s` after it was made."""

    seen_after_s: float

    def is_frozen(self, insurer: str, person: bytes) -> bool:
        """Whether the person froze typed look-ups; as quick whether or not."""
        ...

    def put(self, insurer: str, person: bytes, *, frozen: bool, at_us: int) -> None:
        """Freeze, or lift it; durable on return. What is older than what is kept changes nothing."""
        ...
