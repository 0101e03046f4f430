"""The system's clock and its random identifiers: the only places where the program meets time and chance."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no I, L, O, U to misread
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


class SystemClock:
    """The `Clock` port on the system's clock."""

    def now(self) -> datetime:
        """This instant, UTC."""
        return datetime.now(UTC)


class RandomIds:
    """The `Ids` port: 48 bits of milliseconds then 52 random bits, so that ids sort by time and cannot be guessed."""

    def new(self, prefix: str) -> str:
        """`prefix` and 20 characters, time-ordered."""
        drawn = int.from_bytes(os.urandom(7)) >> 4
        return prefix + _base32((time.time_ns() // 1_000_000) << 52 | drawn, pairs=10)

    def engagement(self, year: int) -> str:
        """`E`, two digits of the year, 13 random characters (65 bits): nobody guesses another practice's number."""
        return f"E{year % 100:02d}{_base32(int.from_bytes(os.urandom(9)) >> 2, pairs=7)[1:]}"


def _base32(number: int, *, pairs: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(10 * (pairs - 1), -1, -10)])
