"""Deciding on a prior approval: what is asked, the controls that make sense before care, and granted or refused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

import msgspec

from ecluse.claims.approval import DOMAINS, Promised, State
from ecluse.claims.claim import Fault
from ecluse.claims.control import OF_LINES, Sent, promised_until
from ecluse.claims.faults import Words, said
from ecluse.coverage.accounts import Kept, Spans
from ecluse.rights.model import Engagement

# As `faults.WORDS`; these are said of approvals alone.
WORDS: Words = {
    "approval_not_needed": (
        "Le domaine {domain} ne demande pas de prise en charge.",
        "Demandez un devis sous l'engagement, puis envoyez la facture.",
    ),
    "engagement_ended": (
        "L'engagement n'est plus valable depuis le {until}.",
        "Demandez une nouvelle vérification des droits, puis la prise en charge.",
    ),
    "care_outside_approval": (
        "Le soin prévu le {day} est hors de la période où il peut être accordé, du {first} au {last}.",
        "Indiquez un jour de cette période ; un soin déjà donné se facture sous l'engagement.",
    ),
}


class Asking(msgspec.Struct, frozen=True):
    """An approval that is asked for; `spans` is what its price reads of accounts."""

    id: str
    practice: str
    reference: str
    body: bytes
    insurer: str
    person: bytes
    engagement: str
    at_ts_us: int
    asked_on: date
    valid_until: date
    bill_by: date
    spans: Spans


class Decided(msgspec.Struct, frozen=True):
    """Granted or refused, and what is kept of it."""

    state: State
    promised: Promised
    amc_cents: int


Decide = Callable[[Kept], Decided]  # from what was used of accounts


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """An approval in a list."""

    approval_id: str
    reference: str
    status: State
    asked_on: date
    amc_cents: int | None = None
    valid_until: date | None = None
    bill_by: date | None = None


class Case(Sent, frozen=True, kw_only=True):
    """All that controls look at: the lines, the engagement they are asked under, and the days of care."""

    engagement: Engagement
    care_from: date
    valid_until: date


def faults(case: Case) -> tuple[Fault, ...]:
    """Every fault of the case, in the order of the table."""
    return tuple(found for control in CONTROLS.values() for found in control(case))


def _domain(case: Case) -> Iterator[Fault]:
    if case.engagement.domain not in DOMAINS:
        yield said(WORDS, "approval_not_needed", domain=case.engagement.domain)


def _engagement(case: Case) -> Iterator[Fault]:
    """An approval is asked while the engagement holds; then it stands by itself."""
    until = promised_until(case.engagement)
    if case.today > until:
        yield said(WORDS, "engagement_ended", until=f"{until:%d/%m/%Y}")


def _care_dates(case: Case) -> Iterator[Fault]:
    for billed, _ in case.lines:
        if not case.care_from <= billed.date <= case.valid_until:
            days = {"day": billed.date, "first": case.care_from, "last": case.valid_until}
            words = {name: f"{day:%d/%m/%Y}" for name, day in days.items()}
            yield said(WORDS, "care_outside_approval", billed.line, **words)


CONTROLS: Mapping[str, Callable[[Case], Iterator[Fault]]] = {
    "domain": _domain,
    "engagement": _engagement,
    "care_dates": _care_dates,
    **OF_LINES,
}
