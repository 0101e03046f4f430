"""How many long tasks may run at once in this process: a limit for each asker, and one for all.

What takes seconds or minutes is not asked for by the hundred: whoever does is wrong, or wants the hub to stand still for others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ecluse.kernel.errors import refusal

TOO_MANY_AT_ONCE = refusal(
    "too_many_at_once",
    429,
    "As much of this is under way as may be at once",
    fix="Wait for the answers that are being worked on, then ask again.",
    retry_s=10,  # an exposure or a file takes seconds to minutes
)


class Kind(NamedTuple):
    """A kind of task, and how many may run at once: for one asker, and for all."""

    name: str
    own_max: int
    all_max: int


class AtOnce:
    """Counts what is under way. For one event loop: between two awaits nobody else counts."""

    def __init__(self) -> None:
        self._running: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def one(self, kind: Kind, asker: str) -> Iterator[None]:
        """One more, while the block runs. Raises `too_many_at_once`."""
        if self._running[kind.name, asker] >= kind.own_max:
            raise TOO_MANY_AT_ONCE(f"{kind.own_max} of yours")
        if sum(count for (name, _), count in self._running.items() if name == kind.name) >= kind.all_max:
            raise TOO_MANY_AT_ONCE(f"{kind.all_max} of everybody's")
        self._running[kind.name, asker] += 1
        try:
            yield
        finally:
            self._running[kind.name, asker] -= 1
            self._running += Counter()  # those with none are forgotten
