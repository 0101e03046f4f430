"""Incidents: their events as the journal has them, sealed; shared by every process of the hub, and made anew from the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ecluse.app.ports.carried import Going


class Kept(msgspec.Struct, frozen=True):
    """One event: which incident, its number there from 1 on, the request of its entry, and what that entry has sealed.

    `is_journalled`: whether its entry is known to be in the journal; one that is not was cut short, and is journalled again.
    """

    incident: str
    number: int
    request: str
    sealed: bytes
    at_us: int
    outcome: str
    is_journalled: bool = False


class Incidents(Protocol):
    """The events of every incident. Every change is durable on return."""

    def names(self) -> list[str]:
        """Every incident, the oldest first."""
        ...

    def events(self, incident: str) -> list[Kept]:
        """The events of one, in their order; none of one that is not known."""
        ...

    def put(self, kept: Kept) -> bool:
        """Keep one more event; false where its number is taken: another process was first, or it is there already."""
        ...

    def journalled(self, incident: str, number: int) -> None:
        """Remember that the entry of this event is in the journal."""
        ...

    def resting(self, going: Going) -> list[Kept]:
        """Events that rest on entries that go."""
        ...

    def told(self, some: Sequence[Kept], at_us: int) -> None:
        """The journal told of these at that instant (µs)."""
        ...

    def unjournalled(self) -> list[Kept]:
        """Events whose entry is not known to be in the journal."""
        ...
