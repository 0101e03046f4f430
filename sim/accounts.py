"""What people have used of their guarantees, day of care by day of care, and what quotes hold back: plain lists.

Slow and naive on purpose: every question adds everything up again. Shares no code with the hub.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

Account = tuple[object, ...]  # person, contract, product, what its rows speak of, side, period
Spent = tuple[int, Decimal]  # acts, and euros


@dataclass(frozen=True, slots=True)
class Use:
    """So many acts and euros of an account, for care of that day."""

    account: Account
    day: date
    acts: int
    euros: Decimal


@dataclass(frozen=True, slots=True)
class Held:
    """A use that a quote under an engagement holds back until the last day of the engagement, inside."""

    engagement: str
    until: date
    use: Use


@dataclass
class Accounts:
    """By account: what the claims that stand have used, and what quotes hold back."""

    used: dict[Account, list[Use]] = field(default_factory=dict)
    held: dict[Account, list[Held]] = field(default_factory=dict)

    def known(self, account: Account, engagement: str, today: date) -> list[Use]:
        """What counts for someone who asks `today` under `engagement` (empty: under none), whose own quote does not."""
        held = [each for each in self.held.get(account, []) if each.engagement != engagement and today <= each.until]
        return [*self.used.get(account, []), *(each.use for each in held)]

    def quote(self, engagement: str, until: date, uses: Iterable[Use]) -> None:
        """Hold these back, in the place of all that the engagement held."""
        for account, held in self.held.items():
            self.held[account] = [each for each in held if each.engagement != engagement]
        for use in uses:
            self.held.setdefault(use.account, []).append(Held(engagement, until, use))

    def claim(self, engagement: str, uses: Iterable[Use]) -> None:
        """A claim is accepted: it uses these, and its engagement no longer holds them back."""
        for use in sorted(uses, key=lambda each: each.day):
            self.used.setdefault(use.account, []).append(use)
            if engagement:
                self._release(engagement, use)

    def give_back(self, uses: Iterable[Use]) -> None:
        """A claim is cancelled. What it released stays free."""
        for use in uses:
            self.used[use.account].remove(use)

    def _release(self, engagement: str, use: Use) -> None:
        """Take as much from what the engagement holds: for the same day first, then for others in their order."""
        acts, amount = use.acts, use.euros
        held = self.held.get(use.account, [])
        for each in sorted(held, key=lambda one: (one.use.day != use.day, one.use.day)):
            if each.engagement == engagement:
                fewer, less = min(acts, each.use.acts), min(amount, each.use.euros)
                acts, amount = acts - fewer, amount - less
                rest = Use(use.account, each.use.day, each.use.acts - fewer, each.use.euros - less)
                held[held.index(each)] = Held(engagement, each.until, rest)


def spent(uses: Iterable[Use], period: str, year: tuple[date, date], day: date) -> Spent:
    """What `uses` of an account count on `day`: those of the contract's `year`, or of the fullest months around the day."""
    mine = list(uses)
    period = period.removesuffix("+AMO")
    if period == "Y":
        return total(mine, *year)
    months = int(period.removesuffix("M"))
    windows = [total([], day, day)]
    first = day
    while (last := months_later(first, months) - timedelta(days=1)) >= day:
        windows.append(total(mine, first, last))
        first -= timedelta(days=1)
    return max(acts for acts, _ in windows), max(amount for _, amount in windows)


def total(uses: Iterable[Use], first: date, last: date) -> Spent:
    """Acts and euros of the days from `first` to `last`, both inside."""
    inside = [use for use in uses if first <= use.day <= last]
    return sum(use.acts for use in inside), sum((use.euros for use in inside), Decimal(0))


def year_of(kind: str, since: date, day: date) -> tuple[date, date]:
    """First and last day of the contract's year that holds `day`: the calendar's, or that of a member since `since`."""
    if kind == "calendar":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    years = 0
    while months_later(since, 12 * (years + 1)) <= day:
        years += 1
    return months_later(since, 12 * years), months_later(since, 12 * (years + 1)) - timedelta(days=1)


def months_later(day: date, months: int) -> date:
    """The same day of a later month; its last day if it is shorter."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    for number in (day.day, 30, 29, 28):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")
