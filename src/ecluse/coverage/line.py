"""A priced line of care, as a professional bills it, and what a guarantee already used this year.

Expense and base are those of the whole line, for all its `quantity` acts or articles; they are not multiplied again.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.money import AMOUNT_CENTS_MAX, BAD_RATE, rate

QUANTITY_MAX = 999  # B2 has three digits at most for a quantity that counts acts or articles

BAD_LINE = refusal("line_invalid", 422, "This line cannot be priced", fix="Correct the field that is named.")


class Line(msgspec.Struct, frozen=True):
    """Expense, base and rate of one line.

    `participation_cents` is the participation forfaitaire or the franchise of the line.
    `price_limit_cents` is the regulated price of a 100 % Santé basket for the whole line, where the rule book knows it.
    `flat_share_cents` stands in the place of the ticket modérateur of a heavy act (article R160-16): the AMO pays that less.
    `majoration_cents` is what the AMO pays less outside the care pathway, where the contract must leave it to the patient.
    `other_amc_cents` is what complementary insurers of higher priority pay: this one pays on what they leave.
    """

    expense_cents: int
    base_cents: int
    amo_rate: Fraction
    quantity: int = 1
    participation_cents: int = 0
    price_limit_cents: int | None = None
    flat_share_cents: int = 0
    majoration_cents: int = 0
    other_amc_cents: int = 0


class Used(msgspec.Struct, frozen=True):
    """What one person used of one account of a guarantee over its period: acts, and cents."""

    acts: int = 0
    cents: int = 0

    def __add__(self, other: Used) -> Used:
        return Used(self.acts + other.acts, self.cents + other.cents)


NOTHING_USED = Used()


def read_line(
    expense_cents: int,
    base_cents: int,
    amo_rate: str,
    quantity: int = 1,
    participation_cents: int = 0,
    price_limit_cents: int | None = None,
    *,
    other_amc_cents: int = 0,
    pointer: str = "",
) -> Line:
    """The line a door received, checked; `pointer` leads to it. Raises `line_invalid` and `rate_invalid`."""
    check_amount(expense_cents, pointer, "expense_cents")
    check_amount(base_cents, pointer, "base_cents")
    check_amount(participation_cents, pointer, "participation_cents")
    check_amount(price_limit_cents or 0, pointer, "price_limit_cents")
    check_amount(other_amc_cents, pointer, "other_amc_cents")
    if not 1 <= quantity <= QUANTITY_MAX:
        raise BAD_LINE(f"quantity is not between 1 and {QUANTITY_MAX}", pointer=f"{pointer}/quantity")
    return Line(
        expense_cents,
        base_cents,
        _read_rate(amo_rate, pointer),
        quantity,
        participation_cents,
        price_limit_cents,
        other_amc_cents=other_amc_cents,
    )


def _read_rate(text: str, pointer: str) -> Fraction:
    try:
        read = rate(text)
    except Refused as refused:
        raise BAD_RATE(refused.detail, pointer=f"{pointer}/amo_rate") from None
    if read.numerator > read.denominator:
        fix = "Write a rate between 0% and 100%."
        raise BAD_LINE("amo_rate is above 100 %", pointer=f"{pointer}/amo_rate", fix=fix)
    return read


def check_amount(cents: int, pointer: str, name: str) -> None:
    """Refuse an amount below zero or above one million euros, field `name` at `pointer`. Raises `line_invalid`."""
    if 0 <= cents <= AMOUNT_CENTS_MAX:
        return
    wrong = "below zero" if cents < 0 else f"above {AMOUNT_CENTS_MAX}"
    raise BAD_LINE(f"{name} is {wrong}", pointer=f"{pointer}/{name}", fix="Write whole cents: 3150 for 31.50 €.")
