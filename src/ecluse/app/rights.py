"""The rights check: a question with what stands on the card, an answer that confirms and promises, or says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ecluse.app.access import Disclosure, Released
from ecluse.app.even import evened, found_or_decoy
from ecluse.app.freezes import NOBODY, unless_frozen
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.app.presence import Present, present, scanned
from ecluse.coverage.words import guarantee_in_words
from ecluse.gate.admission import Admission, Person, Request
from ecluse.gate.disclosure import allowed, cut
from ecluse.gate.features import NOTHING
from ecluse.gate.identity import permit
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Field, Operation
from ecluse.journal.member import Member
from ecluse.kernel.days import paris_day, parse_day
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import MEMBER_NUMBER, amc, birth_date, birth_rank, nir
from ecluse.kernel.patterns import END
from ecluse.rights.check import Reason, domains_on, horizon, open_rights, why_not
from ecluse.rights.model import Covered, Domain, Engagement, Right
from ecluse.rights.person import member_message, nir_message, person_message

SCOPE = "rights"
# Past two years a claim is prescribed (rule `prescription/actions`): of a day or two more its own control says so.
CARE_PAST_DAYS_MAX = 2 * 366
GUARANTEES_MAX = 40  # lines of a table told in words: a screen; the longest published table has under 200 for all care
ALIKE_BYTES = 8  # of a pseudonym: enough for the watcher to tell a decoy from everybody; nothing without the key
CARE_AHEAD_DAYS_MAX = 90  # appointments are checked ahead; further away nobody can promise

CARE_DATE_OUT_OF_RANGE = refusal(
    "care_date_out_of_range",
    422,
    "The day of care is too far",
    fix="Ask for a day in the last two years or the next 90 days.",
)
BENEFICIARY_INVALID = refusal(
    "beneficiary_invalid",
    422,
    "The beneficiary is not said right",
    fix="Give either `nir` or `member_number`, not both.",
)
MemberNumber = Annotated[str, Meta(pattern=f"^{MEMBER_NUMBER}{END}", description="As printed on the card")]


class Beneficiary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is meant, as the card says: the NIR of the insured (13 + key) or the member number, and birth date and rank."""

    birth_date: Annotated[str, Meta(max_length=10, description="YYYY-MM-DD; lunar or unknown months exist")]
    birth_rank: Annotated[int, Meta(ge=1, le=9)] = 1
    nir: Annotated[str, Meta(max_length=32)] | None = None
    member_number: MemberNumber | None = None


class RightsQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a professional's software asks."""

    insurer: Annotated[str, Meta(max_length=32, description="AMC number, 8 to 10 digits")]
    beneficiary: Beneficiary
    care_date: Annotated[str, Meta(max_length=10, description="Day of care, YYYY-MM-DD, Europe/Paris")]
    domain: Domain
    presented: Annotated[str, Meta(max_length=4096)] | None = msgspec.field(default=None, name="pass")


class Promise(msgspec.Struct, frozen=True):
    """An engagement as the asker sees it."""

    number: str
    valid_until: date


class RightsAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be told at this presence level; fields left out were not told.

    Without a pass `not_confirmed` never has another field; with one, a `reason`. Shown live, a pass adds the `guarantee` of the
    kind of care asked about, in words, and the other `domains` covered that day. Rights without an end are told as 9999-12-31.
    """

    check_id: str
    outcome: Literal["confirmed", "not_confirmed"]
    third_party_payment: bool | None = None
    covered_until: date | None = None
    engagement: Promise | None = None
    convention_type: str | None = None
    csr: str | None = None
    reason: Reason | None = None
    guarantee: tuple[str, ...] | None = None
    domains: tuple[Domain, ...] | None = None


async def check_rights(hub: Hub, asked: Request, question: RightsQuestion) -> Released[RightsAnswer]:
    """Answer one question; the answer's trace is durable when this returns.

    Raises `forbidden`, `pass_invalid`, and refusals of the question's own form, which depend on nothing the hub holds.
    """
    today = paris_day(hub.clock.now())
    care_date = in_range(parse_day(question.care_date, pointer="/care_date"), today, pointer="/care_date")
    permit(asked.account, SCOPE)  # a pass is looked at, and spent, for nobody else
    pass_ = scanned(hub, question.presented)
    person = await who(hub, asked, question.insurer, question.beneficiary)
    shown = await present(hub, asked, pass_, person)
    admission = hub.desk.admit(asked, SCOPE, Operation.RIGHTS_CHECK, person, shown.presence, question.domain)
    rights = found_or_decoy(hub.keys, await hub.rights.rights(admission))
    born, rank = question.beneficiary.birth_date, question.beneficiary.birth_rank
    rights = _vouched_for(hub, question, shown, unless_frozen(hub, person, born, rank, shown.presence, rights))
    opened = open_rights(rights, question.domain, care_date)
    if is_counted := hub.desk.is_pressed(admission):
        await hub.desk.count(admission, reference_of(hub, person, question.beneficiary, opened))
    if not opened:
        why = why_not(rights, question.domain, care_date)
        answer = _told(admission, RightsAnswer(check_id=asked.id, outcome="not_confirmed", reason=why))
        disclosed = _not_confirmed(question, rights, shown, answer)
        return await hub.desk.release(admission, disclosed, is_counted=is_counted)
    opened = await with_tables(hub, person.insurer, opened)
    engagement = promise(hub, admission, person.insurer, question.beneficiary, question.domain, care_date, opened)
    answer = _confirmed(asked.id, engagement, opened)
    if allowed(admission.operation, admission.presence) & Field.GUARANTEE.value:  # tables are not read for nothing
        others = tuple(each for each in domains_on(rights, care_date) if each is not question.domain)
        words = await _in_words(hub, person.insurer, question.domain, care_date, opened)
        answer = replace(answer, domains=others, guarantee=words)
    disclosure = Disclosure(
        _told(admission, answer),
        "confirmed",
        insurer=person.insurer,
        person=engagement.person,
        engagement=engagement,
        who=named(question.beneficiary, opened),
    )
    return await hub.desk.release(admission, disclosure, is_counted=is_counted)


async def who(hub: Hub, asked: Request, insurer: str, beneficiary: Beneficiary) -> Person:
    """The person meant, as keyed pseudonyms; the NIR is forgotten here. An insurer not served here has nobody."""
    number = amc(insurer, pointer="/insurer")
    born = birth_date(beneficiary.birth_date, pointer="/beneficiary/birth_date")
    rank = birth_rank(beneficiary.birth_rank, pointer="/beneficiary/birth_rank")
    if (beneficiary.nir is None) == (beneficiary.member_number is None):
        raise BENEFICIARY_INVALID(pointer="/beneficiary")
    told = NOTHING
    if beneficiary.nir is not None:
        typed = nir(beneficiary.nir, pointer="/beneficiary/nir")
        message, told = nir_message(typed, born, rank), hub.last.features(asked.account.sub, typed)
    else:
        message = member_message(beneficiary.member_number or "", born, rank)
    served = hub.keys.has(number)
    keys = await hub.desk.look_up(number if served else HUB, message)  # wherever the key lives, both take as long
    alike = int.from_bytes(keys[0][:ALIKE_BYTES])
    return Person(number, keys if served else (), beneficiary.member_number is not None, told, alike)


async def with_tables(hub: Hub, insurer: str, opened: tuple[Covered, ...]) -> tuple[Covered, ...]:
    """Contracts that are open, each with the guarantee table it was promised under; else that in force now, empty for none.

    Asked for once it is known that they are open: for nobody else's rights, or the time would tell of them.
    """
    return tuple([each if each.product_version else await _with_table(hub, insurer, each) for each in opened])


async def _with_table(hub: Hub, insurer: str, covered: Covered) -> Covered:
    return replace(covered, product_version=await hub.products.in_force(insurer, covered.product))


def promise(
    hub: Hub,
    admission: Admission,
    insurer: str,
    beneficiary: Beneficiary,
    domain: Domain,
    care_date: date,
    opened: tuple[Covered, ...],
) -> Engagement:
    """A new engagement for what is open (never empty), to the asker's practice."""
    today, asked = admission.day, admission.asked
    return Engagement(
        number=hub.ids.engagement(today.year),
        insurer=insurer,
        person=reference(hub, insurer, named(beneficiary, opened)),
        practice=asked.account.practice,
        account=asked.account.sub,
        domain=domain,
        care_date=care_date,
        valid_until=horizon(today),
        covered=opened,
    )


