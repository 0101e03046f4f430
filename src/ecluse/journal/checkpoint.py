"""Checkpoints (C2SP tlog-checkpoint): the signed head of a log, its origin, its size and its root hash."""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec

from ecluse.journal.merkle import HASH_BYTES
from ecluse.journal.note import Key, Note, Signature, read_note, unbase64, verify

SIZE_MAX = 2**63 - 1  # a larger one fits no count of others' programs


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of the log `origin` when it had `size` entries."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def signed(checkpoint: Checkpoint, key: Key, sign: Callable[[bytes], bytes]) -> Note:
    """The checkpoint as a note, signed by the log's own key (Ed25519)."""
    return Note(checkpoint.text, (Signature(key.name, key.id, sign(checkpoint.text.encode())),))


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint this note text is; extension lines are ignored. Raises `ValueError` on anything else."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise ValueError("not a checkpoint")
    origin, size, root = lines[0], lines[1], unbase64(lines[2])
    if not size.isascii() or not size.isdigit() or str(int(size)) != size or len(root) != HASH_BYTES:
        raise ValueError("not a checkpoint")
    if int(size) > SIZE_MAX:
        raise ValueError("not a checkpoint")
    return Checkpoint(origin, int(size), root)


def opened(content: str, key: Key) -> Checkpoint:
    """The checkpoint of a note signed by the log `key.name`. Raises `ValueError` when it is not."""
    note = read_note(content)
    if not verify(note, [key]):
        raise ValueError(f"not signed by {key.name}")
    found = read_checkpoint(note.text)
    if found.origin != key.name:
        raise ValueError(f"the head of {found.origin}, not of {key.name}")
    return found
