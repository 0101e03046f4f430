"""The last question of each account, in this process's memory; the watcher is told only how the next one compares, in classes."""

from __future__ import annotations

import time

from ecluse.gate.features import Features, Last, features

REMEMBERED_MAX = 20_000  # accounts that ask at once through one process; some 5 MB


class LastQuestions:
    """One a process. It holds NIRs, so it is never written, told or shown; a process that ends forgets them."""

    def __init__(self) -> None:
        self._last: dict[str, Last] = {}

    def features(self, account: str, nir: str) -> Features:
        """What the account's question about `nir` has in common with its last one; the number takes that one's place."""
        told, last = features(nir, time.monotonic(), self._last.get(account))
        if len(self._last) >= REMEMBERED_MAX:
            self._last.clear()
        self._last[account] = last
        return told
