"""Whether a table that calls itself responsible really is (articles L871-1, R871-1 and R871-2 du code de la sécurité sociale).

Every obligation is tried out: lines of care are priced under the table as a claim's would be, in every situation that its
rows tell apart, and what it pays is held against the law of the day. So a table is judged by what it does, however it is
written. Obligations bear on the domains that a table speaks of; what it is silent on, another table may cover.

What a responsible contract may never pay (participation, franchises, majoration outside the care pathway) no table can
make it pay: the computation leaves those to the patient (`compute`, steps 3 and 8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from ecluse.coverage.product import Product
from ecluse.coverage.responsible.care import excess_of_doctors, forfait_journalier, no_rest, ticket_moderateur
from ecluse.coverage.responsible.renewals import glasses, hearing_aids
from ecluse.coverage.responsible.trial import LAW, Breach, Trial
from ecluse.rules.book import RuleBook

OBLIGATIONS: dict[str, Callable[[Trial], Iterator[Breach]]] = {
    "ticket modérateur": ticket_moderateur,
    "forfait journalier": forfait_journalier,
    "dépassements": excess_of_doctors,
    "lunettes": glasses,
    "aides auditives": hearing_aids,
    "100 % Santé": no_rest,
}


def days_of_change(product: Product, book: RuleBook, today: date) -> list[date]:
    """Today, and every later day on which the table or the law of the responsible contract changes."""
    rows = product.guarantees
    days = {row.first_day for row in rows} | {row.last_day + timedelta(days=1) for row in rows if row.last_day}
    for name, parameter in book.parameters.items():
        if name.startswith(LAW):
            days |= {each.since for each in parameter.values}
    return sorted({today} | {day for day in days if day and day > today})


def breaches(product: Product, book: RuleBook, day: date) -> tuple[Breach, ...]:
    """Every obligation the table does not keep under the law of `day`, each once a row; none for a table that claims nothing."""
    if not product.responsible:
        return ()
    trial = Trial(product, book, day)
    found: dict[tuple[int | None, str], Breach] = {}
    for obligation in OBLIGATIONS.values():
        for each in obligation(trial):
            found.setdefault((each.row, each.fix), each)
    return tuple(found.values())
