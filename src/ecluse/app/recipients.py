"""The public key of an insurer, to which the lists of its own members are encrypted; kept sealed, and in the journal.

Whoever changes that key reads the next list. So a known key changes only when the operator says so, as bank accounts do.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.app.ports.envelopes import Envelopes
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc

RECIPIENT_CHANGED = refusal(
    "recipient_changed",
    409,
    "This insurer has another public key",
    fix="Read the new key back to the insurer by telephone, with a number you already had; then again with --replace.",
)
INSURER_NOT_LOADED = refusal(
    "insurer_not_loaded", 404, "This hub has no such insurer", fix="Load it first: ecluse insurer load FILE.csv."
)


class Recipient(msgspec.Struct, frozen=True):
    """An insurer's public key, empty when none was registered; `changed` when this call did it."""

    insurer: str
    recipient: str
    changed: bool = False


async def show_key(hub: Hub, insurer: str) -> Recipient:
    """The public key registered for an insurer."""
    return Recipient(insurer, (await recipients(hub, [insurer])).get(insurer, ""))


async def set_key(hub: Hub, envelopes: Envelopes, insurer: str, text: str, *, replace: bool = False) -> Recipient:
    """Register a public key; in the journal before it is used.

    Raises `recipient_invalid`, `recipient_changed`, `amc_invalid`, `insurer_not_loaded`.
    """
    key, number = envelopes.recipient(text), amc(insurer)
    if not hub.keys.has(number):
        raise INSURER_NOT_LOADED()
    known = await show_key(hub, number)
    if known.recipient == key:
        return known
    if known.recipient and not replace:
        raise RECIPIENT_CHANGED(f"known: {known.recipient}")
    await hub.desk.record(_entry(hub, number, key))
    await hub.directory.put_recipient(number, hub.keys.seal(HUB, key.encode(), _about(number)))
    return Recipient(number, key, changed=True)


async def recipients(hub: Hub, insurers: Iterable[str]) -> dict[str, str]:
    """The public keys of those insurers that have one."""
    sealed = await hub.directory.recipients(insurers)
    return {number: hub.keys.open(HUB, each, _about(number)).decode() for number, each in sealed.items()}


def _about(insurer: str) -> bytes:
    """What the seal is bound to: moved to another insurer, it does not open."""
    return b"recipient|" + insurer.encode()


def _entry(hub: Hub, insurer: str, key: str) -> Entry:
    return act(Operation.RECIPIENT_SET, hub.now_ts_us, hub.ids.new("key_"), key, insurer=insurer)
