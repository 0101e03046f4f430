"""What the auditor says when something is not true, and how it counts what was."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Lie(Exception):  # noqa: N818 - a lie is what it is
    """The hub said or did something that is not true of the world of `seed`."""

    def __init__(self, seed: int, about: str, expected: object, found: object) -> None:
        super().__init__(f"seed {seed}, {about}: expected {expected!r}, found {found!r}")
        self.seed, self.about, self.expected, self.found = seed, about, expected, found


class Oath:
    """Holds statements against the truth and counts those that held, by invariant."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.held: Counter[str] = Counter()

    def same(self, invariant: str, about: str, found: Any, expected: Any) -> None:
        """`found` is exactly `expected`. Raises `Lie`."""
        if found != expected or type(found) is not type(expected):
            raise Lie(self.seed, f"{about} ({invariant})", expected, found)
        self.held[invariant] += 1

    def true(self, invariant: str, about: str, holds: bool, expected: str, found: Any = None) -> None:
        """`holds` is true; `expected` says in words what was. Raises `Lie`."""
        if not holds:
            raise Lie(self.seed, f"{about} ({invariant})", expected, found)
        self.held[invariant] += 1
