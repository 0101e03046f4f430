"""Entries on disk before anything else: append-only segments, from which everything later is made again after a crash.

`wal/<index>.seg`, `index` being that of its first entry, 20 digits. A record is `length (u32) | crc32 (u32) | entry`, big endian.
A torn last record, which nobody was answered for, is moved aside to `<index>.torn`; damage anywhere else refuses to start.
"""

from __future__ import annotations

import os
import shutil
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from pathlib import Path

from ecluse.engines.durable import sync
from ecluse.engines.local.disk import Disk
from ecluse.engines.local.refusals import JOURNAL_DAMAGED
from ecluse.journal.entry import ENTRY_BYTES_MAX

SEGMENT_BYTES = 16 << 20  # read whole at a start, in tenths of a second; gone once its entries are in tiles
_HEAD = struct.Struct(">II")


class Wal:
    """The segments of one shard, open to be appended to."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._size_bytes = 0
        self.file = -1

    def start(self, index: int) -> None:
        """Begin a segment whose first entry has this index."""
        self.close()
        self.file = self._disk.create(self._folder / f"{index:020d}.seg")
        self._size_bytes = 0

    def resume(self) -> None:
        """Go on in the last segment, without its torn end."""
        last = segments(self._folder)[-1]
        self._size_bytes = _mend(last)
        self._disk.settle(last)  # a head will be signed for what was read here
        self.file = os.open(last, os.O_WRONLY | os.O_APPEND)

    @property
    def is_full(self) -> bool:
        """Whether the next batch begins a segment."""
        return self._size_bytes >= SEGMENT_BYTES

    def append(self, entries: Sequence[bytes]) -> None:
        """Write the batch with one write and one sync. Raises `OSError`."""
        batch = b"".join([_HEAD.pack(len(entry), zlib.crc32(entry)) + entry for entry in entries])
        self._disk.append(self.file, batch)
        self._size_bytes += len(batch)

    def retire(self, index: int) -> bool:
        """Remove the segments whose entries are all below `index`, which must be on disk elsewhere; whether there were any."""
        found = segments(self._folder)
        spent = [each for each, after in pairwise(found) if first_index(after) <= index]
        for each in spent:
            self._disk.remove(each)
        return bool(spent)

    def close(self) -> None:
        """Close the segment."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


def discard(folder: Path) -> None:
    """Remove what a frozen shard no longer needs; what is gone already is gone.

    The first segment first: who lists the folder meanwhile, as of a shard still open, misses the last ones only when the first
    ones are gone too, and looks again; a short list never passes for a short log.
    """
    for each in segments(folder):
        each.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def segments(folder: Path) -> list[Path]:
    """The segments, in the order of their entries; none once the shard is frozen, which it may be at any moment."""
    try:
        return sorted(folder.glob("*.seg"))
    except FileNotFoundError:
        return []


def first_index(segment: Path) -> int:
    """The index of a segment's first entry."""
    return int(segment.stem)


def read(folder: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Each entry from index `start` on, with its index, until the torn end if there is one.

    Raises `journal_damaged` when a segment does not end where the next one begins; `FileNotFoundError` when one was retired
    meanwhile: its entries are in tiles.
    """
    found = segments(folder)
    for segment, after in zip_longest(found, found[1:]):
        index = first_index(segment)
        if after and first_index(after) <= start:
            continue
        for entry, _ in records(segment.read_bytes()):
            if index >= start:
                yield index, entry
            index += 1
        if after and index != first_index(after):
            raise JOURNAL_DAMAGED(f"{_named(segment)} ends at entry {index}, the next segment begins at {after.stem}")


def records(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Each whole record and the position after it; stops before the first that is torn."""
    at = 0
    while at + _HEAD.size <= len(content):
        length, crc = _HEAD.unpack_from(content, at)
        end = at + _HEAD.size + length
        entry = content[at + _HEAD.size : end]
        if length > ENTRY_BYTES_MAX or end > len(content) or zlib.crc32(entry) != crc:
            return
        yield entry, end
        at = end


def torn_bytes(folder: Path) -> int:
    """The bytes after the last whole record."""
    last = segments(folder)[-1].read_bytes()
    return len(last) - max((end for _, end in records(last)), default=0)


def _mend(segment: Path) -> int:
    """The size of the segment without its torn end, which is kept beside it for whoever investigates."""
    content = segment.read_bytes()
    whole = max((end for _, end in records(content)), default=0)
    if whole < len(content):
        warnings.warn(f"journal {_named(segment)}: {len(content) - whole} torn bytes moved aside", stacklevel=2)
        segment.with_suffix(".torn").write_bytes(content[whole:])
        os.truncate(segment, whole)
        sync(segment)
        sync(segment.parent)
    return whole


def _named(segment: Path) -> str:
    """As an operator finds it: `2026-11-w0/wal/….seg`."""
    return "/".join(segment.parts[-3:])
