"""The caps in force, recorded in the journal: what an account could have been told in a past week depends on them."""

from __future__ import annotations

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.ports.lookback import Lookback
from ecluse.gate.allowance import CapTable
from ecluse.journal.entry import Entry, Operation, act


class CapsSet(msgspec.Struct, frozen=True):
    """What the entry says: the table, and since when it holds (Unix, µs)."""

    since_us: int
    caps: CapTable


async def caps_told(hub: Hub, table: CapTable) -> None:
    """Say in the journal that this table holds from now on, where another one did, or none that is known.

    The first one holds since ever where nobody has opened anybody yet.
    """
    lookback, now_us = hub.exposure.lookback, hub.now_ts_us
    known = lookback.caps_between(now_us, now_us + 1)
    if known[-1:] == (table,):
        return
    told = CapsSet(now_us if known or lookback.has_openings() else 0, table)
    await hub.desk.record(act(Operation.CAPS_SET, now_us, hub.ids.new("cap_"), msgspec.json.encode(told).decode()))
    lookback.set_caps(told.since_us, table)


def caps_replayed(lookback: Lookback, entry: Entry) -> None:
    """Put back the table an entry of the journal tells of, where gate.db was lost."""
    told = msgspec.json.decode(entry.outcome, type=CapsSet)
    lookback.set_caps(told.since_us, told.caps)
