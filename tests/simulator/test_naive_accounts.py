"""The auditor's accounts, on stories worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sim.accounts import Account, Accounts, Use, months_later, spent, year_of

ACCOUNT: Account = ("person", "contract", "Y")
TODAY, LAST = date(2026, 11, 24), date(2026, 12, 24)


def use(day: str, acts: int = 1, euros: int = 30) -> Use:
    return Use(ACCOUNT, date.fromisoformat(day), acts, Decimal(euros))


def known(accounts: Accounts, engagement: str, today: date = TODAY) -> list[tuple[str, int, int]]:
    uses = accounts.known(ACCOUNT, engagement, today)
    return [(each.day.isoformat(), each.acts, int(each.euros)) for each in uses if each.acts or each.euros]


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-11-24", 24, "2028-11-24"),
        ("2026-12-31", 2, "2027-02-28"),
    ],
)
def test_months(day: str, months: int, later: str) -> None:
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(later)


def test_a_year_is_the_calendars_or_that_of_the_membership() -> None:
    since, day = date(2024, 3, 10), date(2026, 3, 9)
    assert year_of("calendar", since, day) == (date(2026, 1, 1), date(2026, 12, 31))
    assert year_of("membership", since, day) == (date(2025, 3, 10), date(2026, 3, 9))


def test_months_are_the_fullest_around_the_day_before_and_after() -> None:
    uses = [use("2024-12-01"), use("2026-11-30"), use("2026-12-02")]
    year = year_of("calendar", TODAY, TODAY)
    assert spent(uses, "24M", year, TODAY) == (2, Decimal(60))  # the first and the second, or the two last: never all
    assert spent(uses, "24M", year, date(2028, 12, 1)) == (1, Decimal(30))
    assert spent(uses, "Y", year, TODAY) == (2, Decimal(60))


def test_a_quote_holds_back_from_others_until_its_last_day() -> None:
    accounts = Accounts()
    accounts.quote("E1", LAST, [use("2026-11-24", 2)])
    assert known(accounts, "E1") == []
    assert known(accounts, "E2") == known(accounts, "", LAST) == [("2026-11-24", 2, 30)]
    assert known(accounts, "", date(2026, 12, 25)) == []
    accounts.quote("E1", LAST, [])
    assert known(accounts, "") == []


def test_a_claim_releases_the_same_day_first_then_others_in_their_order() -> None:
    accounts = Accounts()
    accounts.quote("E1", LAST, [use("2026-11-20"), use("2026-11-24"), use("2026-11-22")])
    accounts.quote("E2", LAST, [use("2026-11-24")])
    spent_now = use("2026-11-24", 2, 40)
    accounts.claim("E1", [spent_now])
    assert known(accounts, "E2") == [("2026-11-24", 2, 40), ("2026-11-20", 0, 20), ("2026-11-22", 1, 30)]
    accounts.give_back([spent_now])
    assert known(accounts, "E2") == [("2026-11-20", 0, 20), ("2026-11-22", 1, 30)]
