"""Passes issued for an insurer's members, revoked, and the list of those revoked.

Issuing reads a person: it goes through the desk, and its entry is durable before the pass is handed out.
1. Each row is looked up by NIR; its rights of that member number give the minimal view the pass carries.
2. Passes are drawn and kept (`PassStore`), signed, journalled; a row of the same list again is the same pass, if it still stands.
What the pass recognises its person by is keyed from both pseudonyms: NIR and member number.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import msgspec

from ecluse.app.access import Disclosure, Released
from ecluse.app.aside import aside
from ecluse.app.feeds import own_insurer
from ecluse.app.hub import Hub
from ecluse.app.insurer_size import size
from ecluse.app.pass_keys import marks, signed_text, whose
from ecluse.app.ports import HUB
from ecluse.app.ports.passes import Make, PassRecord, Room
from ecluse.app.presence import handle
from ecluse.app.rights import reference
from ecluse.formats.pass_members import Wanted
from ecluse.gate.admission import Admission, Person, Request
from ecluse.gate.identity import Account
from ecluse.journal.entry import Operation, act
from ecluse.journal.member import Member, named_member
from ecluse.kernel.days import PARIS, paris_day
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc
from ecluse.passes.issued import (
    DAY_S,
    VALID_DAYS_MAX,
    VALID_DAYS_MIN,
    Pass,
    thumbprint,
)
from ecluse.passes.refusals import PASS_INVALID
from ecluse.passes.verify import Verified, held_in, verify
from ecluse.rights.check import domains_on, open_rights
from ecluse.rights.model import Domain, Right
from ecluse.rights.person import member_message, nir_message

SCOPE = "feeds"
OPERATOR = Account("operator", scopes=frozenset({SCOPE, "operate"}))
TOGETHER = 256  # rows whose entries are synced together, and whose passes are one transaction
AHEAD_DAYS_MAX = 31  # passes of next month, made in time

# All insurers share the indices of one status list, and an index is taken for two months: who stole an insurer's token must not
# take them all. A person's: five passes of a week, made a month ahead, on paper and on a telephone, and six that were lost. An
# insurer's: of each of its people, this month's and the next's, on paper and on a telephone; and some of people who come.
PER_PERSON, PER_MEMBER, SPARE = 16, 4, 1_000

# Rows of an insurer's account that name nobody, in a day (Paris): whoever stole its token tries numbers against a NIR, two
# thousand a second. An insurer's list is some weeks older or younger than its member file, in which one in a hundred people comes
# or goes (an assumption: an eighth in a year), and it may be sent twice. Past that it is not the list that must be sent again.
MISSED_SPARE, MISSED_PART = 1_000, 50

_REFERENCE = re.compile(r"[0-9a-f]{32}")

PASS_DAYS_INVALID = refusal(
    "pass_days_invalid",
    422,
    "A pass cannot have these days",
    fix=f"Ask for {VALID_DAYS_MIN} to {VALID_DAYS_MAX} days, from today or within the next {AHEAD_DAYS_MAX} days.",
)
PASSES_MISSED = refusal(
    "passes_missed",
    429,
    "Too many rows of today named nobody of this insurer",
    fix="Compare the list with the member file that is loaded; go on tomorrow, or have the operator of the hub issue it.",
)
PASS_UNKNOWN = refusal("pass_unknown", 404, "This insurer has no such pass", fix="Check the pass and the insurer.")


class Order(msgspec.Struct, frozen=True):
    """Which insurer's passes, from which day, for how many days; `digest` of the list they are wanted for."""

    insurer: str
    first_day: date
    days: int
    digest: bytes


class IssuedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a row. `not_issued`: this insurer's rights have nobody so named who is covered on the first day."""

    line: int
    outcome: str
    text: str | None = msgspec.field(default=None, name="pass")
    valid_from: datetime | None = None
    expires: datetime | None = None
    covered_until: date | None = None
    domains: tuple[Domain, ...] | None = None


