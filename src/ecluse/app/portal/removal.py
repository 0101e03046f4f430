"""Passkeys of an account removed, by its owner or because a device was lost; each removal is an entry of the journal."""

from __future__ import annotations

from ecluse.app.hub import Hub
from ecluse.journal.entry import Operation, act

BOUND, NOT_KEPT, REMOVED, LOST = "bound", "not_kept", "removed", "lost"


async def record_passkey(hub: Hub, account: str, id_: str, outcome: str) -> None:
    """Write down what became of a passkey."""
    request = hub.ids.new("pke_")
    await hub.desk.record(act(Operation.PASSKEY_CHANGED, hub.now_ts_us, request, outcome, account=account, about=id_))


async def forget_browsers(hub: Hub, account: str) -> None:
    """End every session of an account and remove every passkey, before anything else is told."""
    hub.sessions.end_all(account)
    known = hub.passkeys.of(account)
    hub.passkeys.remove_all(account)
    for each in known:
        await record_passkey(hub, account, each.id, LOST)
