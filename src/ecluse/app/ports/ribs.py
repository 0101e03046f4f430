"""Changes of practices' accounts that wait for their second operator; shared by every process, made again from the journal."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol


class Ribs(Protocol):
    """At most one for each practice, sealed before it gets here. Every change is durable on return."""

    def alone(self) -> AbstractContextManager[None]:
        """Be the only one, in any process, who asks, confirms or drops, until the end of the block. Raises `rib_refused`."""
        ...

    def waiting(self) -> dict[str, bytes]:
        """Those that were asked for and neither confirmed nor dropped, by practice."""
        ...

    def ask(self, practice: str, asked_us: int, sealed: bytes) -> None:
        """Keep what was asked for, and tell the watcher. What is older than what is kept changes nothing of what waits."""
        ...

    def again(self, practice: str, asked_us: int, sealed: bytes) -> None:
        """The same out of the journal; one that is known already tells nobody."""
        ...

    def days(self, practices: Collection[str]) -> set[int]:
        """Days (UTC, from 1970-01-01) on which a change of one of these was asked for, whatever came of it."""
        ...

    def close(self, practice: str, asked_us: int) -> None:
        """What was asked for at that instant, or before, waits no more."""
        ...
