"""The system's clock and random identifiers, as the `Clock` and `Ids` ports: where use cases get time and chance from.

Waits and time limits are measured where they stand, keys drawn by engines that keep them; domain, rules and kernel do neither."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no I, L, O, U to misread
POOL_BYTES = 4096
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


class SystemClock:
    """The `Clock` port on the system's clock."""

    def now(self) -> datetime:
        """This instant, UTC."""
        return datetime.now(UTC)


class RandomIds:
    """The `Ids` port. Identifiers begin with the time, so that tables keyed by them grow at their end."""

    def __init__(self) -> None:
        self._drawn: list[int] = []
        os.register_at_fork(after_in_child=self._forget)

    def new(self, prefix: str) -> str:
        """`prefix` and 20 characters: 48 bits of milliseconds, 52 random bits."""
        return prefix + _base32((time.time_ns() // 1_000_000) << 52 | self._draw() >> 12, pairs=10)

    def engagement(self, year: int) -> str:
        """`E`, two digits of the year, 13 characters: 35 bits of time (1/1024 s), 30 random bits.

        Guessing one is useless besides: an engagement answers only to the practice it was given to.
        """
        ticks = (time.time_ns() << 10) // 1_000_000_000 % (1 << 35)
        return f"E{year % 100:02d}{_base32(ticks << 30 | self._draw() >> 34, pairs=7)[1:]}"

    def below(self, end: int) -> int:
        """A whole number from 0 to below `end`, which is 2^32 at most: each as likely, to one in four thousand million."""
        return self._draw() * end >> 64

    def _draw(self) -> int:
        """64 random bits, from a pool: one system call for hundreds of identifiers."""
        if not self._drawn:
            self._drawn = [*memoryview(os.urandom(POOL_BYTES)).cast("Q")]
        return self._drawn.pop()

    def _forget(self) -> None:
        """A forked child must not draw what its parent draws."""
        self._drawn = []


def first_id(prefix: str, at_us: int) -> str:
    """The smallest identifier that `RandomIds.new` can have made since then."""
    return prefix + _base32((at_us // 1000) << 52, pairs=10)


def made_at_us(identifier: str) -> int | None:
    """When `RandomIds.new` made an identifier, in microseconds since 1970; None for what it did not make."""
    number = 0
    for letter in identifier[-20:]:
        if (place := ALPHABET.find(letter)) < 0:
            return None
        number = number << 5 | place
    return (number >> 52) * 1000


def _base32(number: int, *, pairs: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(10 * (pairs - 1), -1, -10)])
