"""Logs made for tests: a shard's folder as the hub leaves it, and the key that signs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ecluse.journal.checkpoint import Checkpoint, signed
from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from ecluse.journal.merkle import leaf_hash
from ecluse.journal.note import ED25519, Key, Note
from ecluse.journal.tiles import ENTRIES, WIDTH, Growing, bundle, path


def entry(number: int, operation: Operation = Operation.RIGHTS_CHECK, person: bytes = b"") -> bytes:
    """The bytes of an invented entry, different for each number."""
    made = Entry(
        format=FORMAT,
        ts_us=1_764_000_000_000_000 + number * 1_000,
        operation=operation,
        account="rpps:10000000001",
        practice="750000001",
        insurer="0075123456",
        person=person or number.to_bytes(16, "big"),
        presence=0,
        fields=3,
        outcome="confirmed",
        engagement="",
        request=f"chk_{number:020d}",
        sealed=b"",
    )
    return encode(made)


@dataclass
class MadeLog:
    """A log in memory, with its key; `put` leaves its files in a folder."""

    origin: str = "hub.example/journal/2026-11-w0"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    entries: list[bytes] = field(default_factory=list)
    growing: Growing = field(default_factory=Growing)

    @property
    def key(self) -> Key:
        """The key of its heads."""
        return Key(self.origin, ED25519, self.private.public_key().public_bytes_raw())

    @property
    def head(self) -> Checkpoint:
        """Its head."""
        return Checkpoint(self.origin, len(self.entries), self.growing.edge.root())

    @property
    def note(self) -> Note:
        """Its head, signed."""
        return signed(self.head, self.key, self.private.sign)

    def add(self, entries: Iterable[bytes]) -> MadeLog:
        """Append entries; itself."""
        for each in entries:
            self.entries.append(each)
            self.growing.append(leaf_hash(each))
        return self

    def put(self, folder: Path) -> Path:
        """Write tiles, bundles, `checkpoint` and `head`; the folder."""
        files = self.growing.take_full() + self.growing.partials()
        for first in range(0, len(self.entries), WIDTH):
            some = self.entries[first : first + WIDTH]
            files.append((path(ENTRIES, first // WIDTH, len(some)), bundle(some)))
        content = self.note.content.encode()
        for name, each in [*files, ("checkpoint", content), ("head", content)]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(each)
        return folder
