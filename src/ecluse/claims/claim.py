"""A claim: what a practice billed, what became of it, and the table of states and moves that its life must follow.

Values only. Nothing in here names a person: whom a claim is about is a keyed reference, and a member number that is sealed.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from ecluse.coverage.facts import Facts
from ecluse.coverage.guarantee import YEAR
from ecluse.coverage.line import QUANTITY_MAX
from ecluse.coverage.product import Act
from ecluse.kernel.errors import refusal
from ecluse.kernel.money import AMOUNT_CENTS_MAX
from ecluse.rights.model import Domain

INVOICE_CHARS_MAX = 40  # B2 has 9 characters, e-invoices up to 20: twice that leaves room for prefixes of software
AMOUNT = Meta(ge=0, le=AMOUNT_CENTS_MAX, description="Cents")
QUANTITY = Meta(ge=1, le=QUANTITY_MAX)


class State(StrEnum):
    """Where a claim is. `refused` and `cancelled` are final; nothing stays `received` after its request was answered."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ORDERED = "ordered"
    SETTLED = "settled"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What can happen to a claim."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    CANCEL = "cancel"
    ORDER = "order"
    SETTLE = "settle"
    RETURN = "return"


MOVES: dict[tuple[State, Move], State] = {
    (State.RECEIVED, Move.ACCEPT): State.ACCEPTED,
    (State.RECEIVED, Move.REFUSE): State.REFUSED,
    (State.ACCEPTED, Move.ORDER): State.ORDERED,
    (State.ACCEPTED, Move.CANCEL): State.CANCELLED,
    (State.ORDERED, Move.SETTLE): State.SETTLED,
    (State.ORDERED, Move.RETURN): State.RETURNED,
    (State.ORDERED, Move.CANCEL): State.CANCELLED,  # the next run takes back what was ordered
    (State.SETTLED, Move.RETURN): State.RETURNED,
    (State.SETTLED, Move.CANCEL): State.CANCELLED,  # the next run takes back what was paid
    (State.RETURNED, Move.ORDER): State.ORDERED,  # the next run pays it again
    (State.RETURNED, Move.CANCEL): State.CANCELLED,
}

MOVE_NOT_ALLOWED = refusal(
    "move_not_allowed", 409, "The claim is past that", fix="Read the claim's state with GET /v1/claims/{id}."
)
INVOICE_REUSED = refusal(
    "invoice_reused",
    409,
    "This invoice number was used for another claim",
    fix="Use a new invoice number; to mend an accepted claim, send the new one with `replaces`.",
)


def after(state: State, move: Move) -> State:
    """The state that `move` leads to. Raises `move_not_allowed`."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise MOVE_NOT_ALLOWED(f"a claim that is {state} has no move {move!r}") from None


class Billed(Facts, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line as it is sent, with the facts stated of it. Expense and base are those of all its `quantity` acts or articles.

    `amo_cents`, `amc_cents` and `patient_cents` may state the sender's own figures: they are compared, never believed.
    `participation_cents` may state what the AMO keeps back later (participation forfaitaire, franchises), `other_amc_cents`
    what complementary insurers of higher priority pay: this one pays on what they leave.
    """

    line: Annotated[int, Meta(ge=1, le=999)]
    act: Act
    date: Annotated[date, Meta(description="Day of care, Europe/Paris")]
    expense_cents: Annotated[int, AMOUNT]
    base_cents: Annotated[int, AMOUNT]
    amo_rate: Annotated[str, Meta(max_length=16, description='"70%" or "7/10"')]
    quantity: Annotated[int, QUANTITY] = 1
    participation_cents: (
        Annotated[int, Meta(ge=0, le=AMOUNT_CENTS_MAX, description="Kept back by the AMO; never changes the split")]
        | None
    ) = None
    other_amc_cents: Annotated[int, AMOUNT] | None = None
    amo_cents: Annotated[int, AMOUNT] | None = None
    amc_cents: Annotated[int, AMOUNT] | None = None
    patient_cents: Annotated[int, AMOUNT] | None = None


class Use(msgspec.Struct, frozen=True, array_like=True):
    """What one line uses of one account on the day of care, and what was used of its period before, when it was priced."""

    account: str
    name: str
    day: date
    used_acts: int
    used_cents: int
    acts: int
    cents: int


class Paid(msgspec.Struct, frozen=True, array_like=True):
    """What one contract pays of a line, and all it takes to explain it again.

    Claims priced before accounts had days keep one yearly count in `counter` to `cents`; `spent` gives both as uses.
    `waits` are guarantees whose waiting period was not over: label, and first day.
    """

    contract: str
    member_number: str
    product: str
    version: str
    guarantee: str
    amc_cents: int
    counter: str = ""
    year: int = 0
    used_acts: int = 0
    used_cents: int = 0
    acts: int = 0
    cents: int = 0
    uses: tuple[Use, ...] = ()
    majoration_cents: int = 0
    waits: tuple[tuple[str, date], ...] = ()

    @property
    def spent(self) -> tuple[Use, ...]:
        """The accounts the contract's guarantee reads, and what the line adds to each."""
        if not self.counter:
            return self.uses
        first_of_year = date(self.year, 1, 1)
        return (Use(YEAR, self.counter, first_of_year, self.used_acts, self.used_cents, self.acts, self.cents),)


class Priced(msgspec.Struct, frozen=True, array_like=True):
    """A line shared out: the three amounts, and what other insurers pay, add up to its expense."""

    billed: Billed
    amo_cents: int
    amc_cents: int
    patient_cents: int
    paid: tuple[Paid, ...]
    flat_share_cents: int = 0
    price_limit_cents: int | None = None


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a claim is refused: a stable code, the line if one is to blame, and in French what is wrong and what to do."""

    code: str
    detail: str
    fix: str
    line: int | None = None


class Content(msgspec.Struct, frozen=True, array_like=True):
    """The part of a claim that is sealed under the insurer's key.

    `approval` is the prior approval it stands under; `account` who sent it, empty where that was not kept yet.
    """

    domain: Domain | None
    care_date: date
    lines: tuple[Priced, ...]
    faults: tuple[Fault, ...]
    approval: str = ""
    account: str = ""


class Claim(msgspec.Struct, frozen=True):
    """A claim as it is kept. `body` is a keyed digest of what was sent; `person` is the insurer's own reference."""

    id: str
    practice: str
    invoice: str
    body: bytes
    insurer: str
    person: bytes
    engagement: str
    state: State
    amc_cents: int
    received_on: date
    pay_by: date | None
    replaces: str
    remittance: str
    content: Content

    @property
    def holder(self) -> str:
        """The promise whose reservation the claim uses; empty when it stands under none."""
        return self.content.approval or self.engagement


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """One move in the life of a claim; `about` says with what: a remittance, a replacing claim, a reason given."""

    at_ts_us: int
    move: Move
    state: State
    about: str
