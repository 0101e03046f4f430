"""Who pays what on one line of care, to the cent: AMO, then AMC, then the patient. Pure, in whole cents.

Steps, numbered as in docs/coverage.md; `REFERENCES` cites each:
 1. AMO: base × rate, half up to the cent, never above the expense.
 2. Ticket modérateur: what the AMO leaves of the base.
 3. Ceiling: what each part of the guarantee may pay.
 4. AMC: the sum of the ceilings, within what is left of the expense, never below zero.
 5. Participation: forfaitaire or franchise, taken from the AMO part later; it never raises the AMC.
 6. Patient: what is left at the counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from fractions import Fraction

import msgspec

from ecluse.coverage.guarantee import Guarantee, Kind, Part
from ecluse.coverage.line import NOTHING_USED, Line, Used
from ecluse.kernel.money import share_cents


class StepName(IntEnum):
    """The steps, by their number."""

    AMO = 1
    TICKET_MODERATEUR = 2
    CEILING = 3
    AMC = 4
    PARTICIPATION = 5
    PATIENT = 6


REFERENCES: dict[StepName, str] = {
    StepName.AMO: "articles L160-13 (I) et R160-22 du code de la sécurité sociale",
    StepName.TICKET_MODERATEUR: "article L160-13 (I) du code de la sécurité sociale",
    StepName.CEILING: "garantie du contrat",
    StepName.AMC: "article 9 de la loi n° 89-1009 du 31 décembre 1989",
    StepName.PARTICIPATION: "articles L160-13 (II et III) et L871-1 du code de la sécurité sociale",
    StepName.PATIENT: "dépense moins AMO moins AMC",
}


class Step(msgspec.Struct, frozen=True):
    """One step and its result in cents. A ceiling tells its part, and what the year leaves of it (acts or cents)."""

    name: StepName
    cents: int
    part: Part | None = None
    left: int | None = None

    @property
    def reference(self) -> str:
        """The article, or the source of the rule."""
        return REFERENCES[self.name]


class Split(msgspec.Struct, frozen=True):
    """A line shared out: `amo_cents + amc_cents + patient_cents` is the expense, less what earlier contracts paid.

    `amo_cents` is gross; `participation_cents` stands apart: the AMO keeps it back later. `consumed` adds to `Used`.
    """

    amo_cents: int
    amc_cents: int
    patient_cents: int
    participation_cents: int
    consumed: Used
    steps: tuple[Step, ...]


class Share(msgspec.Struct, frozen=True):
    """What one of several contracts pays; the `patient_cents` of its split is what it leaves to the next."""

    contract: str
    split: Split


class Joint(msgspec.Struct, frozen=True):
    """A line shared out between several contracts: the four amounts add up to the expense as in `Split`."""

    amo_cents: int
    amc_cents: int
    patient_cents: int
    participation_cents: int
    shares: tuple[Share, ...]


def compute(line: Line, guarantee: Guarantee, used: Used = NOTHING_USED, paid_before_cents: int = 0) -> Split:
    """Share out one line under one guarantee; `paid_before_cents` is what contracts of higher priority pay."""
    amo, ticket = obligatory_cents(line)
    left = line.expense_cents - amo - paid_before_cents
    assert left >= 0, "earlier contracts never pay more than the expense"
    steps = [Step(StepName.AMO, amo), Step(StepName.TICKET_MODERATEUR, ticket)]
    amc, acts, cents = 0, 0, 0
    for part in guarantee.parts:  # in the order written: the first part is the first used
        ceiling, year_left = _CEILINGS[part.kind](line, part, amo, used)
        steps.append(Step(StepName.CEILING, ceiling, part, year_left))
        paid = min(ceiling, left - amc)
        amc += paid
        if paid and part.kind is Kind.EUR_ACT and year_left is not None:
            acts = min(line.quantity, year_left)
        elif part.kind is Kind.EUR_YEAR:
            cents = paid
    participation = min(line.participation_cents, amo)
    steps.append(Step(StepName.AMC, amc))
    steps.append(Step(StepName.PARTICIPATION, participation))
    steps.append(Step(StepName.PATIENT, left - amc))
    consumed = Used(acts, cents) if acts or cents else NOTHING_USED
    return Split(amo, amc, left - amc, participation, consumed, tuple(steps))


def compute_contracts(line: Line, contracts: Iterable[tuple[str, Guarantee, Used]]) -> Joint:
    """Share out one line between contracts, first payer first; each pays within its guarantee on what is left."""
    amo, _ = obligatory_cents(line)
    amc, shares = 0, []
    for contract, guarantee, used in contracts:
        split = compute(line, guarantee, used, paid_before_cents=amc)
        amc += split.amc_cents
        shares.append(Share(contract, split))
    participation = min(line.participation_cents, amo)
    return Joint(amo, amc, line.expense_cents - amo - amc, participation, tuple(shares))


def obligatory_cents(line: Line) -> tuple[int, int]:
    """Steps 1 and 2: the AMO gross of participation, and the ticket modérateur.

    Article R160-22 du code de la sécurité sociale: the funds never pay more than the costs borne.
    """
    amo = min(share_cents(line.base_cents, line.amo_rate), line.expense_cents)
    return amo, line.base_cents - amo


# Step 3: each form of guarantee gives its ceiling in cents, and what the year leaves where it counts by the year.
_Ceiling = tuple[int, int | None]


def _of_ticket(line: Line, part: Part, amo: int, _used: Used) -> _Ceiling:
    return share_cents(line.base_cents - amo, part.rate), None


def _of_base_with_amo(line: Line, part: Part, amo: int, _used: Used) -> _Ceiling:
    return max(0, share_cents(line.base_cents, part.rate) - amo), None


def _of_base(line: Line, part: Part, _amo: int, _used: Used) -> _Ceiling:
    return share_cents(line.base_cents, part.rate), None


def _of_expense_with_amo(line: Line, part: Part, amo: int, _used: Used) -> _Ceiling:
    return max(0, share_cents(line.expense_cents, part.rate) - amo), None


def _by_article(line: Line, part: Part, _amo: int, _used: Used) -> _Ceiling:
    return part.amount_cents * line.quantity, None


def _by_act(line: Line, part: Part, amo: int, used: Used) -> _Ceiling:
    """Acts beyond the yearly number are not paid, and their cost is not charged to the acts that are."""
    year_left = max(0, part.acts_a_year - used.acts)
    acts = min(line.quantity, year_left)
    ceiling = part.amount_cents * acts
    if acts < line.quantity:
        ceiling = min(ceiling, share_cents(line.expense_cents - amo, Fraction(acts, line.quantity)))
    return ceiling, year_left


def _by_year(_line: Line, part: Part, _amo: int, used: Used) -> _Ceiling:
    year_left = max(0, part.amount_cents - used.cents)
    return year_left, year_left


def _of_basket(line: Line, _part: Part, amo: int, _used: Used) -> _Ceiling:
    price = line.expense_cents
    if line.price_limit_cents is not None:
        price = min(price, line.price_limit_cents)
    return max(0, price - amo), None


_CEILINGS: dict[Kind, Callable[[Line, Part, int, Used], _Ceiling]] = {
    Kind.TM: _of_ticket,
    Kind.BR_INCL: _of_base_with_amo,
    Kind.BR_EXCL: _of_base,
    Kind.FR: _of_expense_with_amo,
    Kind.EUR: _by_article,
    Kind.EUR_ACT: _by_act,
    Kind.EUR_YEAR: _by_year,
    Kind.BASKET: _of_basket,
}
