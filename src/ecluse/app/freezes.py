"""A person freezes typed look-ups of their rights, through their insurer; lifted the same way.

Frozen, a question by what the card says has the answer of somebody unknown: the rights that were found are put away before
anything looks at them. With a pass it is answered; what runs under an engagement goes on. A freeze holds in every process before
it is in the journal, a lifting only after: what is cut short leaves the person frozen. What is said last holds, whatever a clock
says: it counts from just after what was said before.

Somebody the hub never met can be frozen, for their row may come with tomorrow's file, and nothing tells. So that nobody makes up
members without end, an insurer has room for so many frozen at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from ecluse.app.again import BY_ITSELF, TOGETHER, Again
from ecluse.app.hub import Hub
from ecluse.app.insurer_size import size
from ecluse.app.openings import own_members
from ecluse.app.ports import HUB
from ecluse.app.ports.carried import Going
from ecluse.app.ports.freezes import Freeze, Freezes
from ecluse.gate.admission import Person, Request
from ecluse.gate.containment import signed
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Entry, Operation, act
from ecluse.journal.member import Member, named_member
from ecluse.kernel.errors import refusal
from ecluse.rights.model import Right
from ecluse.rights.person import person_message

FROZEN, LIFTED = "frozen", "lifted"
NOBODY = "DECOY"  # whose number is looked for where nothing was found: the work is the same

# How many of one insurer are frozen at once, beside twice its size (`app/insurer_size.py`): everybody may freeze, and be
# renumbered once; these are for the file to come. 80 bytes each in every process.
ROOM = 1_000

FREEZES_MANY = refusal(
    "freezes_many",
    429,
    "As many of this insurer's members are frozen as it may have",
    fix="Load the member file they are in, or lift those that are needed no more.",
)


class FreezeAnswer(msgspec.Struct, frozen=True):
    """Whether typed look-ups of the person are frozen now. The same whether the hub ever met them or not."""

    frozen: bool


async def freeze(hub: Hub, asked: Request, insurer: str, member: Member, *, operator: str = "") -> FreezeAnswer:
    """Freeze typed look-ups of a member; again changes nothing.

    Raises `forbidden`, `insurer_unknown`, `freezes_many`, refusals of form.
    """
    number, (person, *_) = _meant(hub, asked, insurer, member)
    await _check_room(hub, number, person)
    now_us = hub.now_ts_us
    at_us = hub.freezes.freeze(number, person, now_us)
    await asyncio.sleep(hub.freezes.seen_after_s)
    said = Freeze(number, person, is_frozen=True, at_us=at_us)
    await hub.desk.record(_entry(hub, asked, said, now_us, operator))
    return FreezeAnswer(frozen=True)


async def lift(hub: Hub, asked: Request, insurer: str, member: Member, *, operator: str = "") -> FreezeAnswer:
    """Lift a freeze; of somebody who has none it does nothing. Raises the same, but for `freezes_many`."""
    number, people = _meant(hub, asked, insurer, member)
    for person in people:
        kept = hub.freezes.kept(number, person)
        if kept and kept.is_frozen:
            now_us = hub.now_ts_us
            said = Freeze(number, person, is_frozen=False, at_us=max(now_us, kept.at_us + 1))
            await hub.desk.record(_entry(hub, asked, said, now_us, operator))
            hub.freezes.lift(number, person, at_us=said.at_us, told_us=now_us)
    left = [hub.freezes.kept(number, person) for person in people]
    return FreezeAnswer(frozen=any(each.is_frozen for each in left if each))


def frozen_again(freezes: Freezes, entries: Sequence[Entry]) -> None:
    """Put back what entries tell of, where gate.db was lost: the newest wins. One told again says since when it holds."""
    freezes.again([(_told(entry), entry.ts_us) for entry in entries])


def still_frozen(hub: Hub, going: Going) -> Iterator[Again]:
    """Freezes that rest on entries about to be deleted, and liftings that still cancel older entries."""
    last: Freeze | None = None
    while some := hub.freezes.resting(going, last, TOGETHER):
        now_us, last = hub.now_ts_us, some[-1]
        yield Again([_again(hub, each, now_us) for each in some], partial(hub.freezes.told, some, now_us))


def unless_frozen(
    hub: Hub, meant: Person, born: str, rank: int, presence: Presence, rights: Sequence[Right]
) -> Sequence[Right]:
    """The rights found, or none where the person froze typed look-ups; the work is the same for everybody.

    By every number they are a member under: a reference is made from it, and one that is frozen freezes the person. A number
    with small letters is looked for in capitals too, 2 to 4 µs more: `_meant` says why.
    """
    scope = meant.insurer if meant.keys else HUB
    found = False
    for number in {each.member_number for each in rights} or {NOBODY}:
        if (capitals := number.upper()) != number:
            found |= hub.freezes.is_frozen(scope, hub.keys.digest(scope, person_message(capitals, born, rank)))
        # Last: the answer is about to be given under this reference, which keys remember (`digest`).
        found |= hub.freezes.is_frozen(scope, hub.keys.digest(scope, person_message(number, born, rank)))
    return () if found and presence is Presence.TYPED else rights


def _meant(hub: Hub, asked: Request, insurer: str, member: Member) -> tuple[str, list[bytes]]:
    """The insurer, and the references of the member, by the number in capitals first: a member file may write it otherwise, and
    nobody would hear that a freeze is of nobody. As named too, if that is another: freezes of before went by it."""
    number, named = own_members(asked.account, insurer), named_member(member)
    forms = dict.fromkeys((named.number.upper(), named.number))
    return number, [hub.keys.digest(number, person_message(each, named.birth_date, named.rank)) for each in forms]


async def _check_room(hub: Hub, insurer: str, person: bytes) -> None:
    if hub.freezes.count(insurer) < ROOM or hub.freezes.is_frozen(insurer, person):
        return
    if hub.freezes.count(insurer) >= ROOM + 2 * await size(hub, insurer):
        raise FREEZES_MANY()


def _told(entry: Entry) -> Freeze:
    outcome, _, since_us = entry.outcome.partition(" ")
    return Freeze(entry.insurer, entry.person, outcome == FROZEN, int(since_us or entry.ts_us))


def _again(hub: Hub, told: Freeze, now_us: int) -> Entry:
    return _act(hub, told, now_us, BY_ITSELF, since=f" {told.at_us}")


def _entry(hub: Hub, asked: Request, said: Freeze, now_us: int, operator: str) -> Entry:
    """It says since when, where the clock went back: by its own time it would lose against what was said before."""
    outcome = FROZEN if said.is_frozen else LIFTED
    since = f" {said.at_us}" if said.at_us > now_us else ""
    return _act(hub, said, now_us, asked.account.sub, since=since, about=signed(operator, outcome) if operator else "")


def _act(hub: Hub, said: Freeze, now_us: int, account: str, *, since: str, about: str = "") -> Entry:
    return act(
        Operation.LOOKUPS_FROZEN, now_us, hub.ids.new("frz_"), f"{FROZEN if said.is_frozen else LIFTED}{since}",
        account=account, insurer=said.insurer, person=said.person, about=about,
    )  # fmt: skip
