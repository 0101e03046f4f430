"""The local journal looked at without taking part in it: how far it goes, and whether its ends are whole."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from ecluse.app.ports.upkeep import JournalFacts
from ecluse.engines.local import records, segments, slots, try_lock
from ecluse.journal.entry import decode


def look(directory: Path) -> JournalFacts:
    """Facts about every slot. Each slot's last segment is read whole; of the others, that they follow one another."""
    size = torn = 0
    instants: list[int] = []
    damaged = ""
    found = slots(directory)
    for slot in found:
        parts = segments(slot)
        size += sum(each.stat().st_size for each in parts)
        damaged = damaged or _gap(parts)
        if parts:
            content, written_now = _read(slot, parts[-1])
            entries = list(records(content))
            instants += [decode(entry).ts_us for entry, _ in (entries[:1] + entries[-1:])]
            torn += 0 if written_now else len(content) - (entries[-1][1] if entries else 0)
    return JournalFacts(len(found), size, min(instants, default=0), max(instants, default=0), torn, damaged)


def _gap(parts: list[Path]) -> str:
    """The first segment that does not begin where the one before it ends."""
    for before, after in pairwise(parts):
        if int(before.stem) + before.stat().st_size != int(after.stem):
            return f"{after.parent.name}/{after.name} does not follow {before.name}"
    return ""


def _read(slot: Path, segment: Path) -> tuple[bytes, bool]:
    """The segment, and whether a process is writing to it: then its end may be half written."""
    lock = try_lock(slot)
    content = segment.read_bytes()
    if lock is not None:
        os.close(lock)
    return content, lock is None