def order(hub: Hub, asked: Request, insurer: str, first_day: date | None, days: int, content: bytes) -> Order:
    """The order, once asker and wish were checked. Raises `forbidden`, `amc_invalid`, `insurer_unknown`, `pass_days_invalid`."""
    number, today = amc(insurer), paris_day(hub.clock.now())
    own_insurer(asked, number)
    first = first_day or today
    if not VALID_DAYS_MIN <= days <= VALID_DAYS_MAX or not 0 <= (first - today).days <= AHEAD_DAYS_MAX:
        raise PASS_DAYS_INVALID()
    hub.keys.digest(number, b"")  # refuses an insurer that is not served
    what = b"passes|%b|%b|%d|%b" % (number.encode(), first.isoformat().encode(), days, content)
    return Order(number, first, days, hub.keys.digest(HUB, what))


async def issue_some(hub: Hub, asked: Request, given: Order, rows: Sequence[Wanted]) -> list[Released[IssuedRow]]:
    """The passes of some rows (`TOGETHER` at most) of an order; their entries are durable when this returns.

    Raises `passes_spent`, `passes_many`, `passes_missed`, `keys_rate_limited`; `pass_key_unknown` when a key is retired
    meanwhile: done again, it is signed anew.
    """
    await _miss(hub, asked, given, 0)
    readings = await asyncio.gather(*(_read(hub, asked, given, row) for row in rows))
    wanted = {each.line: each.make for each in readings if each.make}
    await _miss(hub, asked, given, len(readings) - len(wanted))
    now_ts = int(hub.clock.now().timestamp())
    room = Room(SPARE + PER_MEMBER * await size(hub, given.insurer), PER_PERSON)
    records = await hub.passes.issue(given.digest, wanted, now_ts, partial(marks, hub), room)
    texts = await aside(lambda: {line: signed_text(hub, record) for line, record in records.items()})
    return await asyncio.gather(*(_release(hub, each, records.get(each.line), texts) for each in readings))


async def _miss(hub: Hub, asked: Request, given: Order, rows: int) -> None:
    """Count rows that named nobody, before they are told. Once as many were as may, every request is refused, or one row would
    tell by the refusal. The operator is not held to it. Raises `passes_missed`."""
    if not asked.account.insurer:
        return
    before = await hub.passes.miss(given.insurer, paris_day(hub.clock.now()).toordinal(), rows)
    if before >= MISSED_SPARE and before >= MISSED_SPARE + await size(hub, given.insurer) // MISSED_PART:
        raise PASSES_MISSED()


class _Reading:
    """What was read of one row, and how its pass is made once it has an index."""

    __slots__ = ("admission", "insurer", "line", "make", "member")

    def __init__(self, admission: Admission, insurer: str, row: Wanted, make: Make | None) -> None:
        self.admission = admission
        self.insurer = insurer
        self.line = row.line
        self.member = Member(row.member_number, row.birth_date, row.birth_rank)
        self.make = make


async def _read(hub: Hub, asked: Request, given: Order, row: Wanted) -> _Reading:
    by_nir = nir_message(row.nir, row.birth_date, row.birth_rank)
    by_number = member_message(row.member_number, row.birth_date, row.birth_rank)
    named = [
        Person(given.insurer, await hub.desk.look_up(given.insurer, message), is_number)
        for message, is_number in ((by_nir, False), (by_number, True))
    ]
    own = Request(asked.account, hub.ids.new("pas_"), asked.network)
    admission = hub.desk.admit(own, SCOPE, Operation.PASS_ISSUED, named[0])
    rights = [each for each in await hub.rights.rights(admission) if each.member_number == row.member_number]
    domains = domains_on(rights, given.first_day)
    make = partial(_made, hub, given, row, named, rights, domains) if domains else None
    return _Reading(admission, given.insurer, row, make)


