"""Claims and approvals that colleagues of a practice made: its accounts read and cancel them, but none held to `step_up`, nor
endlessly.

A practice's software asks after every claim until it is paid, perhaps many times a day and under another account than the one
that sent it. So what is counted is how many different ones an account reads in a day, of those that others made: as many as the
practice sent in 90 days, and 200 at least. Claims are paid within some twelve days, and approvals stand for 90, so software
that asks after all that is open never meets it; a stolen login, which wants all of them, takes a day for each three months.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from ecluse.gate.admission import Admission
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.days import DAY_US
from ecluse.kernel.errors import refusal

LEAST = 200  # room for a small practice to look at old ones too: some screens of them
LOOK_BACK_DAYS = 90  # as long as an approval holds, and seven times as long as a claim is open
REMEMBERED_MAX = 250_000  # claims that were read, through one process; some 17 MB

COLLEAGUES_READ_MANY = refusal(
    "colleagues_read_many",
    429,
    "Too many claims or approvals that colleagues made were read today",
    fix="Read on tomorrow; own ones, lists and remittances are answered meanwhile.",
)

# A cancellation tells what it cancels, and again each time it is sent: it is one of the readings, and bounded with them.
READ_AS = {
    Operation.CLAIM_CANCELLED: Operation.CLAIM_READ,
    Operation.APPROVAL_CANCELLED: Operation.APPROVAL_READ,
}
Sent = Callable[[str, int], Awaitable[int]]  # how many a practice sent since an instant, in microseconds since 1970
Record = Callable[[Entry], Awaitable[None]]


class Reader(NamedTuple):
    """An account at a practice, and what it reads."""

    account: str
    practice: str
    operation: Operation


@dataclass(slots=True)
class Day:
    """What a reader read of colleagues on a day, how many it may as far as was looked, and whether its refusal is journalled."""

    day: date
    most: int = LEAST
    is_told: bool = False
    read: set[int] = field(default_factory=set)


class Colleagues:
    """Readings of the day, in this process's memory: each process has its own, and ends with it."""

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._days: dict[Reader, Day] = {}
        self._remembered = 0

    async def let_read(self, admission: Admission, made_by: str, sent: Sent, record: Record) -> None:
        """Let who was admitted be shown what an account made (empty: it is not known which, so it was another).

        The first refusal of a day is recorded, for whoever looks who it was. Raises `colleagues_read_many`.
        """
        account = admission.asked.account
        if made_by == account.sub:
            return
        reader = Reader(account.sub, account.practice, _reading(admission))
        today, which = self._today(reader, admission.day), hash(admission.about)
        if which in today.read:
            return
        if len(today.read) >= today.most:
            since_us = admission.at_us - LOOK_BACK_DAYS * DAY_US
            today.most = max(LEAST, await sent(account.practice, since_us))
        if len(today.read) >= today.most:
            if not today.is_told:
                today.is_told = True
                await record(_refusal(admission))
            raise COLLEAGUES_READ_MANY(f"{today.most} in a day")
        self._note(today, which)

    def _today(self, reader: Reader, day: date) -> Day:
        found = self._days.get(reader)
        if found is None or found.day != day:
            self._remembered -= len(found.read) if found else 0
            found = self._days[reader] = Day(day)
        return found

    def _note(self, today: Day, which: int) -> None:
        if self._remembered >= self._remembered_max:
            self._forget()
        self._remembered += which not in today.read
        today.read.add(which)

    def _forget(self) -> None:
        """Half of it, of those who read least: they are far from any bound."""
        for reader, least in sorted(self._days.items(), key=lambda each: len(each[1].read)):
            if self._remembered <= self._remembered_max // 2:
                return
            del self._days[reader]
            self._remembered -= len(least.read)
            least.read.clear()


def _reading(admission: Admission) -> Operation:
    return READ_AS.get(admission.operation, admission.operation)


def _refusal(admission: Admission) -> Entry:
    asked, about = admission.asked, admission.about
    assert isinstance(about, str)
    return act(
        _reading(admission),
        admission.at_us,
        asked.id,
        COLLEAGUES_READ_MANY.code,
        account=asked.account.sub,
        about=about,
    )
