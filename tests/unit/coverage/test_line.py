"""Lines that doors must refuse, with the field to correct."""

from __future__ import annotations

from typing import Any

import pytest

from ecluse.coverage.line import read_line
from ecluse.kernel.errors import Refused
from ecluse.kernel.money import AMOUNT_CENTS_MAX

GOOD = {"expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%"}


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"expense_cents": -1}, "line_invalid", "/lines/0/expense_cents"),
        ({"base_cents": AMOUNT_CENTS_MAX + 1}, "line_invalid", "/lines/0/base_cents"),
        ({"participation_cents": -1}, "line_invalid", "/lines/0/participation_cents"),
        ({"price_limit_cents": -1}, "line_invalid", "/lines/0/price_limit_cents"),
        ({"quantity": 0}, "line_invalid", "/lines/0/quantity"),
        ({"quantity": 1000}, "line_invalid", "/lines/0/quantity"),
        ({"amo_rate": "101%"}, "line_invalid", "/lines/0/amo_rate"),
        ({"amo_rate": "0.7"}, "rate_invalid", "/lines/0/amo_rate"),
        ({"amo_rate": "7/0"}, "rate_invalid", "/lines/0/amo_rate"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        read_line(**{**GOOD, **wrong}, pointer="/lines/0")
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_the_largest_line_is_taken() -> None:
    assert read_line(AMOUNT_CENTS_MAX, AMOUNT_CENTS_MAX, "100%", 999).expense_cents == AMOUNT_CENTS_MAX
