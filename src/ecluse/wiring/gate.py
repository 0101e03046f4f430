"""The gate's engine and its table of caps."""

from __future__ import annotations

from importlib.resources import files
from itertools import islice
from pathlib import Path

import msgspec

from ecluse.app.caps import caps_replayed
from ecluse.app.containment import replayed
from ecluse.app.hub import Hub
from ecluse.app.incidents.events import replayed as incident_replayed
from ecluse.app.ports import Log
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.engines.sqlite.containments import LocalContainments
from ecluse.engines.sqlite.incidents import LocalIncidents
from ecluse.engines.sqlite.lookback import LocalLookback
from ecluse.gate.allowance import CapTable
from ecluse.journal.entry import Operation, decode
from ecluse.kernel.errors import refusal

FILE = "gate.db"  # beside the journal it follows from, whatever the store: the journal is this machine's own too
TOGETHER = 1_000  # entries counted again in one transaction: some 15 ms
CAPS_INVALID = refusal(
    "caps_invalid",
    500,
    "The table of caps cannot be read",
    fix="Mend the file that gate.caps names: docs/gate.md has its form.",
)


def open_allowances(directory: Path, caps: CapTable) -> LocalAllowances:
    """The counters of the hub in `directory`, under this table of caps."""
    return LocalAllowances(directory / FILE, caps)


def open_containments(directory: Path) -> LocalContainments:
    """What is limited in the hub in `directory`."""
    return LocalContainments(directory / FILE)


def open_incidents(directory: Path) -> LocalIncidents:
    """The incidents of the hub in `directory`, as its journal tells of them."""
    return LocalIncidents(directory / FILE)


def open_lookback(directory: Path) -> LocalLookback:
    """What the counters of the hub in `directory` tell of a time that is over."""
    return LocalLookback(directory / FILE)


def recover_gate(hub: Hub, log: Log) -> None:
    """Count and limit anew what the journal tells of and gate.db lacks: after a power cut, or all of it where the file was lost.

    Raises `journal_behind`, `journal_damaged`.
    """
    store = hub.allowance.store
    unkept = ((decode(encoded), mark) for encoded, mark in log.unkept(store.marks()))
    while some := list(islice(unkept, TOGETHER)):
        store.recover(some)
        for entry, _ in some:
            if entry.operation is Operation.CONTAINED:
                replayed(hub.keys, hub.containments, entry)
            if entry.operation is Operation.CAPS_SET:
                caps_replayed(hub.exposure.lookback, entry)
            if entry.operation is Operation.INCIDENT:
                incident_replayed(hub, entry)
    store.caught_up()
    store.flush()


def read_caps(directory: Path, name: str) -> CapTable:
    """A hub's own table of caps, the built-in one where it names none. Raises `caps_invalid`."""
    source = directory / name if name else files("ecluse.gate") / "caps.toml"
    try:
        return msgspec.toml.decode(source.read_bytes(), type=CapTable)
    except (OSError, msgspec.MsgspecError) as wrong:
        raise CAPS_INVALID(f"{source}: {wrong}") from None
