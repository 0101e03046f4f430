"""One seed, one world: every subject draws from its own stream, so that adding a draw here moves nothing there."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, *subject: object) -> random.Random:
    """The random stream of `subject` in the world of `seed`: the same on every machine and Python."""
    text = "/".join([str(seed), *map(str, subject)])
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]))


def weighted(draw: random.Random, choices: Sequence[tuple[T, int]]) -> T:
    """One of `choices`, each as often as its whole weight says."""
    ticket = draw.randrange(sum(weight for _, weight in choices))
    for choice, weight in choices:
        if ticket < weight:
            return choice
        ticket -= weight
    raise AssertionError("a ticket is always drawn below the sum of the weights")


def chance(draw: random.Random, per_mille: int) -> bool:
    """True `per_mille` times in a thousand."""
    return draw.randrange(1000) < per_mille
