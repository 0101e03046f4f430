""" "Not me": what a person says of a look at their rights, passed on by their insurer, or by an operator who looked into it.

1. The opening is one of that insurer's members; else it is unknown, in the same words.
2. It is decided, beside what that insurer said before, whether the denial counts or waits for an operator (`gate/denials.py`).
3. One that counts makes the opening unjustified for ever, and may move the account down its ladder.
4. It is journalled (`opening_denied`). Whatever is cut short before is done again when it is said again; after, it is as it was.
gate.db and openings.db follow from these entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from ecluse.app.again import BY_ITSELF, TOGETHER, Again
from ecluse.app.aside import aside
from ecluse.app.containment import moved
from ecluse.app.following import entries_at, follow, heads_by_name, read_denial, seal_denial
from ecluse.app.hub import Hub
from ecluse.app.openings import own_members
from ecluse.app.ports import Keys
from ecluse.app.ports.allowances import Allowances
from ecluse.app.ports.carried import Going
from ecluse.app.ports.openings import Denial, Opening
from ecluse.exposure.gaps import month_of
from ecluse.gate.admission import Request
from ecluse.gate.allowance import YEAR_DAYS, day_of
from ecluse.gate.containment import Denied, Kind, signed
from ecluse.gate.denials import Weight, months, weight
from ecluse.gate.openings import id_text, read_id
from ecluse.gate.signals import Step
from ecluse.journal.entry import Entry, Operation, act, decode
from ecluse.kernel.days import DAY_US, instant
from ecluse.kernel.errors import NOT_FOUND, refusal

LISTED_MAX = 1_000

OPENINGS_BEHIND = refusal(
    "openings_behind",
    503,
    "The index of openings is being made again",
    fix="Send it again in a minute.",
)


class DenialAnswer(msgspec.Struct, frozen=True):
    """A denial as whoever said it is told: `counted`, `held` for an operator to look at, or `noted`: a pass was shown."""

    opening: str
    outcome: Weight
    said_at: datetime


class ShownDenial(DenialAnswer, frozen=True):
    """A denial as operators see it: who looked, where and when, and who says that it was not for the person."""

    insurer: str
    account: str
    practice: str
    opened_at: datetime
    said_by: str
    reason: str


async def deny(
    hub: Hub, asked: Request, insurer: str, opening: str, *, operator: str = "", reason: str = ""
) -> DenialAnswer:
    """Deny an opening of one's own member; again is the same answer. With an `operator` it is theirs, and counts.

    Raises `forbidden`, `not_found`, `openings_behind`.
    """
    number = own_members(asked.account, insurer)
    found, entry = await aside(_opening, hub, number, opening)
    denial = Denial(
        id=found.id,
        insurer=number,
        account=entry.account,
        practice=entry.practice,
        opened_us=entry.ts_us,
        at_us=hub.now_ts_us,
        said_by=signed(operator, reason) if operator else asked.account.sub,
        is_staff=bool(operator),
        reason=reason,
    )
    cap = _cap(hub, entry.account)
    denial, is_done = await aside(hub.openings.deny, denial, lambda said: weight(said, cap))
    if not is_done:
        denial = await _done(hub, asked, denial, entry.person)
    return DenialAnswer(id_text(denial.id), denial.weight, instant(denial.at_us))


def list_denials(hub: Hub, insurer: str, account: str) -> list[ShownDenial]:
    """Denials, the newest first, for the hub's operators. Nobody who was looked at is named."""
    while follow(hub):
        pass
    return [
        ShownDenial(
            id_text(each.id),
            each.weight,
            instant(each.at_us),
            each.insurer,
            each.account,
            each.practice,
            instant(each.opened_us),
            each.said_by,
            each.reason,
        )
        for each in hub.openings.denials(insurer, account, LISTED_MAX)
    ]


def denied_again(keys: Keys, allowances: Allowances, entry: Entry) -> None:
    """Count anew, where gate.db was lost, what an entry tells of."""
    denial = read_denial(keys, entry)
    if denial.weight is Weight.COUNTED:
        opened_day = day_of(denial.opened_us)
        again = entry.account == BY_ITSELF
        allowances.recover_denial(
            denial.account, denial.practice, entry.person, opened_day, denial.at_us, is_carried=again
        )


