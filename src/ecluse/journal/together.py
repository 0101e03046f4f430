"""Many entries of one log proved together: hashes that several proofs share are written once, and no proof is lost.

`ecluse-proofs@v1`, a file a log: that line; the length of the head (4 bytes) and the head, a signed note; then for each entry,
in the order they stand, its index (8 bytes), the gap before it, its length (2 bytes) and its bytes; last the size of the head
as an index, and the gap before that. A gap is the hashes (32 bytes each) of the largest complete subtrees (RFC 6962) between
one entry and the next, from left to right: indexes say how many, and of what. Numbers are big endian.

Whoever reads it hashes once from left to right and compares the root. The C2SP proof of each entry can be had from it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ecluse.journal.checkpoint import Checkpoint, read_checkpoint
from ecluse.journal.merkle import HASH_BYTES, Hashes, leaf_hash, node_hash
from ecluse.journal.note import NOTE_BYTES_MAX, read_note
from ecluse.journal.policy import Policy

FIRST_LINE = b"ecluse-proofs@v1\n"
NOTE, INDEX, ENTRY = struct.Struct(">I"), struct.Struct(">Q"), struct.Struct(">H")


def gap(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest complete subtrees of the leaves from `start` until before `end`: heights and indexes, from left to right."""
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        yield height, start >> height
        start += 1 << height


class Together:
    """Writes the entries of one log, in the order they stand, under one of its heads (a note of `size` entries)."""

    __slots__ = ("_hashes", "_next", "_size", "begin")

    def __init__(self, hashes: Hashes, note: str, size: int) -> None:
        self._hashes, self._size, self._next = hashes, size, 0
        content = note.encode()
        self.begin = FIRST_LINE + NOTE.pack(len(content)) + content

    def add(self, index: int, entry: bytes) -> bytes:
        """What is written of the next entry."""
        assert self._next <= index < self._size
        written = b"".join([*self._upto(index), ENTRY.pack(len(entry)), entry])
        self._next = index + 1
        return written

    def end(self) -> bytes:
        """What is written last."""
        return b"".join(self._upto(self._size))

    def _upto(self, index: int) -> list[bytes]:
        return [INDEX.pack(index), *[self._hashes(*each) for each in gap(self._next, index)]]


def read_together(file: BinaryIO, policy: Policy) -> tuple[Checkpoint, Iterator[tuple[int, bytes]]]:
    """The head the entries are proved under, and they with their indexes: proved once the last one was taken, not before.

    Raises `ValueError`, as does what iterates: another format, a head nobody signed, entries that are not that log's.
    """
    if file.read(len(FIRST_LINE)) != FIRST_LINE:
        raise ValueError(f"it does not begin with {FIRST_LINE.decode().strip()}")
    (length,) = NOTE.unpack(_exactly(file, NOTE.size))
    if length > NOTE_BYTES_MAX:
        raise ValueError("its head is too long")
    note = read_note(_exactly(file, length).decode())
    policy.accept(note)
    head = read_checkpoint(note.text)
    return head, _entries(file, head)


def _entries(file: BinaryIO, head: Checkpoint) -> Iterator[tuple[int, bytes]]:
    peaks = _Peaks()
    while True:
        (index,) = INDEX.unpack(_exactly(file, INDEX.size))
        if not peaks.size <= index <= head.size:
            raise ValueError(f"entry {index} after entry {peaks.size - 1} of {head.size}")
        for height, _ in gap(peaks.size, index):
            peaks.put(height, _exactly(file, HASH_BYTES))
        if index == head.size:
            break
        entry = _exactly(file, *ENTRY.unpack(_exactly(file, ENTRY.size)))
        peaks.put(0, leaf_hash(entry))
        yield index, entry
    if file.read(1) or peaks.root() != head.root:
        raise ValueError("these are not the entries of that log: one was changed, or it is another log")


class _Peaks:
    """The roots of the complete subtrees of what was read so far, with their heights, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[tuple[int, bytes]] = []

    def put(self, height: int, found: bytes) -> None:
        """The next complete subtree; its place is a multiple of its leaves."""
        self.size += 1 << height
        while self._roots and self._roots[-1][0] == height:
            found = node_hash(self._roots.pop()[1], found)
            height += 1
        self._roots.append((height, found))

    def root(self) -> bytes:
        found = b""
        for _, peak in reversed(self._roots):
            found = node_hash(peak, found) if found else peak
        return found


def _exactly(file: BinaryIO, count: int) -> bytes:
    if len(content := file.read(count)) != count:
        raise ValueError("it is cut short")
    return content
