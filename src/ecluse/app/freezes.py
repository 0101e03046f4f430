"""A person freezes typed look-ups of their rights, through their insurer; lifted the same way.

Frozen, a question by what the card says has the answer of somebody unknown: the rights that were found are put away before
anything looks at them. With a pass it is answered; what runs under an engagement goes on. A freeze holds in every process before
it is in the journal, a lifting only after: what is cut short leaves the person frozen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from ecluse.app.again import BY_ITSELF, TOGETHER, Again
from ecluse.app.hub import Hub
from ecluse.app.openings import own_members
from ecluse.app.ports import HUB
from ecluse.app.ports.carried import Going
from ecluse.app.ports.freezes import Freeze, Freezes
from ecluse.gate.admission import Person, Request
from ecluse.gate.containment import signed
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Entry, Operation, act
from ecluse.journal.member import Member
from ecluse.kernel.ids import birth_date, birth_rank
from ecluse.rights.model import Right
from ecluse.rights.person import person_message

FROZEN, LIFTED = "frozen", "lifted"
NOBODY = "decoy"  # whose number is looked for where nothing was found: the work is the same


class FreezeAnswer(msgspec.Struct, frozen=True):
    """Whether typed look-ups of the person are frozen now. The same whether the hub ever met them or not."""

    frozen: bool


async def freeze(hub: Hub, asked: Request, insurer: str, member: Member, *, operator: str = "") -> FreezeAnswer:
    """Freeze typed look-ups of a member; again changes nothing. Raises `forbidden`, `insurer_unknown`, refusals of form."""
    number, person = _meant(hub, asked, insurer, member)
    hub.freezes.put(number, person, frozen=True, at_us=hub.now_ts_us)
    await asyncio.sleep(hub.freezes.seen_after_s)
    await hub.desk.record(_entry(hub, asked, number, person, FROZEN, operator))
    return FreezeAnswer(frozen=True)


async def lift(hub: Hub, asked: Request, insurer: str, member: Member, *, operator: str = "") -> FreezeAnswer:
    """Lift a freeze; of somebody who has none it changes nothing. Raises the same."""
    number, person = _meant(hub, asked, insurer, member)
    entry = _entry(hub, asked, number, person, LIFTED, operator)
    await hub.desk.record(entry)
    hub.freezes.put(number, person, frozen=False, at_us=entry.ts_us)
    return FreezeAnswer(frozen=False)


def frozen_again(freezes: Freezes, entries: Sequence[Entry]) -> None:
    """Put back what entries tell of, where gate.db was lost: the newest wins. One told again says since when it holds."""
    freezes.again([(_told(entry), entry.ts_us) for entry in entries])


def still_frozen(hub: Hub, going: Going) -> Iterator[Again]:
    """Freezes that rest on entries that go, and liftings that entries of before them are held against."""
    last: Freeze | None = None
    while some := hub.freezes.resting(going, last, TOGETHER):
        now_us, last = hub.now_ts_us, some[-1]
        yield Again([_again(hub, each, now_us) for each in some], partial(hub.freezes.told, some, now_us))


def unless_frozen(
    hub: Hub, meant: Person, born: str, rank: int, presence: Presence, rights: Sequence[Right]
) -> Sequence[Right]:
    """The rights that were found, or none of somebody who froze typed look-ups; for the same work, whoever is asked about.

    By every number they are a member under: a reference is made from it, and one that is frozen freezes the person.
    """
    scope = meant.insurer if meant.keys else HUB
    found = False
    for number in {each.member_number for each in rights} or {NOBODY}:
        found |= hub.freezes.is_frozen(scope, hub.keys.digest(scope, person_message(number, born, rank)))
    return () if found and presence is Presence.TYPED else rights


def _meant(hub: Hub, asked: Request, insurer: str, member: Member) -> tuple[str, bytes]:
    number = own_members(asked.account, insurer)
    born = birth_date(member.birth_date, pointer="/member/birth_date")
    rank = birth_rank(member.rank, pointer="/member/birth_rank")
    return number, hub.keys.digest(number, person_message(member.number, born, rank))


def _told(entry: Entry) -> Freeze:
    outcome, _, since_us = entry.outcome.partition(" ")
    return Freeze(entry.insurer, entry.person, outcome == FROZEN, int(since_us or entry.ts_us))


def _again(hub: Hub, told: Freeze, now_us: int) -> Entry:
    outcome = f"{FROZEN if told.is_frozen else LIFTED} {told.at_us}"
    request = hub.ids.new("frz_")
    return act(
        Operation.LOOKUPS_FROZEN, now_us, request, outcome,
        account=BY_ITSELF, insurer=told.insurer, person=told.person,
    )  # fmt: skip


def _entry(hub: Hub, asked: Request, insurer: str, person: bytes, outcome: str, operator: str) -> Entry:
    return act(
        Operation.LOOKUPS_FROZEN,
        hub.now_ts_us,
        hub.ids.new("frz_"),
        outcome,
        account=asked.account.sub,
        insurer=insurer,
        person=person,
        about=signed(operator, outcome) if operator else "",
    )
