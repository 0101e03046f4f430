"""Entries that tell again what still stands, and what to remember once they are durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ecluse.journal.entry import Entry

TOGETHER = 250  # entries written with one sync, each of 60 kB at most: 15 MB
BY_ITSELF = "hub"  # the account of what nobody asked for


class Again(NamedTuple):
    """Entries of one kind, at most `TOGETHER`. Killed before `remember`, they are told once more."""

    entries: Sequence[Entry]
    remember: Callable[[], None]
