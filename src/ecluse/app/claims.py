"""Claims: sent, cancelled, replaced, shown again. Every claim ends accepted or refused in the request that brought it.

A claim stands under an engagement or a prior approval, or names insurer, beneficiary and domain in its place; then it
tells the sender that the person is covered, and is an opening like a rights check (docs/gate.md). Amounts are computed,
never believed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ecluse.app.access import Disclosure, Released
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.app.refused import let_send, note_refused
from ecluse.app.rights import Beneficiary
from ecluse.app.seeing import let_see
from ecluse.app.targets import Target, under_approval, under_engagement, unengaged
from ecluse.claims.claim import INVOICE_CHARS_MAX, Billed, Claim, Content, Fault, Moved, Priced, State
from ecluse.claims.control import Case, faults
from ecluse.claims.filing import Decide, Decision, Facts, Filing, Search, Summary
from ecluse.claims.price import Payers, price, priceable, reasons, spans
from ecluse.coverage.accounts import Spans
from ecluse.coverage.line import Line
from ecluse.gate.admission import Admission, Request
from ecluse.gate.openings import check_cursor
from ecluse.journal.entry import Operation
from ecluse.kernel.days import add_working_days, instant
from ecluse.kernel.errors import NOT_FOUND, refusal
from ecluse.kernel.patterns import END
from ecluse.rights.model import Domain

SCOPE = "claims"
LINES_READ_MAX = 200  # twice what a claim may hold: a claim slightly too long is told so in French, a flood is not read
PAGE_MAX = 100  # a screen; some 20 KB
PAY_DELAY = "payment_terms/amc_flux"  # the rule, in working days

CLAIM_ABOUT_INVALID = refusal(
    "claim_about_invalid",
    422,
    "The claim does not say whom it is about",
    fix="Give `engagement` or `approval`; or, in their place, `insurer`, `beneficiary` and `domain`.",
)

Invoice = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9][A-Za-z0-9._/-]*{END}", max_length=INVOICE_CHARS_MAX)]
Id = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_]+{END}", max_length=32)]
Lines = Annotated[tuple[Billed, ...], Meta(min_length=1, max_length=LINES_READ_MAX)]
# Never free text: it could name someone.
Reason = Literal["billing_error", "duplicate", "care_not_given", "other"]


class ClaimSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A claim as a practice's software sends it. `care_date` is the first line's day unless given.

    A field that was added later is left out of the bytes that are compared when it is not sent: `UNSET`, not null.
    """

    invoice: Invoice
    lines: Lines
    engagement: Id | None = None
    insurer: Annotated[str, Meta(max_length=32)] | None = None
    beneficiary: Beneficiary | None = None
    domain: Domain | None = None
    care_date: date | None = None
    replaces: Id | None = None
    approval: Id | msgspec.UnsetType | None = msgspec.UNSET


class Cancellation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a claim is cancelled, in a word."""

    reason: Reason = "other"


class SplitLine(msgspec.Struct, frozen=True):
    """A line shared out, in cents."""

    line: int
    amo_cents: int
    amc_cents: int
    patient_cents: int


class ClaimAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a claim. A refused one has refusals and no amounts; `recovery` says that paid money is taken back."""

    claim_id: str
    status: State
    amc_cents: int | None = None
    pay_by: date | None = None
    refusals: tuple[Fault, ...]
    lines: tuple[SplitLine, ...] | None = None
    recovery: bool | None = None


class ShownLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line as it was sent, its split, and the reasons in French."""

    line: int
    act: str
    date: date
    quantity: int
    expense_cents: int
    base_cents: int
    amo_rate: str
    participation_cents: int | None = None
    amo_cents: int | None = None
    amc_cents: int | None = None
    patient_cents: int | None = None
    because: list[str] | None = None


class ShownMove(msgspec.Struct, frozen=True, omit_defaults=True):
    """A move in a claim's life; `about` is a remittance, a claim, or a reason."""

    at: datetime
    move: str
    status: str
    about: str = ""


