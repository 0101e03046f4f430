"""Who pays what on one line of care, to the cent: AMO, then AMC, then the patient. Pure, in whole cents.

Steps, numbered as in docs/coverage.md; `REFERENCES` cites each:
 1. AMO: base × rate, half up to the cent, never above the expense; less the flat share of a heavy act.
 2. Ticket modérateur: what the AMO leaves of the base.
 3. Majoration: what the AMO pays less outside the care pathway, which a responsible contract leaves to the patient.
 4. Others: what complementary insurers of higher priority pay.
 5. Ceiling: what each part of the guarantee may pay, within its own limits.
 6. Limit: what all parts together may pay.
 7. AMC: the sum of the ceilings, within the limits and what is left of the expense, never below zero.
 8. Participation: forfaitaire or franchise, taken from the AMO part later; it never raises the AMC.
 9. Patient: what is left at the counter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from fractions import Fraction
from types import MappingProxyType

import msgspec

from ecluse.coverage.guarantee import YEAR, Bound, Guarantee, Kind, Limit, Part
from ecluse.coverage.line import NOTHING_USED, Line, Used
from ecluse.kernel.money import share_cents

Uses = Mapping[str, Used]  # by account
NO_USES: Uses = MappingProxyType({})


class StepName(IntEnum):
    """The steps, by their number."""

    AMO = 1
    TICKET_MODERATEUR = 2
    MAJORATION = 3
    OTHERS = 4
    CEILING = 5
    LIMIT = 6
    AMC = 7
    PARTICIPATION = 8
    PATIENT = 9


REFERENCES: dict[StepName, str] = {
    StepName.AMO: "articles L160-13 et R160-22 du code de la sécurité sociale",
    StepName.TICKET_MODERATEUR: "article L160-13 du code de la sécurité sociale",
    StepName.MAJORATION: "articles L162-5-3 et L871-1 du code de la sécurité sociale",
    StepName.OTHERS: "article 9 de la loi n° 89-1009 du 31 décembre 1989",
    StepName.CEILING: "garantie du contrat",
    StepName.LIMIT: "garantie du contrat",
    StepName.AMC: "article 9 de la loi n°\u00a089-1009 du 31 décembre 1989",
    StepName.PARTICIPATION: "articles L160-13 et L871-1 du code de la sécurité sociale",
    StepName.PATIENT: "dépense moins Assurance maladie moins complémentaire",
}


class Step(msgspec.Struct, frozen=True):
    """One step and its result in cents. A ceiling tells its part, a limit itself; `left` is what its period leaves.

    `left` is in acts or in cents, as the part or the limit counts.
    """

    name: StepName
    cents: int
    part: Part | None = None
    limit: Limit | None = None
    left: int | None = None

    @property
    def reference(self) -> str:
        """The article, or the source of the rule."""
        return REFERENCES[self.name]


class Split(msgspec.Struct, frozen=True):
    """A line shared out: `amo_cents + amc_cents + patient_cents` is the expense, less what others and earlier contracts paid.

    `amo_cents` is gross; `participation_cents` stands apart: the AMO keeps it back later. `consumed` adds to `Uses`.
    """

    amo_cents: int
    amc_cents: int
    patient_cents: int
    participation_cents: int
    consumed: Uses
    steps: tuple[Step, ...]


def compute(line: Line, guarantee: Guarantee, used: Uses = NO_USES, paid_before_cents: int = 0) -> Split:
    """Share out one line under one guarantee; `paid_before_cents` is what contracts of higher priority pay."""
    amo, ticket = obligatory_cents(line)
    left = line.expense_cents - amo - others_cents(line, amo) - paid_before_cents
    assert left >= 0, "earlier contracts never pay more than the expense"
    steps = [Step(StepName.AMO, amo), Step(StepName.TICKET_MODERATEUR, ticket)]
    majoration = min(line.majoration_cents, left)
    if majoration:
        steps.append(Step(StepName.MAJORATION, majoration))
    if line.other_amc_cents:
        steps.append(Step(StepName.OTHERS, others_cents(line, amo)))
    payable, reckoned = left - majoration, amo + majoration
    ceilings = _ceilings(line, guarantee, reckoned, payable, used, steps)
    amc = min(payable, sum(ceilings))
    for limit in guarantee.limits:
        allowed, limit_left = _allowed(limit, line, amc, reckoned, used)
        steps.append(Step(StepName.LIMIT, allowed, limit=limit, left=limit_left))
        amc = min(amc, allowed)
    participation = min(line.participation_cents, amo)
    steps.append(Step(StepName.AMC, amc))
    steps.append(Step(StepName.PARTICIPATION, participation))
    steps.append(Step(StepName.PATIENT, left - amc))
    consumed = _consumed(line, guarantee, ceilings, amc, reckoned, used) if amc else NO_USES
    return Split(amo, amc, left - amc, participation, consumed, tuple(steps))


def others_cents(line: Line, amo_cents: int) -> int:
    """Step 4: what insurers of higher priority pay, within what the AMO leaves."""
    return min(line.other_amc_cents, line.expense_cents - amo_cents)


def obligatory_cents(line: Line) -> tuple[int, int]:
    """Steps 1 and 2: the AMO gross of participation, and the ticket modérateur.

    Article R160-22 du code de la sécurité sociale: the funds never pay more than the costs borne. Article R160-16: on a
    heavy act a flat share is left to the insured, in the place of a share of the base.
    """
    amo = min(share_cents(line.base_cents, line.amo_rate), line.expense_cents)
    amo = max(0, amo - line.flat_share_cents)
    return amo, line.base_cents - amo


def _ceilings(line: Line, guarantee: Guarantee, amo: int, payable: int, used: Uses, steps: list[Step]) -> list[int]:
    """Step 5, part by part in the order written: a percent of the rest looks at what those before it leave."""
    ceilings: list[int] = []
    for part in guarantee.parts:
        rest = max(0, payable - sum(ceilings))
        ceiling, left = _CEILINGS[part.kind](line, part, amo, rest, used.get(YEAR, NOTHING_USED))
        steps.append(Step(StepName.CEILING, ceiling, part, left=left))
        for limit in part.limits:
            allowed, limit_left = _allowed(limit, line, min(ceiling, rest), amo, used)
            steps.append(Step(StepName.CEILING, allowed, part, limit, limit_left))
            ceiling = min(ceiling, allowed)
        ceilings.append(ceiling)
    return ceilings


def _allowed(limit: Limit, line: Line, amc: int, amo: int, used: Uses) -> tuple[int, int | None]:
    """What a limit lets pass of `amc` cents, and what its period leaves, in cents or acts."""
    if limit.bound is Bound.BR_INCL:
        return max(0, share_cents(line.base_cents, limit.rate) - amo), None
    with_amo = amo if limit.bound is Bound.EUR_INCL else 0
    if not limit.period:
        return max(0, limit.amount_cents * line.quantity - with_amo), None
    before = used.get(limit.account, NOTHING_USED)
    if limit.bound is Bound.ACTS:
        left = max(0, limit.number - before.acts)
        return (amc if left >= line.quantity else share_cents(amc, Fraction(left, line.quantity))), left
    left = max(0, limit.amount_cents - before.cents)
    return max(0, left - with_amo), left


def _consumed(line: Line, guarantee: Guarantee, ceilings: list[int], amc: int, amo: int, used: Uses) -> Uses:
    """What the line adds to each account. The first part is the first used; only what is paid is counted."""
    added: dict[str, Used] = {}
    left = amc
    for part, ceiling in zip(guarantee.parts, ceilings, strict=True):
        paid = min(ceiling, left)
        left -= paid
        if not paid:
            continue
        if part.kind is Kind.EUR_ACT:
            _add(added, YEAR, Used(min(line.quantity, max(0, part.acts_a_year - used.get(YEAR, NOTHING_USED).acts))))
        elif part.kind is Kind.EUR_YEAR:
            _add(added, YEAR, Used(0, paid))
        _count(added, part.limits, line, paid, amo, used)
    _count(added, guarantee.limits, line, amc, amo, used)
    return added


def _count(added: dict[str, Used], limits: tuple[Limit, ...], line: Line, paid: int, amo: int, used: Uses) -> None:
    for limit in limits:
        if limit.bound is Bound.ACTS:
            left = max(0, limit.number - used.get(limit.account, NOTHING_USED).acts)
            _add(added, limit.account, Used(min(line.quantity, left)))
        elif limit.period:
            _add(added, limit.account, Used(0, paid + (amo if limit.bound is Bound.EUR_INCL else 0)))


def _add(added: dict[str, Used], account: str, use: Used) -> None:
    added[account] = added.get(account, NOTHING_USED) + use


# Step 5: each form of guarantee gives its ceiling in cents, and what the year leaves where it counts by the year.
_Ceiling = tuple[int, int | None]


def _of_ticket(line: Line, part: Part, amo: int, _rest: int, _used: Used) -> _Ceiling:
    return share_cents(line.base_cents - amo, part.rate) if amo < line.base_cents else 0, None


def _of_base_with_amo(line: Line, part: Part, amo: int, _rest: int, _used: Used) -> _Ceiling:
    return max(0, share_cents(line.base_cents, part.rate) - amo), None


def _of_base(line: Line, part: Part, _amo: int, _rest: int, _used: Used) -> _Ceiling:
    return share_cents(line.base_cents, part.rate), None


def _of_expense_with_amo(line: Line, part: Part, amo: int, _rest: int, _used: Used) -> _Ceiling:
    return max(0, share_cents(line.expense_cents, part.rate) - amo), None


def _of_rest(_line: Line, part: Part, _amo: int, rest: int, _used: Used) -> _Ceiling:
    return share_cents(rest, part.rate), None


def _by_article(line: Line, part: Part, _amo: int, _rest: int, _used: Used) -> _Ceiling:
    return part.amount_cents * line.quantity, None


def _by_act(line: Line, part: Part, amo: int, _rest: int, used: Used) -> _Ceiling:
    """Acts beyond the yearly number are not paid, and their cost is not charged to the acts that are."""
    year_left = max(0, part.acts_a_year - used.acts)
    acts = min(line.quantity, year_left)
    ceiling = part.amount_cents * acts
    if acts < line.quantity:
        ceiling = min(ceiling, share_cents(max(0, line.expense_cents - amo), Fraction(acts, line.quantity)))
    return ceiling, year_left


def _by_year(_line: Line, part: Part, _amo: int, _rest: int, used: Used) -> _Ceiling:
    year_left = max(0, part.amount_cents - used.cents)
    return year_left, year_left


def _of_basket(line: Line, _part: Part, amo: int, _rest: int, _used: Used) -> _Ceiling:
    price = line.expense_cents
    if line.price_limit_cents is not None:
        price = min(price, line.price_limit_cents)
    return max(0, price - amo), None


_CEILINGS: dict[Kind, Callable[[Line, Part, int, int, Used], _Ceiling]] = {
    Kind.TM: _of_ticket,
    Kind.BR_INCL: _of_base_with_amo,
    Kind.BR_EXCL: _of_base,
    Kind.FR: _of_expense_with_amo,
    Kind.REST: _of_rest,
    Kind.EUR: _by_article,
    Kind.EUR_ACT: _by_act,
    Kind.EUR_YEAR: _by_year,
    Kind.BASKET: _of_basket,
}