def still_denied(hub: Hub, going: Going) -> Iterator[Again]:
    """Denials that rest on entries about to be deleted and still weigh on an account, for a year from their opening."""
    since_us = hub.now_ts_us - YEAR_DAYS * DAY_US
    told: set[bytes] = set()
    some: list[Entry] = []
    for shard in going.shards:
        for entry in _denials_in(hub, shard) if month_of(shard)[1] + DAY_US > since_us else ():
            denial = read_denial(hub.keys, entry)
            weighs = denial.weight is Weight.COUNTED and day_of(denial.opened_us) > day_of(since_us)
            if weighs and denial.id not in told:
                told.add(denial.id)
                some.append(_again(hub, denial, entry.person))
            if len(some) == TOGETHER:
                yield Again(some, _nothing)
                some = []
    if some:
        yield Again(some, _nothing)


def _denials_in(hub: Hub, shard: str) -> Iterator[Entry]:
    """The denials among a shard's entries; a month has millions of others, which are not decoded."""
    head = heads_by_name(hub)[shard]
    for encoded in hub.exposure.shards.entries(shard, head.pruned, head.size):
        if Operation.OPENING_DENIED.encode() in encoded:
            entry = decode(encoded)
            if entry.operation is Operation.OPENING_DENIED:
                yield entry


def _again(hub: Hub, denial: Denial, person: bytes) -> Entry:
    request = hub.ids.new("den_")
    return act(
        Operation.OPENING_DENIED, hub.now_ts_us, request, denial.weight,
        account=BY_ITSELF, insurer=denial.insurer, person=person, about=denial.account,
        sealed=seal_denial(hub.keys, denial, request),
    )  # fmt: skip


def _nothing() -> None:
    """Nothing is remembered of denials: what goes is read once, when it goes."""


def _opening(hub: Hub, insurer: str, text: str) -> tuple[Opening, Entry]:
    """The opening of that id and its entry, among this insurer's that are kept. Blocks."""
    if follow(hub):
        raise OPENINGS_BEHIND()
    id_, heads = read_id(text), heads_by_name(hub)
    found = hub.openings.opening(insurer, id_) if id_ else None
    kept = list(entries_at(hub, [found], heads)) if found and found.shard in heads else []
    if not kept:
        raise NOT_FOUND()
    return kept[0]


def _cap(hub: Hub, account: str) -> int:
    """How many people the account may owe, as it stands."""
    position = hub.allowance.store.position(account, day_of(hub.now_ts_us))
    if position is None:
        return 0
    return min(position.standing.cap or position.caps.debt, position.caps.debt)


async def _done(hub: Hub, asked: Request, denial: Denial, person: bytes) -> Denial:
    """Counted, contained, journalled, in this order: what is cut short in between was not said yet, and is said again."""
    if denial.weight is Weight.COUNTED:
        if hub.allowance.store.deny(denial.account, person, denial.at_us):
            await _move(hub, denial)
        else:
            denial = replace(denial, weight=Weight.NOTED)
    request = hub.ids.new("den_")
    entry = act(
        Operation.OPENING_DENIED,
        denial.at_us,
        request,
        denial.weight,
        account=asked.account.sub,
        insurer=denial.insurer,
        person=person,
        about=denial.account,
        sealed=seal_denial(hub.keys, denial, request),
    )
    await hub.desk.record(entry)
    await aside(hub.openings.settle, denial)
    return denial


async def _move(hub: Hub, denial: Denial) -> None:
    """Down the ladder, if so many people say so of so few; a limit that was lifted is not set again by what was said before."""
    this_us, last_us = months(denial.at_us)
    state = hub.containments.state(Kind.ACCOUNT, denial.account)
    since_us = max(this_us, state.since_us) if state.step == Step.OPEN else this_us
    denied, of_one = await aside(hub.openings.counted, denial.account, since_us, last_us)
    opened = hub.allowance.store.opened_since(denial.account, day_of(last_us))
    await moved(hub, (Kind.ACCOUNT, denial.account), Denied(denied, opened, of_one))
