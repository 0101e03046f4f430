"""Days and periods of days. A period is half-open: it holds `start` and stops before `end`.

Days are days of Europe/Paris; instants are UTC. Nothing here reads a clock.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import msgspec

from ecluse.kernel.errors import refusal

PARIS = ZoneInfo("Europe/Paris")
FOREVER = date.max  # the end of a period that has none yet

S_US = 1_000_000  # a second in microseconds
DAY_US = 86_400 * S_US
_EPOCH, _US = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)

BAD_DAY = refusal("day_invalid", 400, "This is not a day", fix="Write an ISO day: YYYY-MM-DD.")


class Period(msgspec.Struct, frozen=True, array_like=True):
    """Days from `start` on, and before `end`."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def last_day(self) -> date:
        """The last day inside, as people write the end of a period."""
        return self.end - timedelta(days=1) if self.end < FOREVER else FOREVER


def period(first: date, last: date | None) -> Period:
    """The period from `first` to `last`, both inside, as files write it; no `last` means for ever."""
    return Period(first, last + timedelta(days=1) if last and last < FOREVER else FOREVER)


def merge(periods: Iterable[Period]) -> list[Period]:
    """The same days in as few periods as possible, in order: those that touch or overlap become one."""
    merged: list[Period] = []
    for each in sorted(periods, key=lambda one: (one.start, one.end)):
        if merged and each.start <= merged[-1].end:
            merged[-1] = Period(merged[-1].start, max(merged[-1].end, each.end))
        else:
            merged.append(each)
    return merged


def parse_day(text: str, *, pointer: str | None = None) -> date:
    """Read `YYYY-MM-DD`. Raises `day_invalid`."""
    try:
        if len(text) != 10 or text[4] != "-" or text[7] != "-":  # `fromisoformat` also reads 2026-W01-1
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise BAD_DAY("expected YYYY-MM-DD", pointer=pointer) from None


def months_after(day: date, months: int) -> date:
    """The same day of the month, `months` later (earlier if below zero); the last day of that month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if day.day <= 28:  # every month has it: most days need no look at the month's length
        return date(year, month + 1, day.day)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def paris_day(instant: datetime) -> date:
    """The day it is in Paris at `instant` (which knows its zone)."""
    assert instant.tzinfo is not None
    return instant.astimezone(PARIS).date()


def instant(ts_us: int) -> datetime:
    """The instant `ts_us` microseconds after 1970 began, UTC."""
    return datetime.fromtimestamp(ts_us / 1_000_000, UTC)  # exact to the µs until the year 2255


def ts_us(at: datetime) -> int:
    """Microseconds from 1970 until `at` (which knows its zone), exactly: `instant(ts_us(at)) == at`."""
    return (at - _EPOCH) // _US


def month_before(month: str) -> str:
    """`"2026-01"` → `"2025-12"`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1)}-{(number - 2) % 12 + 1:02d}"


def add_working_days(day: date, count: int) -> date:
    """The `count`-th working day after `day`: neither Saturday, Sunday nor a public holiday of metropolitan France."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def is_working_day(day: date) -> bool:
    """Monday to Friday and not a public holiday (article L3133-1 du code du travail)."""
    return day.weekday() < 5 and day not in _holidays(day.year)


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))
