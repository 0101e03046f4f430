"""An e-process is one for every honest account: exactly, on all short histories, for every rate up to the bound."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.betting import CAREER_S, Capital, Row, bet

DAY_S = 86_400


def worst_mean(row: Row, paid: float, p0: float, left: int) -> float:
    """The highest mean of E and unpaid capital that somebody can reach who hits at most with p0, choosing each rate by the past.

    A mean is linear in the rate, so the worst rate is 0 or p0.
    """
    if not left:
        return row.e_value + 1 - row.paid
    after_hit = worst_mean(bet(row, True, p0, paid, 0), min(1.0, paid * 1.7), p0, left - 1)
    after_miss = worst_mean(bet(row, False, p0, paid, 0), min(1.0, paid + 0.01), p0, left - 1)
    return max(after_miss, p0 * after_hit + (1 - p0) * after_miss)


@pytest.mark.parametrize("p0", [1e-3, 0.03, 0.15, 0.45, 0.75, 0.98])
def test_no_honest_account_has_a_mean_above_one_whatever_it_chooses(p0: float) -> None:
    assert worst_mean(Row(), 0.05, p0, 10) <= 1 + 1e-9


@given(st.floats(1e-6, 0.99), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 0.5))
def test_one_bet_never_gains_in_the_mean(p0: float, part: float, skew: float, money: float, new: float) -> None:
    row = Row(money * skew, money * (1 - skew), money, 0.25)
    rate = p0 * part
    hit, miss = (bet(row, hit, p0, 0.25 + new, 0).e_value for hit in (True, False))
    assert rate * hit + (1 - rate) * miss <= (row.e_value + new) * (1 + 1e-9)


@given(st.lists(st.tuples(st.integers(0, int(CAREER_S) // 3), st.booleans()), max_size=30))
def test_never_more_than_one_is_paid_in_and_nothing_is_taken_back(moments: list[tuple[int, bool]]) -> None:
    capital, at_s, paid = Capital(5, 5), 5, 0.0
    for wait_s, fresh in moments:
        at_s += wait_s
        capital = capital.refreshed(at_s) if fresh else capital
        assert paid <= capital.paid(at_s) + 1e-12
        paid = capital.paid(at_s)
        assert paid <= 1 + 1e-9


def test_of_many_honest_accounts_at_the_bound_few_ever_reach_twenty() -> None:
    draw, reached = Random(22), 0
    capital = Capital(0, 0)
    for _ in range(600):
        row = Row()
        for day in range(250):
            row = bet(row, draw.random() < 0.3, 0.3, capital.paid(day * DAY_S), 0)
            if row.e_value >= 20:
                reached += 1
                break
    assert reached <= 600 / 20  # Ville; 7 to 8 were paid for: a quarter is bet at opening


def test_a_long_theft_stays_a_number_and_years_of_honesty_are_forgotten() -> None:
    row, capital = Row(), Capital(0, 0)
    for _ in range(5_000):
        row = bet(row, True, 0.001, 0.25, 0)
    assert 1e30 < row.e_value < 1e300
    honest = Row()
    for question in range(50_000):
        honest = bet(honest, False, 0.05, capital.paid(question * 900), 0)
    assert honest.e_value < 1e-4
    later_s = 50_000 * 900 + DAY_S
    for _ in range(14):
        honest = bet(honest, True, 0.05, capital.refreshed(later_s).paid(later_s), later_s)
    assert honest.e_value > 1e6


def test_money_is_only_taken_out() -> None:
    row = Row(600.0, 300.0, 100.0, 0.5)
    assert row.at_most(10.0).e_value == pytest.approx(10)
    assert row.at_most(1e9).e_value == pytest.approx(1000)
    assert Row().at_most(10.0).e_value == 0
