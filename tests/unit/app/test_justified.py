"""What justifies an opening, day by day for a year, as the loader's daily look finds it: claims that come, and that come back."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ecluse.app.allowance import Allowance
from ecluse.app.ports.allowances import Ask
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.gate.allowance import YEAR_DAYS, Caps, CapTable
from ecluse.gate.presence import Presence
from ecluse.kernel.days import DAY_US

ACCOUNT, PLACE, PERSON = "rpps:1", "750000001", b"p" * 16
CAPS = CapTable(date(2026, 11, 30), "a test", {"other": Caps(debt=9, burst=9, refill_per_day=9, yearly=9)})
OPENED = datetime(2026, 11, 30, 9, tzinfo=UTC)

# Days after the opening on which a claim is settled, and comes back; and those on which the opening is justified, both inside.
STORIES = {
    "it stands, and goes on to justify when it is old": ((20,), (), [(20, 364)]),
    "it was sent before the account asked": ((-60,), (), [(0, 364)]),
    "it comes too late": ((91,), (), []),
    "it comes on the last day": ((90,), (), [(90, 364)]),
    "it comes back": ((20,), (80,), [(20, 79)]),
    "it comes back when claims come no more": ((20,), (91,), [(20, 90)]),
    "it comes back at the end of the year": ((20,), (360,), [(20, 359)]),
    "it comes back and is sent again": ((20, 50), (40,), [(20, 39), (50, 364)]),
    "it comes back, and is sent again too late": ((20, 110), (100,), [(20, 99)]),
}


class Moving:
    def __init__(self) -> None:
        self.day = 0

    def now(self) -> datetime:
        return OPENED + timedelta(days=self.day)


class Claims:
    """One person's claims at a practice."""

    def __init__(self, clock: Moving, came: tuple[int, ...], went: tuple[int, ...]) -> None:
        self.clock, self.came, self.went = clock, came, went

    async def settled(self, practice: str, since_ts_us: int) -> set[bytes]:
        assert practice == PLACE
        came = max((day for day in self.came if day <= self.clock.day), default=None)
        is_back = came is None or any(came < day <= self.clock.day for day in self.went)
        sent = OPENED + timedelta(days=came or 0)
        return set() if is_back or sent.timestamp() * 1_000_000 < since_ts_us else {PERSON}


@pytest.mark.parametrize(("came", "went", "justified"), STORIES.values(), ids=STORIES)
def test_an_opening_is_justified_as_long_as_its_claim_stands(
    tmp_path: Path, came: tuple[int, ...], went: tuple[int, ...], justified: list[tuple[int, int]]
) -> None:
    clock = Moving()
    store = LocalAllowances(tmp_path / "gate.db", CAPS)
    allowance = Allowance(clock, store, Claims(clock, came, went))  # type: ignore[arg-type]
    ask = Ask(ACCOUNT, PLACE, "", PERSON, Presence.TYPED, int(OPENED.timestamp()) * 1_000_000)
    assert allowance.take([ask]) == [""]
    asyncio.run(allowance.look(ACCOUNT))
    found = [asyncio.run(weighs(clock, allowance, day)) for day in range(YEAR_DAYS + 2)]
    expected = [not any(first <= day <= last for first, last in justified) for day in range(YEAR_DAYS)]
    assert found == [*expected, False, False]
    clock.day += 1
    assert asyncio.run(allowance.look_at_all(10)) == 0, "nothing of the year is left to look for"
    store.close()


async def weighs(clock: Moving, allowance: Allowance, day: int) -> bool:
    """Whether the opening is in the year's count, once the loader has looked on that day."""
    clock.day = day
    await allowance.look_at_all(10)
    found = allowance.store.position(ACCOUNT, int(clock.now().timestamp()) * 1_000_000 // DAY_US)
    assert found is not None
    return bool(found.standing.year)
