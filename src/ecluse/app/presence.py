"""Whether a scanned pass shows that the person asked about is there.

It is verified before anybody is looked up, and matched before anything is read of a person, so that a pass of somebody else
tells nothing about anyone.

Whatever is wrong, the refusal is the same and has no detail.
"""

from __future__ import annotations

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.pass_keys import whose
from ecluse.gate.admission import Person
from ecluse.gate.presence import Presence
from ecluse.kernel.errors import Refused
from ecluse.passes.issued import HANDLE_BYTES, handle_message
from ecluse.passes.live import WINDOWS_NEAR, window_of
from ecluse.passes.refusals import PASS_INVALID
from ecluse.passes.verify import Verified, verify


class Present(msgspec.Struct, frozen=True):
    """What was shown, and by whom: the insurer's reference of the person the pass was issued to (empty: nothing shown)."""

    presence: Presence = Presence.TYPED
    person: bytes = b""


TYPED = Present()


def scanned(hub: Hub, text: str | None) -> Verified | None:
    """The pass that was scanned, signed by this hub and valid now; None for none. Raises `pass_invalid`."""
    if text is None:
        return None
    issuers = hub.keys.pass_keys().issuers
    try:
        return verify(text, issuers, int(hub.clock.now().timestamp()))
    except Refused:
        raise PASS_INVALID(pointer="/pass") from None


async def present(hub: Hub, verified: Verified | None, person: Person) -> Present:
    """What the pass shows of this person; a live one is spent by it. Raises `pass_invalid`."""
    if verified is None:
        return TYPED
    held, shown = verified.held, verified.shown
    reference = None
    if person.keys and held.insurer == person.insurer and held.is_for(handle(hub, person, held.index)):
        reference = await whose(hub, verified)
    if reference is None:
        raise PASS_INVALID(pointer="/pass")
    if shown is None:
        return Present(Presence.PASS, reference)
    oldest = window_of(int(hub.clock.now().timestamp())) - 2 * WINDOWS_NEAR
    if not await hub.passes.take(held.index, shown.window, shown.nonce, oldest):
        raise PASS_INVALID(pointer="/pass")
    return Present(Presence.LIVE, reference)


def handle(hub: Hub, person: Person, index: int) -> bytes:
    """By what the pass of this index recognises the person: keyed from the pseudonym, whose first version never changes."""
    return hub.keys.digest(person.insurer, handle_message(index, person.keys[0]))[:HANDLE_BYTES]
