"""How often something was tried of late, in this process's memory: for what may fail a few times, and never a thousand."""

from __future__ import annotations

import time
from collections.abc import Callable

HOUR_S = 3_600.0
MISMATCHES_MAX = 10  # passes shown with somebody else's card, in an hour: a desk mistypes a few a day
REMEMBERED_MAX = 20_000  # accounts and passes that fail at once through one process; a few MB


class Tries:
    """Counts by key, each for `within_s` seconds from its first try on. Each process has its own, and ends with it."""

    def __init__(self, within_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._within_s = within_s
        self._now_s = now_s
        self._counted: dict[str, tuple[float, int]] = {}

    def count(self, key: str) -> int:
        """How many there were."""
        since_s, count = self._counted.get(key, (0.0, 0))
        return count if self._now_s() - since_s < self._within_s else 0

    def note(self, key: str) -> None:
        """Count one more."""
        count = self.count(key)
        if count:
            self._counted[key] = self._counted[key][0], count + 1
            return
        if len(self._counted) >= REMEMBERED_MAX:
            self._counted.clear()
        self._counted[key] = self._now_s(), 1
