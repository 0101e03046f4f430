"""The local journal looked at without taking part in it: how far it goes, and whether its ends are whole."""

from __future__ import annotations

import os
from pathlib import Path

from ecluse.app.ports.upkeep import JournalFacts
from ecluse.engines.local.archive import shard_states
from ecluse.engines.local.reading import LocalShards, size_of
from ecluse.engines.local.registry import Record, read_records, try_slot
from ecluse.engines.local.shard import WAL
from ecluse.engines.local.wal import torn_bytes
from ecluse.journal.entry import decode
from ecluse.kernel.errors import Refused


def look(directory: Path) -> JournalFacts:
    """Facts about every shard: its size, its first and last entry, whether its end is whole. Entries between are not read."""
    size = sum(each.stat().st_size for each in directory.rglob("*") if each.is_file())
    torn, damaged, instants, origins = 0, "", [0] * 0, set[str]()
    try:
        records = read_records(directory)
    except ValueError as broken:
        return JournalFacts(0, size, 0, 0, 0, f"shards.json: {broken}")
    for record in records.values():
        try:
            origins.add(record.origin)
            instants += _ends_us(directory, record)
            torn += _torn(directory, record)
        except (Refused, OSError, ValueError) as broken:
            damaged = damaged or str(broken)
    oldest, newest = min(instants, default=0), max(instants, default=0)
    states = tuple(shard_states(directory))
    return JournalFacts(len(records), size, oldest, newest, torn, damaged, states, tuple(sorted(origins)))


def _ends_us(directory: Path, record: Record) -> list[int]:
    """When the first and the last entry kept were written."""
    count = size_of(directory, record.name)
    shards = LocalShards(directory)
    ends = {record.pruned, count - 1} if count > record.pruned else ()
    return [decode(entry).ts_us for at in ends for entry in shards.entries(record.name, at, at + 1)]


def _torn(directory: Path, record: Record) -> int:
    """The bytes a kill left at the end of a shard nobody writes to."""
    if record.state != "open" or (lock := try_slot(directory, record.slot)) is None:
        return 0
    try:
        return torn_bytes(directory / record.name / WAL)
    finally:
        os.close(lock)
