"""A practice's account changes by two people and a delay, and in no other way, whatever is tried in whatever order."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.errors import Refused
from ecluse.payments.rib import CONFIRMED_WITHIN_US, HOUR_US, RibChange, masked
from ecluse.payments.transfer import Payee

DELAY_US = 72 * HOUR_US


@given(st.sampled_from("ab"), st.integers(-HOUR_US, 2 * DELAY_US))
def test_another_operator_confirms_once_the_delay_is_over(who: str, after_us: int) -> None:
    change = RibChange("rib_1", "370000028", Payee("", "", ""), "a", 0, DELAY_US, "")
    is_due = who == "b" and after_us >= DELAY_US
    with nullcontext() if is_due else pytest.raises(Refused, match="rib_refused"):
        change.check(who, after_us)


def test_what_waited_too_long_is_asked_for_anew() -> None:
    change = RibChange("rib_1", "370000028", Payee("", "", ""), "a", 0, DELAY_US, "")
    assert change.is_open(DELAY_US + CONFIRMED_WITHIN_US - 1)
    assert not change.is_open(DELAY_US + CONFIRMED_WITHIN_US)


def test_an_account_is_shown_by_its_end_only() -> None:
    assert masked("FR7630006000011234567890189") == "FR…0189"
