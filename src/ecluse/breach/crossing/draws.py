"""Draws that follow from their names: the same seed gives the same people, whichever other leaks are looked at.

BLAKE2b of what is drawn, cut into numbers of 16 bits, each below 1 in steps of 1/65 536. A person is in a leak, and a leak is
joined to another, by draws of their own, so that one leak more changes no draw of the others.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

_SLOTS = Struct("<32H")
SLOTS = 32


def draws(seed: int, run: int, person: int, name: str) -> list[float]:
    """Thirty-two numbers from 0 to below 1."""
    said = f"{seed}|{run}|{person}|{name}".encode()
    return [each / 65_536 for each in _SLOTS.unpack(blake2b(said, digest_size=64).digest())]


def between(interval: tuple[float, float], share: float) -> float:
    """The point of an interval at this share of its length."""
    low, high = interval
    return low + (high - low) * share
