"""Prior approvals (prises en charge): asked for with a devis, shown, cancelled. Each ends granted or refused at once.

What is granted is guaranteed for 90 days at most: contracts, guarantee tables and amounts are kept as promised, and what
they use of guarantees that count is reserved. An approval is asked under an engagement, so it opens nobody anew.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from ecluse.app.access import Disclosure, Released
from ecluse.app.claims import Id, Lines, ShownLine, ShownMove, shown_line
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.app.quotes import ENGAGEMENT_UNKNOWN, GUARANTEES_MISSING, QuotedLine, Total, quoted_lines, total
from ecluse.app.refused import let_send, note_refused
from ecluse.app.rights import with_tables
from ecluse.app.seeing import let_see
from ecluse.app.targets import under_engagement
from ecluse.claims.approval import Approval, Move, Moved, Promised, State, last_billing, last_care
from ecluse.claims.approving import Asking, Case, Decide, Decided, Summary, faults
from ecluse.claims.claim import INVOICE_CHARS_MAX, Billed, Fault, Priced
from ecluse.claims.filing import Search
from ecluse.claims.price import Payers, price, priceable, spans
from ecluse.coverage.accounts import Kept
from ecluse.coverage.line import Line
from ecluse.gate.admission import Admission, Request
from ecluse.gate.openings import check_cursor
from ecluse.journal.entry import Operation
from ecluse.kernel.days import PARIS, instant
from ecluse.kernel.errors import NOT_FOUND
from ecluse.kernel.patterns import END
from ecluse.rights.model import Covered, Domain, Engagement

SCOPE = "claims"  # it binds an insurer's money, as a claim does

Reference = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9][A-Za-z0-9._/-]*{END}",
        max_length=INVOICE_CHARS_MAX,
        description="The practice's own number of the devis",
    ),
]


class ApprovalSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A devis to be approved. The day of a line is the day its care is planned for."""

    engagement: Id
    reference: Reference
    lines: Lines


class ApprovalAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of it. `valid_until` is the last day of care, `bill_by` that of a claim; a refused one has neither."""

    approval_id: str
    reference: str
    status: State
    valid_until: date | None = None
    bill_by: date | None = None
    lines: tuple[QuotedLine, ...] | None = None
    total: Total | None = None
    refusals: tuple[Fault, ...]


class ApprovalLife(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An approval and its whole life; `about` of a move is the claim that used it or was cancelled,
    or the act of the hub that withdrew it."""

    approval_id: str
    reference: str
    status: State
    asked_on: date
    engagement: str
    domain: Domain
    valid_until: date | None = None
    bill_by: date | None = None
    amc_cents: int | None = None
    lines: tuple[ShownLine, ...]
    refusals: tuple[Fault, ...]
    moves: tuple[ShownMove, ...]


class ApprovalPage(msgspec.Struct, frozen=True):
    """Own approvals, newest first. `next_cursor` is null on the last page."""

    approvals: tuple[Summary, ...]
    next_cursor: str | None


Told = TypeVar("Told", ApprovalAnswer, ApprovalLife)

_canonical = msgspec.msgpack.Encoder(order="deterministic").encode


async def ask_approval(hub: Hub, asked: Request, sent: ApprovalSent) -> Released[ApprovalAnswer]:
    """Decide on a devis; kept and journalled when this returns.

    Raises `engagement_unknown` (unknown, or another practice's), `guarantees_missing`, `reference_reused`, `forbidden`.
    """
    practice = asked.require_practice()
    let_send(hub, asked)
    lines = tuple((billed, priceable(billed, index, hub.book)) for index, billed in enumerate(sent.lines))
    admission = hub.desk.admit(asked, SCOPE, Operation.APPROVAL, sent.engagement)
    target = await under_engagement(hub, admission, [billed.date for billed in sent.lines])
    engagement = target.engagement
    if engagement is None:
        raise ENGAGEMENT_UNKNOWN(pointer="/engagement")
    payers = await target.payers(hub)
    if payers is None:
        raise GUARANTEES_MISSING()
    covered, asked_on = await with_tables(hub, engagement.insurer, engagement.covered), admission.day
    valid_until = last_care(covered, asked_on)
    asking = Asking(
        id=asked.id,
        practice=practice,
        reference=sent.reference,
        body=hub.keys.digest(HUB, b"approval|" + _canonical(sent)),
        insurer=engagement.insurer,
        person=engagement.person,
        engagement=engagement.number,
        at_ts_us=admission.at_us,
        asked_on=asked_on,
        valid_until=valid_until,
        bill_by=last_billing(valid_until),
        spans=spans(engagement.domain, sent.lines, payers),
    )
    approval = await hub.approvals.ask(asking, _decide(hub, asked, asking, engagement, covered, lines, payers))
    note_refused(hub, asked, approval)
    return await _released(hub, admission, approval, _answer(approval, approval.on(asked_on)))


