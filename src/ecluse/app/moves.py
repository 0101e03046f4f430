"""Moving an insurer to another server: the store does it, the journal says it."""

from __future__ import annotations

from ecluse.app.hub import Hub
from ecluse.app.ports import Moved, MoveTold
from ecluse.journal.entry import Operation, act
from ecluse.kernel.ids import amc


async def move_insurer(hub: Hub, insurer: str, target: str, told: MoveTold) -> Moved:
    """Move an insurer, go on with its move, or take it back. Raises `amc_invalid`, `journal_poisoned`, and what
    `InsurerMoves.move` raises."""
    await hub.desk.ready()  # what is moved cannot be moved again to be told
    moved = await hub.moves.move(amc(insurer), target, told)
    way = (
        f"taken back from {moved.source}, on {moved.target}"
        if moved.taken_back
        else f"{moved.source} to {moved.target}"
    )
    outcome = f"{way}: {moved.rights} rights, {moved.engagements} engagements"
    id_ = hub.ids.new("mov_")
    await hub.desk.record(act(Operation.INSURER_MOVED, hub.now_ts_us, id_, outcome, insurer=moved.insurer))
    return moved
