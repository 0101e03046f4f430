"""Days and periods: merging keeps every day and no other, and working days are those of the code du travail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.days import (
    FOREVER,
    PARIS,
    Period,
    add_working_days,
    instant,
    is_working_day,
    merge,
    month_before,
    months_after,
    paris_day,
    parse_day,
    period,
    ts_us,
)
from ecluse.kernel.errors import Refused

ORIGIN = date(2026, 1, 1)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = ORIGIN + timedelta(days=draw(st.integers(0, 40)))
    return Period(start, start + timedelta(days=draw(st.integers(1, 12))))


def days_of(many: list[Period]) -> set[date]:
    every = (ORIGIN + timedelta(days=index) for index in range(80))
    return {day for day in every if any(day in one for one in many)}


@given(st.lists(periods(), max_size=8))
def test_merging_keeps_every_day_in_order_with_a_gap_between(many: list[Period]) -> None:
    merged = merge(many)
    assert days_of(merged) == days_of(many)
    assert all(one.end < after.start for one, after in pairwise(merged))
    assert merge(merged) == merged


@given(st.lists(periods(), max_size=6), st.randoms(use_true_random=False))
def test_merging_does_not_depend_on_the_order(many: list[Period], shuffle: object) -> None:
    other = many.copy()
    shuffle.shuffle(other)  # type: ignore[attr-defined]
    assert merge(other) == merge(many)


@given(st.integers(0, 4000), st.integers(0, 400))
def test_a_period_holds_its_first_and_last_days(start: int, length: int) -> None:
    first = ORIGIN + timedelta(days=start)
    last = first + timedelta(days=length)
    held = period(first, last)
    assert held.last_day == last
    assert first in held
    assert last in held
    assert last + timedelta(days=1) not in held
    assert first - timedelta(days=1) not in held


def test_no_last_day_is_for_ever() -> None:
    assert period(ORIGIN, None) == period(ORIGIN, FOREVER)
    assert period(ORIGIN, None).last_day == FOREVER


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-23", True),  # a Monday
        ("2026-11-21", False),  # a Saturday
        ("2026-04-06", False),  # Easter Monday
        ("2026-05-01", False),
        ("2026-05-14", False),  # Ascension
        ("2026-05-25", False),  # Whit Monday is a public holiday, though many work
        ("2026-12-26", False),  # a Saturday; a holiday in Alsace-Moselle only
        ("2025-12-26", True),  # a Friday; the same
    ],
)
def test_working_days(day: str, works: bool) -> None:
    assert is_working_day(parse_day(day)) is works


def test_seven_working_days_over_christmas() -> None:
    assert add_working_days(date(2026, 12, 23), 7) == date(2027, 1, 5)
    assert add_working_days(date(2026, 11, 21), 0) == date(2026, 11, 21)


@given(st.integers(0, 3000), st.integers(1, 15))
def test_adding_working_days_counts_exactly_those(offset: int, count: int) -> None:
    day = ORIGIN + timedelta(days=offset)
    end = add_working_days(day, count)
    between = [day + timedelta(days=index) for index in range(1, (end - day).days + 1)]
    assert sum(map(is_working_day, between)) == count
    assert is_working_day(end)


@pytest.mark.parametrize("text", ["", "2026-02-30", "20260101", "2026-W01-1", "01/02/2026", "2026-1-1", "٢026-01-01"])
def test_not_a_day(text: str) -> None:
    with pytest.raises(Refused, match="day_invalid"):
        parse_day(text)


def test_the_day_in_paris_begins_before_that_of_utc() -> None:
    assert paris_day(datetime(2026, 11, 23, 23, 30, tzinfo=UTC)) == date(2026, 11, 24)
    assert paris_day(datetime(2026, 7, 1, 22, 0, tzinfo=UTC)) == date(2026, 7, 2)


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.integers(-600, 600))
def test_months_after_is_the_same_day_or_the_last_of_the_month(day: date, months: int) -> None:
    after = months_after(day, months)
    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == months
    assert after.day == day.day or (after.day < day.day and (after + timedelta(days=1)).day == 1)


@given(st.integers(0, 7 * 10**15), st.sampled_from([UTC, PARIS]))
def test_an_instant_is_told_exactly_in_microseconds(us: int, zone: tzinfo) -> None:
    assert ts_us(instant(us).astimezone(zone)) == us


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_the_month_before_a_month_ends_the_day_before_it(day: date) -> None:
    assert month_before(f"{day:%Y-%m}") == f"{day.replace(day=1) - timedelta(days=1):%Y-%m}"
