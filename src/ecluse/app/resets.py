"""A device was lost: the account is shut at once by one operator, and put back by two, after a delay and a notice to its holder.

The help desk is how France Travail was entered: who calls says who they are, and nothing shows it. The new device itself is bound
by the issuer; what is held here is that nothing is told to the account meanwhile, and that no session or passkey of before opens
again.
"""

from __future__ import annotations

from ecluse.app.containment import moved
from ecluse.app.hub import Hub
from ecluse.app.notices import reset_notice
from ecluse.app.portal.removal import forget_browsers
from ecluse.gate.containment import Kind, Lost, Move, Reset, move


async def report_lost(hub: Hub, account: str, operator: str, reason: str) -> Move | None:
    """Quarantine the account, end its sessions, remove its passkeys; only a reset lifts it. Raises `containment_refused`."""
    made = await moved(hub, (Kind.ACCOUNT, account), Lost(operator, reason))
    await forget_browsers(hub, account)
    return made


async def reset(hub: Hub, account: str, operator: str, reason: str, delay_us: int) -> str:
    """Ask for a reset, or confirm what another operator asked for, once the delay is over; the file of the notice, of an asking.

    Raises `containment_refused`.
    """
    event = Reset(operator, reason, delay_us)
    state, name = hub.containments.state(Kind.ACCOUNT, account), ""
    if move(state, event, hub.now_ts_us)[0].step == state.step:  # an asking: nothing waits of which nobody can be told
        name = _told(hub, account, event)
    made = await moved(hub, (Kind.ACCOUNT, account), event)
    if made and made.before == made.after and not name:  # what it would have confirmed was taken back meanwhile
        name = _told(hub, account, event)
    await forget_browsers(hub, account)
    return name


def _told(hub: Hub, account: str, event: Reset) -> str:
    """Write the notice for the holder; its file."""
    name = f"notices/{hub.ids.new('rst_')}.txt"
    hub.exposure.post.put(name, reset_notice(account, event, hub.now_ts_us).encode())
    return name
