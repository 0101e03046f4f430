"""What a payment run decides, on small values: whom to pay, how much, in how many transfers, by when.

The law of a run: *due = owed − ordered*. What a claim owes its practice is its amount while it stands and nothing
once cancelled; what was ordered is the sum of its lines in remittances the bank has not returned. Everything else
(recoveries, transfers that came back, recoveries that came back) follows from this one subtraction, so nothing is
lost or counted twice. What an insurer is called for obeys the same law, with calls in the place of remittances.
The subtraction itself is SQL: `due_first`, `due_again` and `add_call_lines` in `engines/sql/payments.sql`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays
import msgspec

TRANSFER_CENTS_MAX = 99_999_999_999  # 999 999 999.99 €: the largest amount of one SEPA transfer (EPC132-08)
TRANSFERS_PER_FILE_MAX = 10_000  # banks take far more; this keeps a file near 4 MB, for any channel and any eye


class Decision(StrEnum):
    """What a run does with one practice."""

    PAY = "pay"
    WAIT = "wait"  # nothing above zero is due: its lines stay for a later run
    HOLD = "hold"  # no bank details
    SPLIT = "split"  # more than one transfer can carry


class Kind(StrEnum):
    """What a line of a remittance does."""

    PAYMENT = "payment"
    RECOVERY = "recovery"


class Balance(msgspec.Struct, frozen=True, array_like=True):
    """What one practice is due: `lines` claims that sum to `net_cents`; `payable` when its bank details are known."""

    practice: str
    lines: int
    net_cents: int
    payable: bool


def kind(amount_cents: int) -> Kind:
    """A line is a payment, or takes back."""
    return Kind.RECOVERY if amount_cents < 0 else Kind.PAYMENT


def decide(balance: Balance, limit_cents: int = TRANSFER_CENTS_MAX) -> Decision:
    """Pay what is above zero to a known account; the rest waits or is held, and is never dropped."""
    if balance.net_cents <= 0:
        return Decision.WAIT
    if not balance.payable:
        return Decision.HOLD
    return Decision.PAY if balance.net_cents <= limit_cents else Decision.SPLIT


def pack(amounts_cents: Sequence[int], limit_cents: int = TRANSFER_CENTS_MAX) -> list[int]:
    """The transfer (0, 1, …) each line goes into: every transfer's sum is above zero and within the limit.

    Needs a sum above the limit and no single line above it. Recoveries go first, where the payments that follow cover
    them.
    """
    assert sum(amounts_cents) > limit_cents >= max(amounts_cents)
    parts = [0] * len(amounts_cents)
    part, filled = 0, 0
    for at in sorted(range(len(amounts_cents)), key=lambda one: (amounts_cents[one] >= 0, one)):
        if filled + amounts_cents[at] > limit_cents:
            part, filled = part + 1, 0
        parts[at], filled = part, filled + amounts_cents[at]
    last = part if filled > 0 else part - 1  # a tail of zero-cent lines joins the transfer before
    return [min(one, last) for one in parts]


def banking_day(day: date) -> date:
    """`day`, or the first day after it on which euro transfers are settled (TARGET calendar)."""
    while day.weekday() >= 5 or day in _closings(day.year):
        day += timedelta(days=1)
    return day


def collection_day(execute_on: date) -> date:
    """The banking day after the transfers: a core direct debit reaches the bank one banking day before (EPC016-06)."""
    return banking_day(execute_on + timedelta(days=1))


@lru_cache(maxsize=64)
def _closings(year: int) -> frozenset[date]:
    return frozenset(holidays.financial_holidays("ECB", years=year))
