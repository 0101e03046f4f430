"""A journal looked at from its entries up, by nobody's leave: what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ecluse.engines.local import LocalShards
from ecluse.engines.local.registry import Record, read_records
from ecluse.journal.checkpoint import opened
from ecluse.journal.merkle import leaf_hash
from ecluse.journal.note import read_key
from ecluse.journal.tiles import Growing
from ecluse.kernel.errors import Refused


def faults(journal: Path) -> list[str]:
    """One line for each thing that is wrong; none when all is well."""
    shards = LocalShards(journal)
    return [fault for record in read_records(journal).values() for fault in _faults(shards, record)]


def _faults(shards: LocalShards, record: Record) -> Iterator[str]:
    folder, growing = shards.directory / record.name, Growing()
    if not (folder / "checkpoint").exists():
        return
    published = opened((folder / "checkpoint").read_text(), read_key(record.key))
    try:
        for entry in shards.entries(record.name, 0, published.size):
            growing.append(leaf_hash(entry))
    except Refused as refused:
        yield str(refused)
        return
    if growing.edge.root() != published.root:
        yield f"{record.name}: the entries are not those of the checkpoint"
    if record.state == "frozen" and (record.size, record.root) != (published.size, published.root.hex()):
        yield f"{record.name}: shards.json says something else"
    for name, content in growing.take_full() + growing.partials():
        if not (folder / name).is_file() or (folder / name).read_bytes() != content:
            yield f"{record.name}/{name} is not what the entries make"
