"""A prior approval (prise en charge): what was promised for a devis, until when, and the table its life must follow.

Values only. The promise never changes: the contracts, their guarantee tables and the priced lines stay as they were given.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from ecluse.claims.claim import Fault, Priced
from ecluse.kernel.errors import refusal
from ecluse.rights.model import Covered, Domain

DOMAINS = (Domain.OPTI, Domain.DENT, Domain.AUDI)  # care by devis: glasses, prostheses, hearing aids
# Between a devis and the care: glasses take weeks, a prosthesis or the trial of a hearing aid some two months. Rights are
# checked no further ahead either (app/rights.py, CARE_AHEAD_DAYS_MAX): beyond, nobody can promise.
VALID_DAYS = 90
# Between the care and its claim: a practice that gives care on the last day must still be able to bill it.
BILLING_DAYS = 30


class State(StrEnum):
    """Where an approval is. `refused` and `cancelled` are final; `expired` is decided by the day, and never written."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    USED = "used"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Move(StrEnum):
    """What can happen to an approval."""

    GRANT = "grant"
    REFUSE = "refuse"
    USE = "use"
    GIVE_BACK = "give_back"
    REOPEN = "reopen"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


MOVES: dict[tuple[State, Move], State] = {
    (State.ASKED, Move.GRANT): State.GRANTED,
    (State.ASKED, Move.REFUSE): State.REFUSED,
    (State.GRANTED, Move.USE): State.USED,
    (State.USED, Move.USE): State.USED,  # care of one devis may be billed in several claims
    (State.USED, Move.GIVE_BACK): State.USED,  # a claim was cancelled, another still stands
    (State.USED, Move.REOPEN): State.GRANTED,  # the last claim was cancelled
    (State.GRANTED, Move.CANCEL): State.CANCELLED,
    (State.GRANTED, Move.WITHDRAW): State.CANCELLED,  # by the hub: the account was another's when it asked
    (State.USED, Move.WITHDRAW): State.USED,  # what is billed stays, the rest is promised no more
    (State.GRANTED, Move.EXPIRE): State.EXPIRED,
}

APPROVAL_CLOSED = refusal(
    "approval_closed",
    409,
    "The approval is past that",
    fix="Read its state with GET /v1/approvals/{id}; cancel the claims under it first.",
)
REFERENCE_REUSED = refusal(
    "reference_reused", 409, "This reference was used for another approval", fix="Give the new devis its own reference."
)


def after(state: State, move: Move) -> State:
    """The state that `move` leads to. Raises `approval_closed`."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise APPROVAL_CLOSED(f"an approval that is {state} has no move {move!r}") from None


class Promised(msgspec.Struct, frozen=True, array_like=True):
    """The part of an approval that is sealed under the insurer's key.

    `covered` names the guarantee table of each contract; `care_from` is the first day of care; `account` who asked, empty where
    that was not kept yet.
    """

    domain: Domain
    covered: tuple[Covered, ...]
    care_from: date
    lines: tuple[Priced, ...]
    faults: tuple[Fault, ...]
    account: str = ""


class Approval(msgspec.Struct, frozen=True):
    """An approval as it is kept. `valid_until` is the last day of care, `bill_by` the last day of a claim, both inside."""

    id: str
    practice: str
    reference: str
    body: bytes
    insurer: str
    person: bytes
    engagement: str
    state: State
    amc_cents: int
    asked_on: date
    valid_until: date
    bill_by: date
    promised: Promised

    def on(self, day: date) -> State:
        """Where the approval is on `day`."""
        return MOVES.get((self.state, Move.EXPIRE), self.state) if day > self.bill_by else self.state


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """One move in the life of an approval; `about` is the claim that used it or was cancelled, or the act that withdrew it."""

    at_ts_us: int
    move: Move
    state: State
    about: str


def last_care(covered: Iterable[Covered], asked_on: date) -> date:
    """The last day of care an approval asked on that day holds for: 90 days, or the end of the rights as they stand."""
    return min(asked_on + timedelta(days=VALID_DAYS), max(each.until for each in covered))


def last_billing(valid_until: date) -> date:
    """The last day a claim for such care may come."""
    return valid_until + timedelta(days=BILLING_DAYS)
