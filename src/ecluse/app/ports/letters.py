"""What letters need from the outside: a press, and a key that outlives a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ecluse.breach.letters.compose import Block, Sheet


class Press(Protocol):
    """Letters as PDF."""

    def pdf(self, sheet: Sheet, blocks: Sequence[Block], values: Mapping[str, str]) -> bytes:
        """One letter, `values` in their places; the same bytes for the same letter."""
        ...


class Composed(Protocol):
    """A letter that a press can print with others."""

    @property
    def pages(self) -> int:
        """Pages with something on them."""
        ...


class BatchPress(Protocol):
    """Many letters as one PDF, for a printer."""

    def compose(self, sheet: Sheet, blocks: tuple[Block, ...], values: Mapping[str, str]) -> Composed:
        """A letter, ready. Raises `letter_not_printed`."""
        ...

    def printed(self, title: str, letters: Sequence[Any]) -> bytes:
        """What was composed here, in this order, each on sheets of its own; the same bytes for the same letters."""
        ...
