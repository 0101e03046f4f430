"""How often something was tried within an hour: for what may fail a few times, and never a thousand."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

HOUR_S = 3_600.0
REMEMBERED_MAX = 20_000  # accounts and passes that fail at once through one process; a few MB


class Tried(NamedTuple):
    """Tries of one thing: since when they are counted, and how many there were. An hour after the first they count no more."""

    since_s: float = 0.0
    times: int = 0

    def lately(self, at_s: float) -> int:
        """How many count at this time."""
        return self.times if at_s - self.since_s < HOUR_S else 0

    def again(self, at_s: float) -> Tried:
        """With one more."""
        return Tried(self.since_s, self.times + 1) if self.lately(at_s) else Tried(at_s, 1)


class Tries:
    """Tries by key, in this process's memory: each process has its own, and ends with it."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._tried: dict[str, Tried] = {}

    def count(self, key: str) -> int:
        """How many there were within the hour."""
        return self._tried.get(key, Tried()).lately(self._now_s())

    def note(self, key: str) -> None:
        """Count one more."""
        if key not in self._tried and len(self._tried) >= REMEMBERED_MAX:
            self._tried.clear()
        self._tried[key] = self._tried.get(key, Tried()).again(self._now_s())
