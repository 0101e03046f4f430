"""Amounts in French, which the sentences are made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.money import as_euros, en_euros


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0,00 €"), (5, "0,05 €"), (3150, "31,50 €"), (99_999, "999,99 €"), (100_000, "1 000,00 €"),
     (123_456_789, "1 234 567,89 €"), (-5, "-0,05 €"), (-100_000, "-1 000,00 €")],
)  # fmt: skip
def test_amounts_in_words(cents: int, text: str) -> None:
    assert en_euros(cents).replace("\u202f", " ").replace("\u00a0", " ") == text


@given(st.integers(-(10**12), 10**12))
def test_people_and_machines_read_the_same_amount(cents: int) -> None:
    said = en_euros(cents).replace("\u202f", "").replace("\u00a0€", "").replace(",", ".")
    assert said == as_euros(cents)
