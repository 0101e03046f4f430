"""The journal on a local disk: append-only segments, one writer a slot, each batch synced before `append` returns.

Layout: `journal/<slot>/<position>.seg`, `position` being the byte position of its first record in the slot's stream,
20 digits. A record is `length (u32) | crc32 (u32) | bytes`, big endian. Slots (`w0`, `w1`…) let several processes
write at once without waiting for each other: each process holds one slot by a file lock (docs/decisions/0002). A torn
last record, which nobody was answered for, is moved aside to `<position>.torn` when its slot is opened again; damage
anywhere else refuses to start.
"""

from __future__ import annotations

import fcntl
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecluse.app.ports import Mark
from ecluse.engines.durable import sync
from ecluse.journal.entry import ENTRY_BYTES_MAX
from ecluse.kernel.errors import refusal

SEGMENT_BYTES = 64 << 20  # a segment is read whole to be checked: seconds, and it fits in memory
FREE_BYTES_MIN = 16 << 20  # seconds of a full load: time enough to stop cleanly before the disk refuses
SLOTS_MAX = 64  # writers of one hub at a time; more is a mistake in starting it
_HEAD = struct.Struct(">II")

JOURNAL_POISONED = refusal(
    "journal_poisoned",
    503,
    "The journal cannot be written",
    fix="The operator must look at the disk and restart the hub.",
)
JOURNAL_DAMAGED = refusal(
    "journal_damaged",
    500,
    "The journal is damaged",
    fix="Do not write over it: restore the segment named here from its copy.",
)
JOURNAL_BEHIND = refusal(
    "journal_behind",
    500,
    "The journal ends before what the databases were told of it",
    fix="Restore the newest copy of the journal: see docs/availability.md.",
)
JOURNAL_FULL = refusal(
    "journal_slots_taken", 500, "Too many processes write the journal", fix="Stop one of them first."
)


class LocalLog:
    """The `Log` port on one slot of `directory`: the first free one, taken at the first use and held until `close`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.slot = ""
        self._lock = self._file = -1
        self._start = self._position = 0
        self._poisoned = False

    def append(self, entries: Sequence[bytes]) -> Mark:
        """Write the batch with one write and one sync. Whatever fails poisons the log: no retry, no further answer."""
        self._take()
        if self._poisoned:
            raise JOURNAL_POISONED()
        batch = b"".join([_HEAD.pack(len(entry), zlib.crc32(entry)) + entry for entry in entries])
        try:
            if self._position - self._start >= SEGMENT_BYTES:
                self._roll()
            if os.write(self._file, batch) != len(batch):
                raise OSError("short write")
            os.fdatasync(self._file)
        except OSError as broken:
            self._poisoned = True
            raise JOURNAL_POISONED() from broken
        self._position += len(batch)
        return Mark(self.slot, self._position)

    def ready(self) -> None:
        """Raise `journal_poisoned` when the next batch cannot be expected to reach the disk."""
        self._take()
        disk = os.fstatvfs(self._file)
        removed = os.fstat(self._file).st_nlink == 0
        if self._poisoned or removed or disk.f_flag & os.ST_RDONLY or disk.f_bavail * disk.f_frsize < FREE_BYTES_MIN:
            raise JOURNAL_POISONED()

    def unkept(self, marks: dict[str, int]) -> Iterator[tuple[bytes, Mark]]:
        """Entries past `marks` (position by slot), in this slot and in those nobody writes: what a killed process left.

        Raises `journal_behind` when a slot ends before its mark: part of the journal is missing.
        """
        self._take()
        for name, mark in marks.items():
            if (end := _end(self.directory / name)) < mark:
                raise JOURNAL_BEHIND(f"slot {name} ends at {end}, a database knows it up to {mark}")
        for slot in slots(self.directory):
            lock = None if slot.name == self.slot else try_lock(slot)
            try:
                if slot.name == self.slot or lock is not None:
                    yield from _read_slot(slot, marks.get(slot.name, 0))
            finally:
                if lock is not None:
                    os.close(lock)

    def close(self) -> None:
        """Give the slot back."""
        if self.slot:
            os.close(self._file)
            os.close(self._lock)
            self.slot = ""

    def _take(self) -> None:
        if not self.slot:
            self.slot, self._lock = _take_slot(self.directory)
            self._open_last()

    def _open_last(self) -> None:
        found = segments(self.directory / self.slot)
        if not found:
            self._create()
            return
        self._start = int(found[-1].stem)
        self._position = self._start + _mend(found[-1])
        self._file = os.open(found[-1], os.O_WRONLY | os.O_APPEND)

    def _roll(self) -> None:
        os.close(self._file)
        self._start = self._position
        self._create()

    def _create(self) -> None:
        path = self.directory / self.slot / f"{self._start:020d}.seg"
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        sync(path.parent)


def read_all(directory: Path) -> Iterator[bytes]:
    """Every entry of every slot, slot by slot, in the order written."""
    for slot in slots(directory):
        for entry, _ in _read_slot(slot, 0):
            yield entry


def walk(directory: Path) -> Iterator[tuple[bytes, int]]:
    """Every entry of every slot, and how many bytes of the journal were read before its end; one segment in memory at a time."""
    before = 0
    for slot in slots(directory):
        begun = _begin(slot)
        for entry, mark in _read_slot(slot, 0):
            yield entry, before + mark.position - begun
        before += _end(slot) - begun


def extent(directory: Path) -> int:
    """The bytes that `walk` has read in the end."""
    return sum(_end(slot) - _begin(slot) for slot in slots(directory))


def _take_slot(directory: Path) -> tuple[str, int]:
    for number in range(SLOTS_MAX):
        slot = directory / f"w{number}"
        slot.mkdir(parents=True, exist_ok=True)
        if (lock := try_lock(slot)) is not None:
            sync(directory)
            return slot.name, lock
    raise JOURNAL_FULL()


def try_lock(slot: Path) -> int | None:
    """The lock of a slot, as a descriptor to close; None when another process holds it."""
    lock = os.open(slot / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def slots(directory: Path) -> list[Path]:
    """The slots, by number."""
    return sorted((each for each in directory.glob("w*") if each.is_dir()), key=lambda each: int(each.name[1:]))


def segments(slot: Path) -> list[Path]:
    """The segments of a slot, in the order of its stream."""
    return sorted(slot.glob("*.seg"))


def _end(slot: Path) -> int:
    found = segments(slot)
    return int(found[-1].stem) + found[-1].stat().st_size if found else 0


def _begin(slot: Path) -> int:
    found = segments(slot)
    return int(found[0].stem) if found else 0


def _read_slot(slot: Path, after: int) -> Iterator[tuple[bytes, Mark]]:
    found = segments(slot)
    for number, segment in enumerate(found):
        start, size = int(segment.stem), segment.stat().st_size
        if start + size <= after:
            continue
        read = 0
        for entry, end in records(segment.read_bytes()):
            read = end
            if start + end > after:
                yield entry, Mark(slot.name, start + end)
        if read != size and number < len(found) - 1:
            raise JOURNAL_DAMAGED(f"segment {slot.name}/{segment.name} is broken at byte {read}")


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


def _mend(segment: Path) -> int:
    """The size of the segment without its torn end, which is kept beside it for whoever investigates."""
    content = segment.read_bytes()
    whole = max((end for _, end in records(content)), default=0)
    if whole < len(content):
        warnings.warn(f"journal segment {segment.name}: {len(content) - whole} torn bytes moved aside", stacklevel=2)
        segment.with_suffix(".torn").write_bytes(content[whole:])
        os.truncate(segment, whole)
        sync(segment.parent)
    return whole
