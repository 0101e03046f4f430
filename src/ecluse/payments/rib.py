"""A practice's bank account changes by two people and a delay: the commonest fraud in payments is a changed RIB.

One operator asks; the practice's old contact is told; another operator confirms, not before the delay is over. Until then, money
goes to the account that was checked. Pure: what was asked, and whether it may be confirmed now.
"""

from __future__ import annotations

import msgspec

from ecluse.kernel.errors import refusal
from ecluse.payments.transfer import Payee

HOUR_US = 3_600_000_000
CONFIRMED_WITHIN_US = 14 * 24 * HOUR_US  # past the delay: what waited longer was forgotten, and is asked for anew
SHOWN_CHARS = 4  # of an IBAN, at its end: banks show as much on a receipt

RIB_REFUSED = refusal(
    "rib_refused",
    409,
    "The account of this practice stays as it is",
    fix="One operator asks, the old contact is told, another operator confirms once the delay is over: ecluse practice rib.",
)


class RibChange(msgspec.Struct, frozen=True):
    """An account that was asked for: by whom, when, why, and after how long it may be confirmed."""

    id: str
    practice: str
    payee: Payee
    asked_by: str
    asked_us: int
    delay_us: int
    reason: str

    @property
    def from_us(self) -> int:
        """From when on it may be confirmed."""
        return self.asked_us + self.delay_us

    def is_open(self, at_us: int) -> bool:
        """Whether it still waits."""
        return at_us < self.from_us + CONFIRMED_WITHIN_US

    def check(self, operator: str, at_us: int) -> None:
        """Raise `rib_refused` unless this operator may confirm it now."""
        if operator == self.asked_by:
            raise RIB_REFUSED("the operator who asked cannot confirm")
        if at_us < self.from_us:
            raise RIB_REFUSED("the delay is not over", fix="Confirm once it is: ecluse practice rib show says when.")


def masked(iban: str) -> str:
    """What may be shown of an IBAN: its country and its end."""
    return f"{iban[:2]}…{iban[-SHOWN_CHARS:]}"
