"""The gate's engine and its table of caps."""

from __future__ import annotations

from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from ecluse.app.containment import replayed
from ecluse.app.hub import Hub
from ecluse.app.ports import Log
from ecluse.app.watching import Watcher
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.engines.sqlite.containments import LocalContainments
from ecluse.engines.sqlite.sensings import LocalSensings
from ecluse.gate.allowance import CapTable
from ecluse.journal.entry import Operation, decode
from ecluse.kernel.errors import refusal
from ecluse.settings import GateSettings

FILE = "gate.db"  # beside the journal it follows from, whatever the store: the journal is this machine's own too
TOGETHER = 1_000  # entries counted again in one transaction: some 15 ms
CAPS_INVALID = refusal(
    "caps_invalid",
    500,
    "The table of caps cannot be read",
    fix="Mend the file that gate.caps names: docs/gate.md has its form.",
)


def open_allowances(directory: Path, caps: str, *, is_watched: bool = True) -> LocalAllowances:
    """The counters of the hub in `directory`, under its own table of caps or the built-in one. Raises `caps_invalid`."""
    return LocalAllowances(directory / FILE, read_caps(directory / caps if caps else None), is_watched=is_watched)


def open_containments(directory: Path) -> LocalContainments:
    """What is limited in the hub in `directory`."""
    return LocalContainments(directory / FILE)


class Gate(NamedTuple):
    """The engines of one process, over one file."""

    allowances: LocalAllowances
    containments: LocalContainments
    sensings: LocalSensings

    def close(self) -> None:
        """Close them; the counters' marks are written first."""
        for each in self:
            each.close()


def open_gate(directory: Path, settings: GateSettings) -> Gate:
    """The gate of the hub in `directory`. Raises `caps_invalid`."""
    allowances = open_allowances(directory, settings.caps, is_watched=settings.detectors != "off")
    return Gate(allowances, open_containments(directory), open_sensings(directory))


def open_sensings(directory: Path) -> LocalSensings:
    """What the watcher of the hub in `directory` reads and keeps."""
    return LocalSensings(directory / FILE)


def watcher(hub: Hub, directory: Path, settings: GateSettings) -> Watcher:
    """The watcher of a hub, under the same table of caps as its counters. Raises `caps_invalid`."""
    table = read_caps(directory / settings.caps if settings.caps else None)
    return Watcher(hub, table.fleet, acts=settings.detectors == "act")


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
    store.caught_up()
    store.flush()


def read_caps(path: Path | None) -> CapTable:
    """A table of caps, the built-in one by default. Raises `caps_invalid`."""
    source = path or files("ecluse.gate") / "caps.toml"
    try:
        return msgspec.toml.decode(source.read_bytes(), type=CapTable)
    except (OSError, msgspec.MsgspecError) as wrong:
        raise CAPS_INVALID(f"{path}: {wrong}") from None
