"""What letters need from the outside: a press, and a key that outlives a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ecluse.breach.letters.compose import Block, Sheet


class Press(Protocol):
    """Letters as PDF."""

    def pdf(self, sheet: Sheet, blocks: Sequence[Block], values: Mapping[str, str]) -> bytes:
        """One letter, `values` in their places; the same bytes for the same letter."""
        ...
