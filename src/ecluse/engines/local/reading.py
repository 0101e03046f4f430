"""Shards read, while others write them: their heads, and entries from bundles and from segments not yet retired."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from ecluse.app.ports.journal import Head
from ecluse.engines.local.refusals import JOURNAL_DAMAGED, JOURNAL_PRUNED
from ecluse.engines.local.registry import Record, read_records
from ecluse.engines.local.shard import CHECKPOINT, HEAD, WAL
from ecluse.engines.local.wal import first_index, read, records, segments
from ecluse.journal.checkpoint import Checkpoint, opened
from ecluse.journal.merkle import root
from ecluse.journal.note import read_key
from ecluse.journal.tiles import ENTRIES, WIDTH, entries_of, hashes_of, path
from ecluse.kernel.errors import Refused

TRIES = 20  # a head may be read while it is replaced, a segment retired while it is looked for: microseconds


class LocalShards:
    """The `Shards` port on `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def heads(self) -> list[Head]:
        """Every shard, by name. Raises `journal_damaged` when a head is not signed as it should be."""
        heads = []
        for record in read_records(self.directory).values():
            note, checkpoint = self._head(record)
            if checkpoint:
                heads.append(Head(record.name, checkpoint.size, note, record.state != "open", record.pruned))
        return heads

    def roots(self, since: str) -> Iterator[tuple[str, int, bytes]]:
        """Name, size and root of every shard of the month `since` and later."""
        for record in read_records(self.directory).values():
            if record.month >= since and (checkpoint := self._head(record)[1]):
                yield record.name, checkpoint.size, checkpoint.root

    def entries(self, shard: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes of entries `start` until before `end`. Raises `journal_damaged`, `journal_pruned`."""
        at, folder, tries = start, self.directory / shard, 0
        while at < end:
            before, record = at, read_records(self.directory)[shard]  # again: frozen or pruned meanwhile
            if at < record.pruned:
                raise JOURNAL_PRUNED(f"entries of {shard} below {record.pruned}")
            for entry in islice(_some(folder, at, record), end - at):
                yield entry
                at += 1
            tries = tries + 1 if at == before else 0
            if tries == TRIES:
                raise JOURNAL_DAMAGED(f"{shard} has no entry {at}")

    def _head(self, record: Record) -> tuple[str, Checkpoint | None]:
        """The newest head that is signed; None of a shard about to begin, or of one given up whose head does not read."""
        folder, key = self.directory / record.name, read_key(record.key)
        if record.state == "open":
            for _ in range(TRIES):
                try:
                    note = (folder / HEAD).read_text()
                    return note, opened(note, key)
                except FileNotFoundError:
                    break
                except ValueError:  # it is being replaced; or a kill fell there, and its writer's next start mends it
                    time.sleep(0.001)
        try:
            note = (folder / CHECKPOINT).read_text()
            return note, opened(note, key)
        except FileNotFoundError:
            return "", None
        except ValueError as broken:
            if record.state == "abandoned":
                return "", None
            raise JOURNAL_DAMAGED(f"{record.name}/{CHECKPOINT}: {broken}") from None


def read_all(directory: Path) -> Iterator[bytes]:
    """Every entry kept of every shard, shard by shard, in the order written."""
    for entry, _ in walk(directory):
        yield entry


def walk(directory: Path) -> Iterator[tuple[bytes, int]]:
    """Every entry kept of every shard, and how many were read before it and with it."""
    shards, read_count = LocalShards(directory), 0
    for record in read_records(directory).values():
        for entry in shards.entries(record.name, record.pruned, size_of(directory, record.name)):
            read_count += 1
            yield entry, read_count


def extent(directory: Path) -> int:
    """The entries that `walk` reads."""
    return sum(size_of(directory, record.name) - record.pruned for record in read_records(directory).values())


def size_of(directory: Path, name: str) -> int:
    """How many entries a shard has on disk; none of an unknown one. Raises `journal_damaged`."""
    record, wal = read_records(directory).get(name), directory / name / WAL
    while record and record.state == "open":
        found = segments(wal)
        try:
            if found:
                return first_index(found[-1]) + sum(1 for _ in records(found[-1].read_bytes()))
        except FileNotFoundError:
            continue
        before, record = record, read_records(directory).get(name)
        if before == record:  # it was not frozen meanwhile: it is about to begin
            return 0
    return record.size if record else 0


def root_in(directory: Path, record: Record, size: int) -> bytes:
    """The root of the first `size` entries of a frozen shard, by its tiles. Raises `journal_damaged`."""
    try:
        return root(hashes_of(lambda name: (directory / record.name / name).read_bytes(), record.size), size)
    except (OSError, ValueError) as broken:
        raise JOURNAL_DAMAGED(f"{record.name}: {broken}") from None


def surviving(directory: Path, record: Record) -> Iterator[bytes]:
    """The entries a shard still has from its first on, whatever happened to it, until one lacks."""
    at = 0
    while some := list(_some(directory / record.name, at, record)):
        yield from some
        at += len(some)


def _some(folder: Path, at: int, record: Record) -> Iterator[bytes]:
    """Entries from `at` on: those of its bundle when it is full, else those of the segments, else those of a partial bundle."""
    number, first = divmod(at, WIDTH)
    width = min(WIDTH, record.size - number * WIDTH) if record.state == "frozen" else WIDTH
    entries = _bundle(folder / path(ENTRIES, number, width))
    if len(entries) == width:
        return iter(entries[first:])
    rest = _of_segments(folder, at)
    if (one := next(rest, None)) is not None:
        return chain([one], rest)
    return iter(_widest(folder / (path(ENTRIES, number) + ".p"))[first:])


def _bundle(file: Path) -> list[bytes]:
    """Its entries; none of one that is not there or, after a power cut, half on disk: the segments have them then."""
    try:
        return list(entries_of(file.read_bytes()))
    except (FileNotFoundError, ValueError):
        return []


def _widest(folder: Path) -> list[bytes]:
    """The entries of the widest partial bundle, which others read while the segments are the writer's."""
    return max((_bundle(each) for each in folder.glob("*") if each.name.isdecimal()), key=len, default=[])


def _of_segments(folder: Path, at: int) -> Iterator[bytes]:
    begin = at
    try:
        for index, entry in read(folder / WAL, at):
            if index != at:
                return
            yield entry
            at += 1
    except FileNotFoundError:  # retired meanwhile: bundles have them
        return
    except Refused:  # damaged further on: what comes before is whole
        if at == begin:
            raise
