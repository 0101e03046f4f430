"""The gate's engine and its table of caps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.caps import caps_replayed
from ecluse.app.containment import replayed
from ecluse.app.decoys import decoys_again
from ecluse.app.denials import denied_again
from ecluse.app.freezes import frozen_again
from ecluse.app.hub import Hub
from ecluse.app.incidents.events import replayed as incident_replayed
from ecluse.app.ports import Log
from ecluse.app.ribs import rib_again
from ecluse.app.watching import Watcher
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.engines.sqlite.containments import LocalContainments
from ecluse.engines.sqlite.decoys import LocalDecoys
from ecluse.engines.sqlite.freezes import LocalFreezes
from ecluse.engines.sqlite.incidents import LocalIncidents
from ecluse.engines.sqlite.lookback import LocalLookback
from ecluse.engines.sqlite.openings import LocalOpenings
from ecluse.engines.sqlite.passkeys import LocalPasskeys
from ecluse.engines.sqlite.ribs import LocalRibs
from ecluse.engines.sqlite.sensings import LocalSensings
from ecluse.engines.sqlite.sessions import LocalSessions
from ecluse.engines.sqlite.under_way import LocalUnderWay
from ecluse.gate.allowance import Beginning, CapTable
from ecluse.journal.entry import Entry, Operation, decode
from ecluse.kernel.errors import refusal
from ecluse.settings import GateSettings

FILE = "gate.db"  # beside the journal it follows from, whatever the store: the journal is this machine's own too
SENSED = "sensed.db"  # what the watcher keeps
PORTAL = "portal.db"  # browsers' sessions; only where somebody logged in
LOGINS = "logins.db"  # what browsers have begun; only where one began something
TOGETHER = 1_000  # entries counted again in one transaction: some 15 ms
CAPS_INVALID = refusal(
    "caps_invalid",
    500,
    "The table of caps cannot be read",
    fix="Mend the file that gate.caps names: docs/gate.md has its form.",
)


# What the journal's entries put back in gate.db, beside openings and freezes, of which there may be many.
AGAIN: dict[Operation, Callable[[Hub, Entry], None]] = {
    Operation.CONTAINED: lambda hub, entry: replayed(hub.keys, hub.containments, entry),
    Operation.OPENING_DENIED: lambda hub, entry: denied_again(hub.keys, hub.allowance.store, entry),
    Operation.CAPS_SET: lambda hub, entry: caps_replayed(hub.exposure.lookback, entry),
    Operation.INCIDENT: incident_replayed,
    Operation.DECOYS: lambda hub, entry: decoys_again(hub.keys, hub.decoys, entry),
    Operation.RIB_CHANGE: lambda hub, entry: rib_again(hub.keys, hub.ribs, entry),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate's files of one hub, whatever store it has."""

    allowances: LocalAllowances
    containments: LocalContainments
    sensings: LocalSensings
    openings: LocalOpenings
    freezes: LocalFreezes
    ribs: LocalRibs
    decoys: LocalDecoys
    incidents: LocalIncidents
    sessions: LocalSessions
    under_way: LocalUnderWay
    passkeys: LocalPasskeys

    def ports(self) -> dict[str, Any]:
        """What the hub knows by these names; counters are reached through the desk, what browsers began through the portal."""
        others = ("allowances", "under_way")
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in others}

    def close(self) -> None:
        """Close them all."""
        self.allowances.close()
        self.containments.close()
        self.sensings.close()
        self.openings.close()
        self.freezes.close()
        self.ribs.end()
        self.decoys.close()
        self.incidents.close()
        self.sessions.close()
        self.under_way.close()
        self.passkeys.close()


def open_gate(directory: Path, settings: GateSettings) -> Gate:
    """The gate of the hub in `directory`, under its own table of caps or the built-in one. Raises `caps_invalid`."""
    caps = read_caps(directory, settings)
    return Gate(
        open_allowances(directory, caps, is_watched=settings.detectors != "off"),
        open_containments(directory),
        open_sensings(directory, is_watched=settings.detectors != "off"),
        LocalOpenings(directory),
        open_freezes(directory),
        LocalRibs(directory / FILE, is_watched=settings.detectors != "off"),
        LocalDecoys(directory / FILE),
        open_incidents(directory),
        LocalSessions(directory / PORTAL),
        LocalUnderWay(directory / LOGINS),
        LocalPasskeys(directory / PORTAL),
    )


