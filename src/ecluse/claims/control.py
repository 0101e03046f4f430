"""The controls of a claim: a table, name → function of the case, each giving the faults it finds. All are run, but that for
duplicates only where no other found any: its answer names another claim of the practice. Pure.

Knowingly left unchecked: an act that the rule book does not know has no highest tariff (nomenclatures are larger than the
book); an expense below the base is not a fault, because the AMO then pays no more than the expense (article R160-22 du
code de la sécurité sociale, done by `coverage`); nothing says which acts belong to a domain; a claim whose contracts pay
nothing is accepted with 0, a final answer that a practice understands. See docs/claims.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

import msgspec

from ecluse.claims.approval import Approval
from ecluse.claims.approved import Under, outside
from ecluse.claims.claim import MOVES, Billed, Fault, Move, Priced, State
from ecluse.claims.faults import fault
from ecluse.claims.obligatory import contradictions, rate_fault
from ecluse.claims.participation import participation_faults
from ecluse.coverage.compute import obligatory_cents
from ecluse.coverage.line import Line
from ecluse.kernel.days import months_after
from ecluse.kernel.money import en_euros
from ecluse.rights.check import HORIZON_DAYS
from ecluse.rights.model import Domain, Engagement
from ecluse.rules.book import RuleBook

LINES_MAX = 100  # a long stay or a month of nursing has some dozens; beyond, a mistake is likelier than an invoice
QUANTITY_MAX = 99  # B2 type 4 has two digits
PRESCRIPTION = "prescription/actions"  # the rule, in months


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What controls of lines look at: those sent, with what the computation made of their form, and their price.

    `domain` is None where neither the claim nor an engagement says it.
    """

    today: date
    domain: Domain | None
    lines: tuple[tuple[Billed, Line], ...]
    priced: tuple[Priced, ...]
    book: RuleBook


class Case(Sent, frozen=True, kw_only=True):
    """All that controls of a claim look at.

    `engaged` and `approved` say that the claim names an engagement or an approval, found or not; `unpriced`, that a
    guarantee table is not there.
    """

    care_date: date
    engaged: bool
    engagement: Engagement | None
    approved: bool
    approval: Approval | None
    under: Under | None
    covered: bool
    unpriced: bool
    duplicates: Mapping[int, str]
    replaces: bool
    replaced: State | None


def faults(case: Case) -> tuple[Fault, ...]:
    """Every fault of the case, in the order of the table. A person who is not covered is told that and nothing else.

    A duplicate is told where nothing else is wrong. Else a claim that is refused on purpose, whoever it is about, would say of
    a hundred lines which of the practice's claims are that person's, for nothing.
    """
    if not case.engaged and not case.approved and not case.covered:
        return (fault("not_covered"),)
    found = tuple(each for name, control in CONTROLS.items() if name != LAST for each in control(case))
    return found or tuple(CONTROLS[LAST](case))


def _line_numbers(case: Sent) -> Iterator[Fault]:
    numbers = sorted(billed.line for billed, _ in case.lines)
    if numbers != list(range(1, len(numbers) + 1)):
        yield fault("line_numbers_invalid", count=len(numbers))


def _line_count(case: Sent) -> Iterator[Fault]:
    if len(case.lines) > LINES_MAX:
        yield fault("too_many_lines", count=len(case.lines), most=LINES_MAX)


def _engagement(case: Case) -> Iterator[Fault]:
    """Unknown, or another practice's: the same words."""
    if case.engaged and case.engagement is None:
        yield fault("engagement_unknown")


def _approval(case: Case) -> Iterator[Fault]:
    """Unknown, or another practice's: the same words."""
    if case.approval is not None and case.under is not None:
        yield from outside((billed for billed, _ in case.lines), case.approval, case.under, case.today)
    elif case.approved:
        yield fault("approval_unknown")


def _care_dates(case: Case) -> Iterator[Fault]:
    """Care is within what was promised; else from the first line's day over at most thirty days (docs/claims.md)."""
    last = last_day(case)
    for billed, _ in case.lines:
        if case.engagement is not None and billed.date > last:
            yield fault("engagement_expired", billed.line, day=_day(billed.date), until=_day(last))
        elif case.approval is not None and billed.date > last:
            yield fault("approval_expired", billed.line, day=_day(billed.date), until=_day(last))
        elif not case.care_date <= billed.date <= last:
            words = {"day": _day(billed.date), "first": _day(case.care_date), "last": _day(last)}
            yield fault("care_date_outside", billed.line, **words)


def last_day(case: Case) -> date:
    """The last day of care the claim may hold."""
    if case.approval is not None:
        return case.approval.valid_until
    return promised_until(case.engagement) if case.engagement else case.care_date + timedelta(days=HORIZON_DAYS)


