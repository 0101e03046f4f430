"""Whether a scanned pass shows that the person asked about is there.

It is verified before anybody is looked up, and matched before anything is read of a person, so that a pass of somebody else
tells nothing about anyone. Whoever found one and tries it with a list of people has `MISMATCHES_MAX` of them an hour, for the
pass and for the account; after that it is invalid whoever is asked about. Who is quarantined was refused before (`let_in`).

Whatever is wrong, the refusal is the same and has no detail.
"""

from __future__ import annotations

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.pass_keys import whose
from ecluse.gate.admission import Person, Request
from ecluse.gate.presence import Presence
from ecluse.kernel.errors import Refused
from ecluse.passes.issued import HANDLE_BYTES, handle_message
from ecluse.passes.live import WINDOWS_NEAR, window_of
from ecluse.passes.refusals import PASS_INVALID
from ecluse.passes.verify import Verified, verify

MISMATCHES_MAX = 10  # passes shown with somebody else's card, in an hour: a desk mistypes a few a day


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


async def present(hub: Hub, asked: Request, verified: Verified | None, person: Person) -> Present:
    """What the pass shows of this person; a live one is spent by it. Raises `pass_invalid`."""
    if verified is None:
        return TYPED
    # Asked for here, and noted before anything is waited for: of a hundred tries at once, too, only so many are compared.
    if any(hub.mismatches.count(each) >= MISMATCHES_MAX for each in _tried(asked, verified)):
        raise PASS_INVALID(pointer="/pass")
    held, shown = verified.held, verified.shown
    reference = None
    if person.keys and held.insurer == person.insurer and held.is_for(handle(hub, person, held.index)):
        reference = await whose(hub, verified)
    if reference is None:
        for each in _tried(asked, verified):
            hub.mismatches.note(each)
        raise PASS_INVALID(pointer="/pass")
    if shown is None:
        return Present(Presence.PASS, reference)
    oldest = window_of(int(hub.clock.now().timestamp())) - 2 * WINDOWS_NEAR
    if not await hub.passes.take(held.index, shown.window, shown.nonce, oldest):
        raise PASS_INVALID(pointer="/pass")
    return Present(Presence.LIVE, reference)


def _tried(asked: Request, verified: Verified) -> tuple[str, str]:
    """By what mismatches are counted: who tries, and what is tried."""
    return f"account {asked.account.sub}", f"pass {verified.held.index}"


def handle(hub: Hub, person: Person, index: int) -> bytes:
    """By what the pass of this index recognises the person: keyed from the pseudonym, whose first version never changes."""
    return hub.keys.digest(person.insurer, handle_message(index, person.keys[0]))[:HANDLE_BYTES]
