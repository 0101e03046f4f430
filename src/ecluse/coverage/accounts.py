"""The accounts of guarantees: what a person has used of each, day by day, and what of it counts on a day of care.

An account of a year counts the contract's year; one of months counts any so many months in a row. Both look at days of
care, never at the day a claim came: claims that come out of order are counted as if they had come in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from ecluse.coverage.facts import Side
from ecluse.coverage.guarantee import YEAR, ledger_of, months_of
from ecluse.coverage.line import NOTHING_USED, Used
from ecluse.coverage.product import Product, Row, Year
from ecluse.kernel.days import months_after
from ecluse.rights.model import Covered

Span = tuple[date, date]  # both inside
Spans = Mapping[str, Span]  # by the name of the account: what must be read of it
Dated = tuple[date, Used]
Kept = Mapping[str, Iterable[Dated]]  # by the name of the account: what was used, day by day

_DAY = timedelta(days=1)


def account_name(covered: Covered, row: Row, account: str, side: Side | None) -> str:
    """The name under which a contract's account is kept.

    By what its row speaks of, not by its place or amount: a new version of the table goes on with the same count. Nor by
    its number of months: a child's delay for glasses grows with the child, and the last pair stays the last pair.
    """
    apart = [side] if row.each_side and side else []
    period = [ledger] if (ledger := ledger_of(account)) != YEAR else []
    return "|".join([covered.contract, covered.product, *row.counted_as, *apart, *period])


def year_of(product: Product, covered: Covered, day: date) -> Span:
    """The contract's year that holds `day`."""
    if product.year is Year.CALENDAR or covered.since is None:
        return date(day.year, 1, 1), date(day.year, 12, 31)
    years = day.year - covered.since.year
    first = months_after(covered.since, 12 * years)
    if first > day:
        years -= 1
        first = months_after(covered.since, 12 * years)
    return first, months_after(covered.since, 12 * (years + 1)) - _DAY


def span_of(account: str, product: Product, covered: Covered, day: date) -> Span:
    """The days of care whose use can count on `day`."""
    months = months_of(account)
    if not months:
        return year_of(product, covered, day)
    first = months_after(day, -months)
    while months_after(first, months) <= day:  # the end of a shorter month
        first += _DAY
    return first, months_after(day, months) - _DAY


class Book:
    """What is used of accounts while lines are priced one after the other: what was kept, and what each line adds."""

    def __init__(self, kept: Kept) -> None:
        """Start from what other claims used."""
        self._days = {name: dict(_summed(uses)) for name, uses in kept.items()}

    def used(self, name: str, account: str, span: Span, day: date) -> Used:
        """What counts on `day` of the account kept under `name`."""
        days = {each: used for each, used in self._days.get(name, {}).items() if span[0] <= each <= span[1]}
        months = months_of(account)
        return _fullest(days, day, months) if months else sum(days.values(), NOTHING_USED)

    def add(self, name: str, day: date, used: Used) -> None:
        """A line used that much."""
        days = self._days.setdefault(name, {})
        days[day] = days.get(day, NOTHING_USED) + used


def _summed(uses: Iterable[Dated]) -> dict[date, Used]:
    days: dict[date, Used] = {}
    for day, used in uses:
        days[day] = days.get(day, NOTHING_USED) + used
    return days


def _fullest(days: Mapping[date, Used], day: date, months: int) -> Used:
    """The most that was used in `months` months in a row that hold `day`: a period starts with a use, or on the day."""
    fullest = NOTHING_USED
    for start in {day, *(each for each in days if each <= day)}:
        end = months_after(start, months)
        if end > day:
            inside = sum((used for each, used in days.items() if start <= each < end), NOTHING_USED)
            fullest = Used(max(fullest.acts, inside.acts), max(fullest.cents, inside.cents))
    return fullest
