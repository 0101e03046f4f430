"""Cents and rates: rounding is half up and nothing else, and what is written is what is read back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.errors import Refused
from ecluse.kernel.money import AMOUNT_CENTS_MAX, as_euros, en_euros, euros, rate, share_cents

AMOUNTS = st.integers(0, AMOUNT_CENTS_MAX)
RATES = st.fractions(0, 1, max_denominator=10_000)


@pytest.mark.parametrize(
    ("base_cents", "written", "share"),
    [
        (1075, "70%", 753),  # 7.525: dr-charles-amelie.chirurgiens-dentistes.fr
        (1928, "70%", 1350),  # 13.496
        (284, "65%", 185),  # 1.846
        (795, "65%", 517),  # 5.1675
        (2886, "60%", 1732),  # 17.316; some sites print the truncation, 17.31
        (1, "1/2", 1),
        (3, "1/6", 1),
        (0, "70%", 0),
    ],
)
def test_published_shares(base_cents: int, written: str, share: int) -> None:
    assert share_cents(base_cents, rate(written)) == share


@given(AMOUNTS, RATES)
def test_rounding_moves_by_at_most_half_a_cent_and_a_half_goes_up(amount: int, of: Fraction) -> None:
    assert -Fraction(1, 2) < share_cents(amount, of) - amount * of <= Fraction(1, 2)


@given(AMOUNTS)
def test_whole_cents_do_not_move(cents: int) -> None:
    assert share_cents(cents, Fraction(1)) == cents
    assert share_cents(2 * cents + 1, Fraction(1, 2)) == cents + 1


@given(AMOUNTS, AMOUNTS, RATES)
def test_a_larger_amount_never_has_a_smaller_share(one: int, other: int, of: Fraction) -> None:
    small, large = sorted((one, other))
    assert share_cents(small, of) <= share_cents(large, of) <= large


@given(AMOUNTS, RATES)
def test_the_two_shares_miss_the_whole_by_at_most_a_cent(amount: int, of: Fraction) -> None:
    # Why the patient's share is the rest, and never a second rounding.
    assert 0 <= share_cents(amount, of) + share_cents(amount, 1 - of) - amount <= 1


@given(AMOUNTS)
def test_euros_are_read_back(cents: int) -> None:
    assert euros(as_euros(cents)) == cents
    assert as_euros(-cents).lstrip("-") == as_euros(cents)


@given(st.integers(0, 10_000))
def test_a_rate_reads_the_same_as_percentage_and_fraction(hundredths: int) -> None:
    assert rate(f"{hundredths // 100}.{hundredths % 100:02d}%") == rate(f"{hundredths}/10000")


@pytest.mark.parametrize("text", ["", "70", "0.7", "7/0", "-7/10", "70 %%", "٧0%", "1e2%"])
def test_not_a_rate(text: str) -> None:
    with pytest.raises(Refused, match="rate_invalid"):
        rate(text)


@pytest.mark.parametrize("text", ["", "31,50", "31.505", "-1.00", "1e3", "12345678.00", "٣1.50"])
def test_not_an_amount(text: str) -> None:
    with pytest.raises(Refused, match="amount_invalid"):
        euros(text)


def test_amounts_as_people_read_them() -> None:
    assert en_euros(3150) == "31,50\u00a0€"
    assert en_euros(123456789) == "1\u202f234\u202f567,89\u00a0€"
    assert en_euros(-5) == "-0,05\u00a0€"
