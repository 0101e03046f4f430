"""How much of what colleagues made an account reads in a day: as much as its practice sends in ninety, and a floor."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from ecluse.app.colleagues import LEAST, LOOK_BACK_DAYS, Colleagues
from ecluse.gate.admission import Admission, Request
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Entry, Operation
from ecluse.kernel.errors import Refused

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
SENDER = "rpps:10000000001"


def admission(claim: int, reader: str = "rpps:10000000019", at: datetime = AT) -> Admission:
    request = Request(Account(reader, "370000028"), "req_1")
    return Admission(request, Operation.CLAIM_READ, f"clm_{claim}", Presence.TYPED, at)


def read(colleagues: Colleagues, claims: range, *, sent: int = 0, at: datetime = AT, by: str = "rpps:19") -> int:
    """How many of these were shown."""

    async def counted(practice: str, since_us: int) -> int:
        assert (practice, since_us) == ("370000028", int((at - timedelta(days=LOOK_BACK_DAYS)).timestamp() * 1e6))
        return sent

    async def recorded(entry: Entry) -> None:
        assert (entry.account, entry.outcome) == (by, "colleagues_read_many")

    async def all_of_them() -> int:
        shown = 0
        for claim in claims:
            with suppress(Refused):
                await colleagues.let_read(admission(claim, by, at), SENDER, counted, recorded)
                shown += 1
        return shown

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("sent", [0, LEAST, 3 * LEAST])
def test_as_many_as_the_practice_sent_and_a_floor(sent: int) -> None:
    colleagues, most = Colleagues(), max(LEAST, sent)
    assert read(colleagues, range(most + 50), sent=sent) == most
    assert read(colleagues, range(most + 50), sent=sent) == most, "polled again they are free, and the others no easier"
    assert read(colleagues, range(most + 50), sent=most + 10) == most + 10, "it grows with what is sent"
    assert read(colleagues, range(most + 50), at=AT + timedelta(days=1)) == LEAST
    assert read(colleagues, range(10), by="rpps:27") == 10


def test_own_ones_are_not_counted() -> None:
    colleagues = Colleagues()
    assert read(colleagues, range(3 * LEAST), by=SENDER) == 3 * LEAST
    assert read(colleagues, range(LEAST + 1)) == LEAST


def test_who_reads_most_is_remembered_longest() -> None:
    colleagues = Colleagues(remembered_max=5 * LEAST)
    assert read(colleagues, range(LEAST)) == LEAST
    for other in range(20):
        assert read(colleagues, range(LEAST - 50), by=f"rpps:2{other}") == LEAST - 50
    assert read(colleagues, range(LEAST + 1)) == LEAST
    assert read(colleagues, range(LEAST + 5, LEAST + 10)) == 0
