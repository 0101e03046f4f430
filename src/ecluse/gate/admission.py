"""What was admitted: who asks, about whom, for which request. Every store method that reads a person's data demands it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ecluse.gate.features import NOTHING, Features
from ecluse.gate.identity import FORBIDDEN, Account
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Operation
from ecluse.kernel.days import paris_day, ts_us


class Person(msgspec.Struct, frozen=True):
    """One person as asked about: the insurer, and the keyed pseudonyms of what the card says, one for each version of the
    insurer's index key, the oldest first; none when the insurer is not served. A store reads by the version its rows have.

    `features`: what the question has in common with the one before it; `asked`: 64 bits of a pseudonym, served or not.
    """

    insurer: str
    keys: tuple[bytes, ...]
    by_member: bool
    features: Features = NOTHING
    asked: int = 0


class Request(msgspec.Struct, frozen=True):
    """Who asks, the id of the request they will be answered under, and the network they ask from (`gate/network.py`)."""

    account: Account
    id: str
    network: str = ""

    def require_practice(self) -> str:
        """The place that asks. Raises `forbidden` when the token names none."""
        if not self.account.practice:
            raise FORBIDDEN("this token names no practice")
        return self.account.practice


class Admission:
    """The right to read about one person, one engagement or one's own claims, for one request. Made by
    `Desk.admit` (app/access.py) only. `day` is the day it was in Paris, `at_us` the microseconds since 1970."""

    __slots__ = ("about", "asked", "at_us", "day", "is_slowed", "operation", "presence")

    def __init__(
        self,
        asked: Request,
        operation: Operation,
        about: Person | str,
        presence: Presence,
        at: datetime,
        *,
        is_slowed: bool = False,
    ) -> None:
        self.asked = asked
        self.operation = operation
        self.about = about
        self.presence = presence
        self.at_us = ts_us(at)
        self.day = paris_day(at)
        self.is_slowed = is_slowed
