"""A claim under a prior approval: what it bills must be what was approved, or less. Pure.

Two lines are of the same kind when act, stated facts, base of one act, rate of the AMO and what other insurers pay are the
same. Of each kind, what is billed, in this claim and in those that stand, is at most what was approved. Then nothing but the
use of accounts can move the price, and what the approval reserved is its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction

import msgspec

from ecluse.claims.approval import Approval, State
from ecluse.claims.claim import Billed, Fault
from ecluse.claims.faults import fault
from ecluse.coverage.facts import Facts
from ecluse.kernel.money import en_euros, rate

CLOSED = {
    State.REFUSED: "a été refusée",
    State.CANCELLED: "a été annulée",
    State.EXPIRED: "a expiré le {bill_by:%d/%m/%Y}",
    State.USED: "a expiré le {bill_by:%d/%m/%Y}",
}

Kind = tuple[object, ...]


class Amount(msgspec.Struct, frozen=True):
    """Acts or articles, and their expense in cents."""

    quantity: int = 0
    expense_cents: int = 0


class Under(msgspec.Struct, frozen=True):
    """Where the approval of a claim stands when the claim is decided, and the lines that standing claims billed under it."""

    state: State
    billed: tuple[Billed, ...]


def outside(lines: Iterable[Billed], approval: Approval, under: Under, today: date) -> Iterator[Fault]:
    """Every way in which a claim of `today` goes beyond its approval."""
    state = msgspec.structs.replace(approval, state=under.state).on(today)
    if state not in (State.GRANTED, State.USED) or today > approval.bill_by:
        yield fault("approval_closed", why=CLOSED[state].format(bill_by=approval.bill_by))
        return
    left = _left(approval, under)
    for billed in lines:
        kind = _kind(billed)
        if kind not in left:
            yield fault("approval_line_unknown", billed.line, act=billed.act)
            continue
        rest = left[kind] = _less(left[kind], billed)
        if excess := _excess(rest, billed):
            yield fault("approval_exceeded", billed.line, act=billed.act, excess=excess)


def _left(approval: Approval, under: Under) -> dict[Kind, Amount]:
    """What may still be billed of each kind that was approved."""
    left: dict[Kind, Amount] = {}
    for priced in approval.promised.lines:
        kind, before = _kind(priced.billed), left.get(_kind(priced.billed), Amount())
        left[kind] = Amount(
            before.quantity + priced.billed.quantity, before.expense_cents + priced.billed.expense_cents
        )
    for billed in under.billed:
        left[_kind(billed)] = _less(left[_kind(billed)], billed)
    return left


def _less(left: Amount, billed: Billed) -> Amount:
    return Amount(left.quantity - billed.quantity, left.expense_cents - billed.expense_cents)


def _excess(rest: Amount, billed: Billed) -> str:
    """How much of the line is too much, in French; empty when nothing is."""
    acts, cents = min(billed.quantity, -rest.quantity), min(billed.expense_cents, -rest.expense_cents)
    return " et ".join(
        [*([f"{acts} acte(s)"] if acts > 0 else []), *([f"{en_euros(cents)} de dépense"] if cents > 0 else [])]
    )


def _kind(billed: Billed) -> Kind:
    facts = (getattr(billed, name) for name in Facts.__struct_fields__)
    others = Fraction(billed.other_amc_cents or 0, billed.quantity)
    return billed.act, Fraction(billed.base_cents, billed.quantity), rate(billed.amo_rate), others, *facts