async def cancel_approval(hub: Hub, asked: Request, approval_id: str) -> Released[ApprovalAnswer]:
    """Cancel an approval that no claim uses, own or a colleague's that may be shown (`show_approval`); again is the same answer.

    Raises what `show_approval` does, and `approval_closed`.
    """
    asked.require_practice()
    admission = hub.desk.admit(asked, SCOPE, Operation.APPROVAL_CANCELLED, approval_id)
    approval = await _seen(hub, admission) and await hub.approvals.cancel(admission)
    if approval is None:
        raise NOT_FOUND()
    return await _released(hub, admission, approval, _answer(approval, approval.state))


async def show_approval(hub: Hub, asked: Request, approval_id: str) -> Released[ApprovalLife]:
    """An own approval and its whole life, or a colleague's.

    Raises `not_found`, the same for unknown and another practice's; of a colleague's `step_up_required`, `colleagues_read_many`.
    """
    asked.require_practice()
    admission = hub.desk.admit(asked, SCOPE, Operation.APPROVAL_READ, approval_id)
    found = await _seen(hub, admission)
    if found is None:
        raise NOT_FOUND()
    approval, moves = found
    return await _released(hub, admission, approval, _life(approval, moves, admission.day))


async def _seen(hub: Hub, admission: Admission) -> tuple[Approval, list[Moved]] | None:
    """The practice's approval the admission names, if there is one: own, or a colleague's that may be shown and counts as read.

    Raises `step_up_required`, `colleagues_read_many`.
    """
    found = await hub.approvals.approval(admission)
    if found is not None:
        await let_see(hub, admission, found[0].promised.account, hub.approvals.asked_since)
    return found


async def list_approvals(hub: Hub, asked: Request, search: Search) -> Released[ApprovalPage]:
    """A page of the practice's own approvals, colleagues' too: no field is about a person.

    Raises `forbidden`, `cursor_invalid`, `step_up_required`.
    """
    asked.require_practice()
    admission = hub.desk.admit(asked, SCOPE, Operation.APPROVAL_READ, "")
    hub.desk.hold_to_own(admission)
    check_cursor(search.cursor, "pec_", "req_")
    found = await hub.approvals.page(admission, search)
    page, more = found[: search.limit], len(found) > search.limit
    answer = ApprovalPage(tuple(page), page[-1].approval_id if more else None)
    return await hub.desk.release(admission, Disclosure(answer, "listed"))


async def _released(hub: Hub, admission: Admission, approval: Approval, answer: Told) -> Released[Told]:
    told_as = approval.id if admission.operation is Operation.APPROVAL else ""
    disclosure = Disclosure(answer, answer.status, insurer=approval.insurer, person=approval.person, told_as=told_as)
    return await hub.desk.release(admission, disclosure)


def _decide(
    hub: Hub,
    asked: Request,
    asking: Asking,
    engagement: Engagement,
    covered: tuple[Covered, ...],
    lines: tuple[tuple[Billed, Line], ...],
    payers: Payers,
) -> Decide:
    """What decides once the accounts are read: price, control, and no third way."""
    care_from, account = max(asking.asked_on, engagement.care_date), asked.account.sub

    def decide(kept: Kept) -> Decided:
        priced = price(engagement.domain, lines, payers, kept)
        case = Case(
            today=asking.asked_on,
            domain=engagement.domain,
            lines=lines,
            priced=priced,
            book=hub.book,
            engagement=engagement,
            care_from=care_from,
            valid_until=asking.valid_until,
        )
        if found := faults(case):
            unshared = tuple(Priced(billed, 0, 0, 0, ()) for billed, _ in lines)
            return Decided(State.REFUSED, Promised(engagement.domain, covered, care_from, unshared, found, account), 0)
        promised = Promised(engagement.domain, covered, care_from, priced, (), account)
        return Decided(State.GRANTED, promised, sum(line.amc_cents for line in priced))

    return decide


def _answer(approval: Approval, status: State) -> ApprovalAnswer:
    refused, lines = approval.state is State.REFUSED, approval.promised.lines
    return ApprovalAnswer(
        approval_id=approval.id,
        reference=approval.reference,
        status=status,
        valid_until=None if refused else approval.valid_until,
        bill_by=None if refused else approval.bill_by,
        lines=None if refused else quoted_lines(lines),
        total=None if refused else total(lines),
        refusals=approval.promised.faults,
    )


def _life(approval: Approval, moves: list[Moved], today: date) -> ApprovalLife:
    refused, status = approval.state is State.REFUSED, approval.on(today)
    shown = [ShownMove(instant(each.at_ts_us), each.move, each.state, each.about) for each in moves]
    if status is State.EXPIRED:
        shown.append(ShownMove(_end(approval.bill_by), Move.EXPIRE, status))
    return ApprovalLife(
        approval_id=approval.id,
        reference=approval.reference,
        status=status,
        asked_on=approval.asked_on,
        engagement=approval.engagement,
        domain=approval.promised.domain,
        valid_until=None if refused else approval.valid_until,
        bill_by=None if refused else approval.bill_by,
        amc_cents=None if refused else approval.amc_cents,
        lines=tuple(shown_line(priced, refused) for priced in approval.promised.lines),
        refusals=approval.promised.faults,
        moves=tuple(shown),
    )


def _end(day: date) -> datetime:
    """The instant at which a day is over in Paris."""
    return datetime.combine(day + timedelta(days=1), time(), PARIS).astimezone(UTC)