class ClaimLife(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A claim and its whole life."""

    claim_id: str
    invoice: str
    status: State
    received_on: date
    engagement: str | None = None
    approval: str | None = None
    domain: Domain | None = None
    amc_cents: int | None = None
    pay_by: date | None = None
    remittance_id: str | None = None
    replaces: str | None = None
    lines: tuple[ShownLine, ...]
    refusals: tuple[Fault, ...]
    moves: tuple[ShownMove, ...]


class ClaimPage(msgspec.Struct, frozen=True):
    """Own claims, newest first. `next_cursor` is null on the last page."""

    claims: tuple[Summary, ...]
    next_cursor: str | None


_canonical = msgspec.msgpack.Encoder(order="deterministic").encode


async def send_claim(hub: Hub, asked: Request, sent: ClaimSent) -> Released[ClaimAnswer]:
    """Take a claim in; kept and journalled when this returns.

    Raises `invoice_reused`, `forbidden`, refusals of form; of a colleague's to replace, what `show_claim` does of it.
    """
    practice = asked.require_practice()
    let_send(hub, asked)
    lines = tuple((billed, priceable(billed, index, hub.book)) for index, billed in enumerate(sent.lines))
    if sent.replaces:  # what is replaced is cancelled; one that is not there is told by the controls
        await _seen(hub, hub.desk.admit(asked, SCOPE, Operation.CLAIM_CANCELLED, sent.replaces))
    target = await _target(hub, asked, sent)
    payers = await target.payers(hub)
    received_on = target.admission.day
    delay = hub.book.on(received_on, PAY_DELAY)
    filing = Filing(
        id=asked.id,
        practice=practice,
        invoice=sent.invoice,
        body=hub.keys.digest(HUB, b"claim|" + _canonical(sent)),
        insurer=target.insurer,
        person=target.person,
        engagement=target.promised_under,
        approval=target.approval.id if target.approval else "",
        replaces=sent.replaces or "",
        at_ts_us=target.admission.at_us,
        received_on=received_on,
        pay_by=add_working_days(received_on, delay.count),
        lines=sent.lines,
        spans=_spans(target, sent.lines, payers),
    )
    claim = await hub.claims.take(filing, _decide(hub, sent, lines, target, payers, received_on))
    note_refused(hub, asked, claim)
    disclosure = Disclosure(
        _answer(claim),
        claim.state,
        insurer=claim.insurer,
        person=claim.person,
        told_as=claim.id,
        who=target.member if claim.person == target.person else None,  # sent again, it is the claim it was
    )
    return await hub.desk.release(target.admission, disclosure, is_counted=True)


async def cancel_claim(hub: Hub, asked: Request, claim_id: str, sent: Cancellation) -> Released[ClaimAnswer]:
    """Cancel an own claim, or a colleague's that may be shown (`show_claim`); again is the same answer.

    Raises what `show_claim` does, and `move_not_allowed` for a refused claim.
    """
    asked.require_practice()
    admission = hub.desk.admit(asked, SCOPE, Operation.CLAIM_CANCELLED, claim_id)
    found = await _seen(hub, admission) and await hub.claims.cancel(admission, sent.reason)
    if found is None:
        raise NOT_FOUND()
    claim, recovery = found
    answer = ClaimAnswer(
        claim_id=claim.id, status=claim.state, amc_cents=claim.amc_cents, refusals=(), recovery=recovery
    )
    return await hub.desk.release(
        admission, Disclosure(answer, claim.state, insurer=claim.insurer, person=claim.person)
    )


async def show_claim(hub: Hub, asked: Request, claim_id: str) -> Released[ClaimLife]:
    """An own claim and its whole life, or a colleague's.

    Raises `not_found`, the same for unknown and another practice's; of a colleague's `step_up_required`, `colleagues_read_many`.
    """
    asked.require_practice()
    admission = hub.desk.admit(asked, SCOPE, Operation.CLAIM_READ, claim_id)
    found = await _seen(hub, admission)
    if found is None:
        raise NOT_FOUND()
    claim, moves = found
    disclosure = Disclosure(_life(claim, moves), claim.state, insurer=claim.insurer, person=claim.person)
    return await hub.desk.release(admission, disclosure)


async def _seen(hub: Hub, admission: Admission) -> tuple[Claim, list[Moved]] | None:
    """The practice's claim the admission names, if there is one: own, or a colleague's that may be shown and counts as read.

    Raises `step_up_required`, `colleagues_read_many`.
    """
    found = await hub.claims.claim(admission)
    if found is not None:
        await let_see(hub, admission, found[0].content.account, hub.claims.sent_since)
    return found


async def list_claims(hub: Hub, asked: Request, search: Search) -> Released[ClaimPage]:
    """A page of the practice's own claims, colleagues' too: no field is about a person.

    Raises `forbidden`, `cursor_invalid`, `step_up_required`.
    """
    asked.require_practice()
    admission = hub.desk.admit(asked, SCOPE, Operation.CLAIM_READ, "")
    hub.desk.hold_to_own(admission)
    check_cursor(search.cursor, "clm_", "req_")  # `req_`: sent under an address with a slash too much, in December 2026
    found = await hub.claims.page(admission, search)
    page, more = found[: search.limit], len(found) > search.limit
    answer = ClaimPage(tuple(page), page[-1].claim_id if more else None)
    return await hub.desk.release(admission, Disclosure(answer, "listed"))


async def _target(hub: Hub, asked: Request, sent: ClaimSent) -> Target:
    """Whom the claim is about: by engagement, by approval, or by insurer, beneficiary and domain; never two of them."""
    days = [billed.date for billed in sent.lines]
    card = sent.insurer is not None or sent.beneficiary is not None or sent.domain is not None or sent.care_date
    if sent.approval:
        if card or sent.engagement is not None:
            raise CLAIM_ABOUT_INVALID("an approval stands alone", pointer="/approval")
        return await under_approval(hub, hub.desk.admit(asked, SCOPE, Operation.CLAIM, sent.approval), days)
    if sent.engagement is not None:
        if card:
            raise CLAIM_ABOUT_INVALID("an engagement stands alone", pointer="/engagement")
        return await under_engagement(hub, hub.desk.admit(asked, SCOPE, Operation.CLAIM, sent.engagement), days)
    if sent.insurer is None or sent.beneficiary is None or sent.domain is None:
        raise CLAIM_ABOUT_INVALID()
    care_date = sent.care_date or min(days)
    return await unengaged(hub, asked, SCOPE, sent.insurer, sent.beneficiary, sent.domain, care_date, days)


def _spans(target: Target, lines: tuple[Billed, ...], payers: Payers | None) -> Spans:
    if target.domain is None or payers is None:
        return {}
    return spans(target.domain, lines, payers)


def _decide(
    hub: Hub,
    sent: ClaimSent,
    lines: tuple[tuple[Billed, Line], ...],
    target: Target,
    payers: Payers | None,
    today: date,
) -> Decide:
    """What decides once the facts are read: price, control, and no third way."""

    def decide(facts: Facts) -> Decision:
        priced: tuple[Priced, ...] = ()
        if target.domain is not None and payers is not None:
            priced = price(target.domain, lines, payers, facts.used)
        case = Case(
            today=today,
            care_date=target.care_date,
            domain=target.domain,
            lines=lines,
            engaged=sent.engagement is not None,
            engagement=target.engagement,
            approved=bool(sent.approval),
            approval=target.approval,
            under=facts.under,
            covered=target.covered,
            unpriced=target.covered and payers is None,
            priced=priced,
            duplicates=facts.duplicates,
            replaces=sent.replaces is not None,
            replaced=facts.replaced,
            book=hub.book,
        )
        approval, account = target.approval.id if target.approval else "", target.admission.asked.account.sub
        if found := faults(case):
            # Of a claim about nobody no line is kept: who has sent them has them, and there is no end of people who are nobody.
            unshared = tuple(Priced(billed, 0, 0, 0, ()) for billed in sent.lines) if target.covered else ()
            content = Content(target.domain, target.care_date, unshared, found, approval, account)
            return Decision(State.REFUSED, content, 0)
        content = Content(target.domain, target.care_date, priced, (), approval, account)
        return Decision(State.ACCEPTED, content, sum(line.amc_cents for line in priced))

    return decide


def _answer(claim: Claim) -> ClaimAnswer:
    if not claim.pay_by:
        return ClaimAnswer(claim_id=claim.id, status=claim.state, refusals=claim.content.faults)
    return ClaimAnswer(
        claim_id=claim.id,
        status=claim.state,
        amc_cents=claim.amc_cents,
        pay_by=claim.pay_by,
        refusals=(),
        lines=tuple(split_line(priced) for priced in claim.content.lines),
    )


def split_line(priced: Priced) -> SplitLine:
    """The split of one line, as it is told."""
    return SplitLine(priced.billed.line, priced.amo_cents, priced.amc_cents, priced.patient_cents)


def _life(claim: Claim, moves: list[Moved]) -> ClaimLife:
    refused = claim.state is State.REFUSED
    return ClaimLife(
        claim_id=claim.id,
        invoice=claim.invoice,
        status=claim.state,
        received_on=claim.received_on,
        engagement=claim.engagement or None,
        approval=claim.content.approval or None,
        domain=claim.content.domain,
        amc_cents=None if refused else claim.amc_cents,
        pay_by=claim.pay_by,
        remittance_id=claim.remittance or None,
        replaces=claim.replaces or None,
        lines=tuple(shown_line(priced, refused) for priced in claim.content.lines),
        refusals=claim.content.faults,
        moves=tuple(ShownMove(instant(each.at_ts_us), each.move, each.state, each.about) for each in moves),
    )


def shown_line(priced: Priced, refused: bool) -> ShownLine:
    """A line as it was sent; its split and reasons too unless it was refused."""
    billed = priced.billed
    sent = ShownLine(
        billed.line, billed.act, billed.date, billed.quantity, billed.expense_cents, billed.base_cents, billed.amo_rate,
        billed.participation_cents,
    )  # fmt: skip
    if refused:
        return sent
    return msgspec.structs.replace(
        sent,
        amo_cents=priced.amo_cents,
        amc_cents=priced.amc_cents,
        patient_cents=priced.patient_cents,
        because=reasons(priced),
    )