def open_allowances(directory: Path, caps: CapTable, *, is_watched: bool = True) -> LocalAllowances:
    """The counters of the hub in `directory`, under this table of caps."""
    return LocalAllowances(directory / FILE, caps, is_watched=is_watched)


def open_containments(directory: Path) -> LocalContainments:
    """What is limited in the hub in `directory`."""
    return LocalContainments(directory / FILE)


def open_incidents(directory: Path) -> LocalIncidents:
    """The incidents of the hub in `directory`, as its journal tells of them."""
    return LocalIncidents(directory / FILE)


def open_lookback(directory: Path) -> LocalLookback:
    """What the counters of the hub in `directory` tell of a time that is over."""
    return LocalLookback(directory / FILE)


def open_sensings(directory: Path, *, is_watched: bool = True) -> LocalSensings:
    """What the watcher of the hub in `directory` reads and keeps."""
    return LocalSensings(directory / FILE, directory / SENSED, is_watched=is_watched)


def watcher(hub: Hub, directory: Path, settings: GateSettings) -> Watcher:
    """The watcher of a hub, under the same table of caps as its counters. Raises `caps_invalid`."""
    return Watcher(hub, read_caps(directory, settings).fleet, acts=settings.detectors == "act")


def open_freezes(directory: Path) -> LocalFreezes:
    """Who froze typed look-ups in the hub in `directory`."""
    return LocalFreezes(directory / FILE)


def recover_gate(hub: Hub, log: Log) -> None:
    """Count and limit anew what the journal tells of and gate.db lacks: after a power cut, or all of it where the file was lost.

    Raises `journal_behind`, `journal_damaged`.
    """
    store = hub.allowance.store
    unkept = ((decode(encoded), mark) for encoded, mark in log.unkept(store.marks()))
    while some := list(islice(unkept, TOGETHER)):
        store.recover(some)
        frozen_again(hub.freezes, [entry for entry, _ in some if entry.operation is Operation.LOOKUPS_FROZEN])
        for entry, _ in some:
            if again := AGAIN.get(entry.operation):
                again(hub, entry)
    store.caught_up()
    store.flush()


def catch_up_gate(hub: Hub, log: Log) -> None:
    """Recover the gate where its marks say that it lacks something, as it does where gate.db was lost or an older one put back.

    Where it lacks nothing, no entry is read and no slot of the journal is taken. Raises as `recover_gate`.
    """
    if log.is_ahead(hub.allowance.store.marks()):
        recover_gate(hub, log)
    else:
        hub.allowance.store.caught_up()


@cache
def built_in_caps() -> CapTable:
    """The table of a hub that names none of its own."""
    return msgspec.toml.decode((files("ecluse.gate") / "caps.toml").read_bytes(), type=CapTable)


def read_caps(directory: Path, settings: GateSettings) -> CapTable:
    """A hub's own table of caps, the built-in one where it names none; with its beginning. Raises `caps_invalid`."""
    table = _own_caps(directory, settings.caps) if settings.caps else built_in_caps()
    if not settings.beginning_until:
        return table
    try:
        until = date.fromisoformat(settings.beginning_until)
    except ValueError:
        said = f"gate.beginning_until: {settings.beginning_until[:20]!r} is no day"
        raise CAPS_INVALID(said, fix="Write it as 2027-03-31.") from None
    return msgspec.structs.replace(table, beginning=Beginning(until))


def _own_caps(directory: Path, name: str) -> CapTable:
    try:
        return msgspec.toml.decode((directory / name).read_bytes(), type=CapTable)
    except (OSError, msgspec.MsgspecError) as wrong:
        raise CAPS_INVALID(f"{directory / name}: {wrong}") from None
