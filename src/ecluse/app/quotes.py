"""A quote: what each pays of care under an engagement; nothing of it is kept but what it reserves, and its trace, in which
its lines are sealed: `ecluse explain` opens them.

Its amounts are guaranteed while the engagement holds: what it uses of guarantees that count is reserved until then. A new
quote under the same engagement takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ecluse.app.access import Disclosure, Released
from ecluse.app.hub import Hub
from ecluse.app.quoted import seal_quote
from ecluse.app.rights import Promise
from ecluse.app.targets import Target, under_engagement
from ecluse.claims.claim import Billed, Priced
from ecluse.claims.control import LINES_MAX, promised_until
from ecluse.claims.filing import Reserving
from ecluse.claims.price import Payers, price, priceable, reasons, spans
from ecluse.coverage.line import Line
from ecluse.gate.admission import Admission, Request
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import refusal
from ecluse.kernel.patterns import END
from ecluse.rights.model import Engagement

SCOPE = "rights"

ENGAGEMENT_UNKNOWN = refusal(
    "engagement_unknown",
    404,
    "This engagement was not given to your practice",
    fix="Copy the number of the rights check, or check the rights again.",
)
ENGAGEMENT_EXPIRED = refusal(
    "engagement_expired", 422, "The engagement does not cover that day", fix="Check the rights again for that day."
)
GUARANTEES_MISSING = refusal(
    "guarantees_missing", 422, "The insurer has not sent the contract's guarantees yet", fix="Tell the insurer."
)


class QuoteSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lines to be priced under an engagement."""

    engagement: Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_]+{END}", max_length=32)]
    lines: Annotated[tuple[Billed, ...], Meta(min_length=1, max_length=LINES_MAX)]


class QuotedLine(msgspec.Struct, frozen=True):
    """A line shared out, in cents, and why, in French."""

    line: int
    amo_cents: int
    amc_cents: int
    patient_cents: int
    because: list[str]


class Total(msgspec.Struct, frozen=True, omit_defaults=True):
    """The lines together: all that is paid, and what is left, add up to the expense."""

    expense_cents: int
    amo_cents: int
    amc_cents: int
    patient_cents: int
    other_amc_cents: int = 0


class QuoteAnswer(msgspec.Struct, frozen=True):
    """The quote, guaranteed as long as the engagement holds."""

    quote_id: str
    engagement: Promise
    lines: tuple[QuotedLine, ...]
    total: Total


async def quote(hub: Hub, asked: Request, sent: QuoteSent) -> Released[QuoteAnswer]:
    """Share out lines under an engagement; its trace is durable when this returns.

    Raises `engagement_unknown` (unknown, or given to another practice), `engagement_expired`, `guarantees_missing`,
    `person_forgotten`.
    """
    lines = tuple((billed, priceable(billed, index, hub.book)) for index, billed in enumerate(sent.lines))
    admission = hub.desk.admit(asked, SCOPE, Operation.QUOTE, sent.engagement)
    target = await under_engagement(hub, admission, [billed.date for billed in sent.lines])
    engagement = _engaged(target, sent)
    payers = await target.payers(hub)
    if payers is None:
        raise GUARANTEES_MISSING()
    priced = await _priced(hub, admission, engagement, lines, payers)
    disclosure = Disclosure(
        _answer(asked.id, engagement, priced),
        "quoted",
        insurer=engagement.insurer,
        person=engagement.person,
        sealed=seal_quote(hub.keys, engagement.insurer, engagement.person, asked.id, priced),
    )
    return await hub.desk.release(admission, disclosure)


async def _priced(
    hub: Hub, admission: Admission, engagement: Engagement, lines: Sequence[tuple[Billed, Line]], payers: Payers
) -> tuple[Priced, ...]:
    """Priced, and reserved in the place of what the engagement reserved before, even if these lines count nothing."""
    reserving = Reserving(
        holder=engagement.number,
        insurer=engagement.insurer,
        person=engagement.person,
        spans=spans(engagement.domain, [billed for billed, _ in lines], payers),
        today=admission.day,
        until=engagement.valid_until,
    )
    return await hub.claims.reserve(reserving, lambda kept: price(engagement.domain, lines, payers, kept))


def _engaged(target: Target, sent: QuoteSent) -> Engagement:
    if target.engagement is None:
        raise ENGAGEMENT_UNKNOWN(pointer="/engagement")
    last = promised_until(target.engagement)
    for index, billed in enumerate(sent.lines):
        if not target.engagement.care_date <= billed.date <= last:
            raise ENGAGEMENT_EXPIRED(pointer=f"/lines/{index}/date")
    return target.engagement


def _answer(quote_id: str, engagement: Engagement, priced: tuple[Priced, ...]) -> QuoteAnswer:
    promise = Promise(engagement.number, engagement.valid_until)
    return QuoteAnswer(quote_id=quote_id, engagement=promise, lines=quoted_lines(priced), total=total(priced))


def quoted_lines(priced: Sequence[Priced]) -> tuple[QuotedLine, ...]:
    """Each line shared out, with its reasons."""
    return tuple(
        QuotedLine(each.billed.line, each.amo_cents, each.amc_cents, each.patient_cents, reasons(each))
        for each in priced
    )


def total(priced: Sequence[Priced]) -> Total:
    """The lines together."""
    return Total(
        sum(each.billed.expense_cents for each in priced),
        sum(each.amo_cents for each in priced),
        sum(each.amc_cents for each in priced),
        sum(each.patient_cents for each in priced),
        sum(each.billed.other_amc_cents or 0 for each in priced),
    )
