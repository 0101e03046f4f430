"""The account of a known practice changes: asked by one operator, told to the old contact, confirmed by another after a delay.

Each step is an entry (`rib_change`), the account in it sealed under the hub's key. Until the last, money goes to the old account:
it was checked once, and holding money back would let anybody who can ask starve a practice. Of an IBAN only the end is shown.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from ecluse.app.directory import open_payee, put_payee
from ecluse.app.hub import Hub
from ecluse.app.notices import rib_notice
from ecluse.app.ports import HUB, Keys
from ecluse.app.ports.ribs import Ribs
from ecluse.formats.directory import DIRECTORY_UNREADABLE, read_practices
from ecluse.gate.containment import signed
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.days import instant
from ecluse.payments.rib import RIB_REFUSED, RibChange, masked
from ecluse.payments.transfer import Payee

ASKED, CONFIRMED, DROPPED = "asked", "confirmed", "dropped"


class RibShown(msgspec.Struct, frozen=True):
    """A change as operators see it. `id`: what it is confirmed by; `notice`: the file for the practice's old contact."""

    id: str
    practice: str
    state: str
    old: str
    new: str
    asked_by: str
    asked_at: datetime
    from_at: datetime
    notice: str


class Kept(msgspec.Struct, frozen=True):
    """What an entry holds under the hub's key: the change, and who did this step, and why."""

    change: RibChange
    operator: str
    reason: str


_encode = msgspec.msgpack.Encoder().encode
_change = msgspec.msgpack.Decoder(RibChange).decode
_kept = msgspec.msgpack.Decoder(Kept).decode


async def ask_rib(hub: Hub, data: bytes, operator: str, reason: str, delay_us: int) -> RibShown:
    """Ask for another account of one known practice: the one row of a CSV as `ecluse practice load` reads it.

    Raises `directory_unreadable`, `rib_refused`.
    """
    who, (practice, payee) = signed(operator, reason), _one(data)
    with hub.ribs.alone():
        old = await _known(hub, practice)
        if old.iban == payee.iban:
            raise RIB_REFUSED("this is the account it has", fix="Load a changed name or BIC: ecluse practice load.")
        if practice in _waiting(hub):
            raise RIB_REFUSED("a change waits already", fix="Drop it first: ecluse practice rib drop.")
        change = RibChange(hub.ids.new("rib_"), practice, payee, who, hub.now_ts_us, delay_us, reason)
        shown = _shown(hub, change, ASKED, old)
        notice = rib_notice(change, old).encode()
        hub.exposure.post.put(shown.notice, notice)  # first: nothing waits of which nobody can be told
        await hub.desk.record(_entry(hub, ASKED, Kept(change, who, reason)))
        hub.ribs.ask(practice, change.asked_us, hub.keys.seal(HUB, _encode(change), _about(practice)))
    return shown


async def confirm_rib(hub: Hub, id_: str, operator: str, reason: str) -> RibShown:
    """Confirm the change of this id as another operator, once the delay is over: from now on money goes there.

    By its id, not by its practice: what was dropped and asked anew since it was looked at is another. Raises `rib_refused`.
    """
    who = signed(operator, reason)
    with hub.ribs.alone():
        change = next((each for each in _waiting(hub).values() if each.id == id_), None)
        if change is None:
            raise RIB_REFUSED(
                "no change of this id waits", fix="Give the id that `ecluse practice rib show` prints: rib_…"
            )
        old = await _known(hub, change.practice)
        change.check(who, hub.now_ts_us)
        await hub.desk.record(_entry(hub, CONFIRMED, Kept(change, who, reason)))
        await put_payee(hub.keys, hub.directory, change.practice, change.payee)
        hub.ribs.close(change.practice, change.asked_us)
    return _shown(hub, change, CONFIRMED, old)


async def drop_rib(hub: Hub, practice: str, operator: str, reason: str) -> RibShown:
    """Drop what was asked for; any one operator may, for the account stays as it is. Raises `rib_refused`."""
    who = signed(operator, reason)
    with hub.ribs.alone():
        change = _waiting(hub).get(practice)
        if change is None:
            raise RIB_REFUSED("no change of this practice waits")
        old = await _known(hub, practice)
        await hub.desk.record(
            _entry(hub, DROPPED, Kept(change, who, reason))
        )  # first: else no second try would tell it
        hub.ribs.close(practice, change.asked_us)
    return _shown(hub, change, DROPPED, old)


async def show_ribs(hub: Hub) -> list[RibShown]:
    """What waits for its second operator."""
    waiting = _waiting(hub).values()
    return [_shown(hub, each, ASKED, await _known(hub, each.practice)) for each in waiting]


def rib_again(keys: Keys, ribs: Ribs, entry: Entry) -> None:
    """Put back what an entry tells of, where gate.db was lost, in whatever order they are read."""
    change = _kept(keys.open(HUB, entry.sealed, _about(entry.request))).change
    if entry.outcome == ASKED:
        ribs.again(change.practice, change.asked_us, keys.seal(HUB, _encode(change), _about(change.practice)))
    else:
        ribs.close(change.practice, change.asked_us)


def _one(data: bytes) -> tuple[str, Payee]:
    sheet = read_practices(data)
    if sheet.bad or len(sheet.rows) != 1:
        why = f"{sheet.bad[0].code}, {sheet.bad[0].column}" if sheet.bad else f"{len(sheet.rows)} rows"
        raise DIRECTORY_UNREADABLE(f"one good row was expected: {why}")
    ((practice, (_, payee)),) = sheet.rows.items()
    return practice, payee


async def _known(hub: Hub, practice: str) -> Payee:
    sealed = (await hub.directory.payees([practice])).get(practice)
    if sealed is None:
        raise RIB_REFUSED("the hub has no account of this practice", fix="Load its first one: ecluse practice load.")
    return open_payee(hub.keys, practice, sealed)


def _waiting(hub: Hub) -> dict[str, RibChange]:
    opened = {
        practice: _change(hub.keys.open(HUB, sealed, _about(practice)))
        for practice, sealed in hub.ribs.waiting().items()
    }
    return {practice: each for practice, each in opened.items() if each.is_open(hub.now_ts_us)}


def _shown(hub: Hub, change: RibChange, state: str, old: Payee) -> RibShown:
    at, earliest = instant(change.asked_us), instant(change.from_us)
    notice = f"notices/{change.id}.txt"
    new = masked(change.payee.iban)
    return RibShown(change.id, change.practice, state, masked(old.iban), new, change.asked_by, at, earliest, notice)


def _entry(hub: Hub, outcome: str, kept: Kept) -> Entry:
    request = hub.ids.new("rib_")
    sealed = hub.keys.seal(HUB, _encode(kept), _about(request))
    return act(Operation.RIB_CHANGE, hub.now_ts_us, request, outcome, about=kept.change.practice, sealed=sealed)


def _about(name: str) -> bytes:
    """What the seal of a change is bound to: the practice it waits for, the entry it stands in."""
    return b"rib|1|" + name.encode()
