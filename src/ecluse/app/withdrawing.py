"""What a stolen account was promised is withdrawn by an operator: its approvals are cancelled, what its quotes reserve is free.

1. The journal says what the account asked for. Of an engagement the last quote holds, whoever asked for it.
2. Each promise is told in the journal, with who withdraws it and why; only then it is withdrawn, in a unit of work of its own.
   What is billed by then stays. Killed in between, run it again: what is withdrawn is found no more.

Nothing does this by itself: honest accounts are quarantined by mistake too, and what they were promised must stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec

from ecluse.app.aside import aside
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.claims.approval import State
from ecluse.claims.promise import Promise, Theft
from ecluse.gate.admission import Admission, Request
from ecluse.gate.containment import Kind, signed
from ecluse.gate.identity import Account
from ecluse.gate.signals import Step
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.days import instant
from ecluse.kernel.errors import Refused, refusal

SCOPE = "withdraw"
OPERATOR = Account("operator", scopes=frozenset({SCOPE}))

WITHDRAWAL_REFUSED = refusal(
    "withdrawal_refused",
    409,
    "Nothing is withdrawn",
    fix="Contain the account first: ecluse gate contain ACCOUNT quarantined. Promises of an account in use stand.",
)


class Freed(msgspec.Struct, frozen=True):
    """Of one insurer: approvals that are cancelled, used ones whose rest is let go, engagements whose quote is; and what all of
    them reserve no more of guarantees that count."""

    insurer: str
    cancelled: int
    rests: int
    quotes: int
    acts: int
    cents: int


class Withdrawn(msgspec.Struct, frozen=True):
    """What was withdrawn, or with `dry_run` would be: in all, by insurer, and the names of it (approvals, engagements)."""

    account: str
    since: datetime
    until: datetime
    dry_run: bool
    approvals: int
    quotes: int
    cents: int
    insurers: tuple[Freed, ...]
    promises: tuple[str, ...]


class Kept(msgspec.Struct, frozen=True):
    """What each entry of an act holds under the hub's key: whose promises are withdrawn, by whom, and why."""

    theft: Theft
    operator: str
    reason: str


_encode = msgspec.msgpack.Encoder().encode


async def withdraw(hub: Hub, theft: Theft, operator: str, reason: str, *, dry_run: bool = False) -> Withdrawn:
    """Withdraw what the account was promised in these instants and nobody billed; with `dry_run` only look.

    Raises `containment_refused` where operator or reason is missing, `withdrawal_refused` of an account that is not quarantined.
    """
    kept = Kept(theft, signed(operator, reason), reason)
    if hub.containments.state(Kind.ACCOUNT, theft.account).step != Step.QUARANTINED:
        raise WITHDRAWAL_REFUSED("the account is not quarantined")
    if theft.since_us >= theft.until_us:
        raise WITHDRAWAL_REFUSED("no instant is in it", fix="Give --since an instant before --until, and before now.")
    admission = hub.desk.admit(
        Request(OPERATOR, hub.ids.new("wdr_")), SCOPE, Operation.PROMISE_WITHDRAWN, theft.account
    )
    found = [
        promise
        for holder in await aside(_holders, hub, admission, theft)
        if (promise := await _standing(hub, admission, theft, holder))
    ]
    if not dry_run:
        sealed = hub.keys.seal(HUB, _encode(kept), _about(admission))
        found = [freed for each in found if (freed := await _withdrawn(hub, admission, each, sealed))]
    return _told(theft, found, dry_run=dry_run)


def _holders(hub: Hub, admission: Admission, theft: Theft) -> list[str]:
    """What the account was promised then, as the journal tells: approvals, and engagements whose last quote was the account's."""
    asked = [
        entry
        for entry in hub.recall.entries(admission, theft.since_us, theft.account)
        if theft.holds(entry.account, entry.ts_us)
    ]
    approvals = {entry.request for entry in asked if entry.operation is Operation.APPROVAL}
    last = {entry.engagement: entry for entry in asked if entry.operation is Operation.QUOTE}
    for entry in hub.recall.entries(admission, theft.since_us, Operation.QUOTE) if last else ():
        if entry.operation is Operation.QUOTE and entry.engagement in last:
            last[entry.engagement] = max(last[entry.engagement], entry, key=lambda each: each.ts_us)
    return sorted(approvals) + sorted(key for key, entry in last.items() if theft.holds(entry.account, entry.ts_us))


async def _standing(hub: Hub, admission: Admission, theft: Theft, holder: str) -> Promise | None:
    """The promise, if something of it is left. A devis sent again, by whomever, is the approval of who asked for it first."""
    try:
        promise = await hub.promises.promise(admission, holder)
    except Refused as refused:
        if refused.code == "insurer_unknown":  # its keys were destroyed since: nobody is covered by it
            return None
        raise
    is_meant = promise and (promise.state is None or theft.holds(promise.account, promise.asked_us))
    return promise if is_meant else None


async def _withdrawn(hub: Hub, admission: Admission, promise: Promise, sealed: bytes) -> Promise | None:
    """Told first: what is withdrawn untold, nobody could be told afterwards."""
    await hub.desk.record(_entry(hub, admission, promise, sealed))
    return await hub.promises.withdraw(admission, promise)


def _entry(hub: Hub, admission: Admission, promise: Promise, sealed: bytes) -> Entry:
    return act(
        admission.operation,
        hub.now_ts_us,
        admission.asked.id,
        "approval" if promise.state else "quote",
        insurer=promise.insurer,
        person=promise.person,
        about=promise.holder,
        sealed=sealed,
    )


def _told(theft: Theft, found: Iterable[Promise], *, dry_run: bool) -> Withdrawn:
    by_insurer: dict[str, list[Promise]] = defaultdict(list)
    for each in found:
        by_insurer[each.insurer].append(each)
    insurers = tuple(_freed(insurer, some) for insurer, some in sorted(by_insurer.items()))
    return Withdrawn(
        account=theft.account,
        since=instant(theft.since_us),
        until=instant(theft.until_us),
        dry_run=dry_run,
        approvals=sum(each.cancelled + each.rests for each in insurers),
        quotes=sum(each.quotes for each in insurers),
        cents=sum(each.cents for each in insurers),
        insurers=insurers,
        promises=tuple(each.holder for each in found),
    )


def _freed(insurer: str, some: list[Promise]) -> Freed:
    states = [each.state for each in some]
    return Freed(
        insurer,
        cancelled=states.count(State.GRANTED),
        rests=states.count(State.USED),
        quotes=states.count(None),
        acts=sum(each.acts for each in some),
        cents=sum(each.cents for each in some),
    )


def _about(admission: Admission) -> bytes:
    """What the seal of an act is bound to."""
    return b"promise_withdrawn|1|" + admission.asked.id.encode()
