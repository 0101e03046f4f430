"""Freezes, limits, decoys, denials and open incidents told again in new entries, before those they rest on are deleted.

gate.db can be lost: it is made anew from the journal, in whatever order entries are read, the newest word holding. So each state
is told by an entry that is kept, with the instant it was said at where order depends on it. What was done since wins, whenever it
is read. Entries are durable before anything is pruned; killed anywhere, it is run again, and tells again what it had not noted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import msgspec

from ecluse.app.again import Again
from ecluse.app.containment import still_limited
from ecluse.app.decoys import still_planted
from ecluse.app.denials import still_denied
from ecluse.app.freezes import still_frozen
from ecluse.app.hub import Hub
from ecluse.app.incidents.events import still_open
from ecluse.app.ports.carried import Going

Told = Callable[[str, int], None]  # what, how many so far


class Carried(msgspec.Struct, frozen=True):
    """How many entries told again, by kind: freezes, limits, decoy batches, denials, events of open incidents."""

    freezes: int = 0
    limits: int = 0
    decoys: int = 0
    denials: int = 0
    incidents: int = 0


# By the names of `Carried`. Not among them, and why: docs/decisions/0038.
STILL: dict[str, Callable[[Hub, Going], Iterator[Again]]] = {
    "freezes": still_frozen,
    "limits": still_limited,
    "decoys": still_planted,
    "denials": still_denied,
    "incidents": still_open,
}


async def carry(hub: Hub, going: Going, told: Told) -> Carried:
    """Tell again what rests on entries that go; durable on return."""
    counts = dict.fromkeys(STILL, 0)
    for what, still in STILL.items():
        for some in still(hub, going):
            await asyncio.gather(*map(hub.desk.record, some.entries))
            some.remember()
            counts[what] += len(some.entries)
            told(what, counts[what])
    return Carried(**counts)


def foreseen(hub: Hub, going: Going) -> Carried:
    """How many entries `carry` would write. Blocks."""
    return Carried(**{what: sum(len(some.entries) for some in still(hub, going)) for what, still in STILL.items()})
