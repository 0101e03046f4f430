"""Moving an insurer to another server: the store does it, the journal says it."""

from __future__ import annotations

from ecluse.app.hub import Hub
from ecluse.app.ports import Moved, MoveTold
from ecluse.journal.entry import FORMAT, Entry, Operation
from ecluse.kernel.ids import amc


async def move_insurer(hub: Hub, insurer: str, target: str, told: MoveTold) -> Moved:
    """Move an insurer, or go on with its move. Raises `amc_invalid`, and what `InsurerMoves.move` raises."""
    moved = await hub.moves.move(amc(insurer), target, told)
    await hub.desk.record(
        Entry(
            format=FORMAT,
            ts_us=int(hub.clock.now().timestamp() * 1_000_000),
            operation=Operation.INSURER_MOVED,
            account="operator",
            practice="",
            insurer=moved.insurer,
            person=b"",
            presence=0,
            fields=0,
            outcome=f"{moved.source} to {moved.target}: {moved.rights} rights, {moved.engagements} engagements",
            engagement="",
            request=hub.ids.new("mov_"),
            sealed=b"",
        )
    )
    return moved