def promised_until(engagement: Engagement) -> date:
    """The last day of care an engagement promises; the day of care it was given for is always inside."""
    covered_until = max(each.until for each in engagement.covered)
    return max(engagement.care_date, min(engagement.valid_until, covered_until))


def _future(case: Case) -> Iterator[Fault]:
    for billed, _ in case.lines:
        if billed.date > case.today:
            yield fault("care_in_future", billed.line, day=_day(billed.date))


def _age(case: Case) -> Iterator[Fault]:
    """Two years from the event: article L221-11 du code de la mutualité, article L114-1 du code des assurances."""
    rule = case.book.on(case.today, PRESCRIPTION)
    oldest = months_after(case.today, -rule.count)
    for billed, _ in case.lines:
        if billed.date < oldest:
            yield fault("claim_too_old", billed.line, day=_day(billed.date), reference=rule.reference)


def _quantity(case: Sent) -> Iterator[Fault]:
    for billed, _ in case.lines:
        if billed.quantity > QUANTITY_MAX:
            yield fault("quantity_too_high", billed.line, quantity=billed.quantity, most=QUANTITY_MAX)


def _base(case: Sent) -> Iterator[Fault]:
    """At most the highest tariff of the act on the day of care, times the quantity; an act not in the book passes."""
    for billed, _ in case.lines:
        rule = case.book.highest_base_cents(billed.act, billed.date)
        if rule is not None and billed.base_cents > rule.cents * billed.quantity:
            yield fault(
                "base_too_high",
                billed.line,
                base=en_euros(billed.base_cents),
                day=_day(billed.date),
                act=billed.act,
                highest=en_euros(rule.cents * billed.quantity),
                quantity=billed.quantity,
            )


def _facts(case: Sent) -> Iterator[Fault]:
    for billed, _ in case.lines:
        yield from contradictions(case.book, billed)


def _rate(case: Sent) -> Iterator[Fault]:
    """A rate that the AMO can pay; without a base there is nothing to reimburse, at any rate. False facts say nothing."""
    for billed, line in case.lines:
        if case.domain is None or not billed.base_cents or any(contradictions(case.book, billed)):
            continue
        if found := rate_fault(case.book, case.domain, billed, line.amo_rate):
            yield found


def _participation(case: Sent) -> Iterator[Fault]:
    if case.domain is not None:
        yield from participation_faults(case.book, case.domain, [billed for billed, _ in case.lines])


def _others(case: Sent) -> Iterator[Fault]:
    """Insurers never pay more than the expense in all: article 9 de la loi n° 89-1009."""
    for billed, line in case.lines:
        left = line.expense_cents - obligatory_cents(line)[0]
        if line.other_amc_cents > left:
            words = {"other": en_euros(line.other_amc_cents), "left": en_euros(left)}
            yield fault("other_amc_too_high", billed.line, **words)


def _stated(case: Sent) -> Iterator[Fault]:
    """The sender's own figures, where there are some, are those of the computation."""
    for priced in case.priced:
        for name in ("amo_cents", "amc_cents", "patient_cents"):
            stated, right = getattr(priced.billed, name), getattr(priced, name)
            if stated is not None and stated != right:
                words = {"name": name, "stated": en_euros(stated), "right": en_euros(right)}
                yield fault("amount_mismatch", priced.billed.line, **words)


def _duplicates(case: Case) -> Iterator[Fault]:
    for number, invoice in sorted(case.duplicates.items()):
        yield fault("duplicate_claim", number, invoice=invoice)


def _guarantees(case: Case) -> Iterator[Fault]:
    if case.unpriced:
        yield fault("guarantees_missing")


def _replaced(case: Case) -> Iterator[Fault]:
    if case.replaces and case.replaced is None:
        yield fault("replaces_unknown")
    elif case.replaces and (case.replaced, Move.CANCEL) not in MOVES:
        yield fault("replaces_closed")


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


# Those of lines alone: they make sense before care too.
OF_LINES: dict[str, Callable[[Sent], Iterator[Fault]]] = {
    "line_numbers": _line_numbers,
    "line_count": _line_count,
    "quantity": _quantity,
    "base": _base,
    "facts": _facts,
    "rate": _rate,
    "participation": _participation,
    "others": _others,
    "stated": _stated,
}
CONTROLS: dict[str, Callable[[Case], Iterator[Fault]]] = {
    "line_numbers": _line_numbers,
    "line_count": _line_count,
    "engagement": _engagement,
    "approval": _approval,
    "care_dates": _care_dates,
    "future": _future,
    "age": _age,
    "quantity": _quantity,
    "base": _base,
    "facts": _facts,
    "rate": _rate,
    "participation": _participation,
    "others": _others,
    "guarantees": _guarantees,
    "stated": _stated,
    "replaced": _replaced,
    "duplicates": _duplicates,
}
LAST = "duplicates"