def _made(
    hub: Hub,
    given: Order,
    row: Wanted,
    named: Sequence[Person],
    rights: Sequence[Right],
    domains: tuple[Domain, ...],
    index: int,
) -> PassRecord:
    begins = datetime.combine(given.first_day, time(), PARIS)
    last_day = given.first_day + timedelta(days=given.days - 1)
    made = Pass(
        insurer=given.insurer,
        index=index,
        handles=b"".join(handle(hub, person, index) for person in named),
        not_before_ts=int(begins.timestamp()),
        expires_ts=int(begins.timestamp()) + given.days * DAY_S,
        domains=domains,
        covered_until=min([last_day, *(_until(rights, domain, given.first_day) for domain in domains)]),
        holder=thumbprint(row.holder) if row.holder else b"",
    )
    return PassRecord(made, reference(hub, given.insurer, Member(row.member_number, row.birth_date, row.birth_rank)))


def _until(rights: Sequence[Right], domain: Domain, day: date) -> date:
    return max(each.until for each in open_rights(rights, domain, day))


async def _release(hub: Hub, read: _Reading, record: PassRecord | None, texts: dict[int, str]) -> Released[IssuedRow]:
    if record is None:
        nobody = Disclosure(IssuedRow(read.line, "not_issued"), "not_issued", insurer=read.insurer)
        return await hub.desk.release(read.admission, nobody)
    made = record.made
    row = IssuedRow(
        read.line,
        "issued",
        texts[read.line],
        datetime.fromtimestamp(made.not_before_ts, UTC),
        datetime.fromtimestamp(made.expires_ts, UTC),
        made.covered_until,
        made.domains,
    )
    told = Disclosure(row, "issued", insurer=read.insurer, person=record.person, who=read.member)
    return await hub.desk.release(read.admission, told)


async def revoke_pass(hub: Hub, asked: Request, insurer: str, text: str) -> int:
    """Revoke one pass, by its text, expired or not; 1. Raises `forbidden`, `pass_invalid`, `pass_unknown`."""
    own_insurer(asked, number := amc(insurer))
    held = read_pass(hub, text).held
    now_ts = int(hub.clock.now().timestamp())
    person = await hub.passes.revoke(number, held.index, now_ts) if held.insurer == number else None
    if person is None:
        raise PASS_UNKNOWN()
    await _record(hub, asked, number, person)
    return 1


async def revoke_member(hub: Hub, asked: Request, insurer: str, member: Member) -> int:
    """Revoke every pass of a member that still stands; how many. Raises `forbidden`, `insurer_unknown`, refusals of form."""
    own_insurer(asked, number := amc(insurer))
    return await _revoke_all(hub, asked, number, reference(hub, number, named_member(member)))


async def revoke_person(hub: Hub, asked: Request, insurer: str, person: str) -> int:
    """The same by the reference (hexadecimal) that entries of the journal have. Raises `pass_unknown` for what is none."""
    own_insurer(asked, number := amc(insurer))
    if not _REFERENCE.fullmatch(person):
        raise PASS_UNKNOWN("a reference has 32 hexadecimal digits")
    return await _revoke_all(hub, asked, number, bytes.fromhex(person))


async def _revoke_all(hub: Hub, asked: Request, number: str, person: bytes) -> int:
    """Of somebody who has none it is in the journal too: the answer tells who has one."""
    count = await hub.passes.revoke_person(number, person, int(hub.clock.now().timestamp()))
    await _record(hub, asked, number, person, "revoked" if count else "none_revoked")
    return count


async def _record(hub: Hub, asked: Request, insurer: str, person: bytes, outcome: str = "revoked") -> None:
    """In the journal once it holds: a revocation cut short is done again."""
    told = act(
        Operation.PASS_REVOKED,
        hub.now_ts_us,
        hub.ids.new("rev_"),
        outcome,
        account=asked.account.sub,
        insurer=insurer,
        person=person,
    )
    await hub.desk.record(told)


def read_pass(hub: Hub, text: str) -> Verified:
    """A pass this hub signed, whatever the day. Raises `pass_invalid`, with its reason."""
    return held_in(text, hub.keys.pass_keys().issuers)


async def check_pass(hub: Hub, text: str) -> Verified:
    """A pass that holds now: signature, forms, dates, status. Raises `pass_invalid`, with its reason."""
    found = verify(text, hub.keys.pass_keys().issuers, int(hub.clock.now().timestamp()))
    if await whose(hub, found) is None:
        raise PASS_INVALID("revoked")
    return found
