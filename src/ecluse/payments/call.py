"""A call for funds: what one insurer owes for one run, claim by claim. No member is named in it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec


class CallState(StrEnum):
    """Sent to the insurer; its money seen in a statement; a direct debit sent back by its bank."""

    CALLED = "called"
    FUNDED = "funded"
    RETURNED = "returned"


class CallLine(msgspec.Struct, frozen=True):
    """One claim of a call; what is given back to the insurer is negative."""

    claim_id: str
    practice: str
    invoice: str
    amount_cents: int


class CallHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call without its lines. `collect_on` is the day of the direct debit, when the insurer gave a mandate."""

    call_id: str
    run: str
    insurer: str
    state: CallState
    amount_cents: int
    reference: str
    collect_on: date | None = None
    why: str = ""


class Call(CallHead, frozen=True, kw_only=True, omit_defaults=True):
    """A call and its lines."""

    lines: tuple[CallLine, ...]

    def __post_init__(self) -> None:
        assert sum(line.amount_cents for line in self.lines) == self.amount_cents, "lines must add up to the call"