def named(beneficiary: Beneficiary, opened: tuple[Covered, ...]) -> Member:
    """The member that was found, by the number their insurer gave them (`opened` is never empty)."""
    return Member(opened[0].member_number, beneficiary.birth_date, beneficiary.birth_rank)


def reference_of(hub: Hub, meant: Person, beneficiary: Beneficiary, opened: tuple[Covered, ...]) -> bytes:
    """The reference of the person found covered; empty where nobody was, and the same work is done."""
    member = Member(opened[0].member_number if opened else NOBODY, beneficiary.birth_date, beneficiary.birth_rank)
    made = reference(hub, meant.insurer if meant.keys else HUB, member)
    evened(opened)
    return made if opened else b""


def reference(hub: Hub, insurer: str, member: Member) -> bytes:
    """The insurer's random-looking reference of a person, 16 bytes. Raises `insurer_unknown`."""
    return hub.keys.digest(insurer, person_message(member.number, member.birth_date, member.rank))


def _vouched_for(hub: Hub, question: RightsQuestion, shown: Present, rights: Sequence[Right]) -> Sequence[Right]:
    """With a pass, the rights under the member number it was issued for; without one, all of them.

    Else whoever has an insurer's token would give people a number of their own, issue passes for it, and open all they have.
    """
    if shown.presence is Presence.TYPED:
        return rights
    about, insurer = question.beneficiary, amc(question.insurer)
    own = {
        number: reference(hub, insurer, Member(number, about.birth_date, about.birth_rank)) == shown.person
        for number in {each.member_number for each in rights}
    }
    return [each for each in rights if own[each.member_number]]


def _confirmed(check_id: str, engagement: Engagement, opened: tuple[Covered, ...]) -> RightsAnswer:
    return RightsAnswer(
        check_id=check_id,
        outcome="confirmed",
        third_party_payment=True,
        covered_until=max(each.until for each in opened),
        engagement=Promise(engagement.number, engagement.valid_until),
        convention_type=opened[0].convention_type,
        csr=opened[0].csr,
    )


def _not_confirmed(
    question: RightsQuestion, rights: Sequence[Right], shown: Present, answer: RightsAnswer
) -> Disclosure[RightsAnswer]:
    """Nothing is told of anybody; or a reason, of the one whose pass it is."""
    insurer, about = amc(question.insurer), question.beneficiary
    if not answer.reason:
        return Disclosure(answer, answer.outcome, insurer=insurer)
    who = Member(rights[0].member_number, about.birth_date, about.birth_rank) if rights else None
    return Disclosure(answer, answer.outcome, insurer=insurer, person=shown.person, who=who)


def _told(admission: Admission, answer: RightsAnswer) -> RightsAnswer:
    """The part of the answer that the asker may be told."""
    return cut(answer, admission.operation, admission.presence, admission.day)


async def _in_words(hub: Hub, insurer: str, domain: Domain, day: date, opened: tuple[Covered, ...]) -> tuple[str, ...]:
    """What the open contracts promise for this kind of care."""
    tables = [await hub.products.table(insurer, each.product, each.product_version) for each in opened]
    rows = [row for table in tables if table for row in table.by_domain[domain] if row.holds_on(day)]
    return tuple(f"{row.label} : {guarantee_in_words(row.parsed)}" for row in rows[:GUARANTEES_MAX])


def in_range(day: date, today: date, *, pointer: str) -> date:
    """The day, if the hub answers about it. Raises `care_date_out_of_range`."""
    if not -CARE_PAST_DAYS_MAX <= (day - today).days <= CARE_AHEAD_DAYS_MAX:
        raise CARE_DATE_OUT_OF_RANGE(pointer=pointer)
    return day
