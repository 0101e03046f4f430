"""Proofs that stand alone (C2SP tlog-proof): this entry is in that log, as these witnesses saw it. No network is needed."""

from __future__ import annotations

import base64

import msgspec

from ecluse.journal.checkpoint import Checkpoint, read_checkpoint
from ecluse.journal.merkle import HASH_BYTES, PROOF_MAX, proves_inclusion
from ecluse.journal.note import NOTE_BYTES_MAX, read_note, unbase64
from ecluse.journal.policy import Policy

FIRST_LINE = "c2sp.org/tlog-proof@v1"
EXTRA_BYTES_MAX = 1 << 20  # what an application may add; ours adds nothing
PROOF_BYTES_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX


class Proof(msgspec.Struct, frozen=True):
    """A proof for the entry at `index`: hashes from the leaf's sibling up, the checkpoint's note, what is not signed."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes = b""

    @property
    def text(self) -> str:
        """As it is kept, in a file ending in `.tlog-proof`."""
        extra = f"extra {base64.b64encode(self.extra).decode()}\n" if self.extra else ""
        hashes = "".join(f"{base64.b64encode(each).decode()}\n" for each in self.hashes)
        return f"{FIRST_LINE}\n{extra}index {self.index}\n{hashes}\n{self.note}"


def read_proof(text: str) -> Proof:
    """The proof. Raises `ValueError` on anything else."""
    if len(text) > PROOF_BYTES_MAX:
        raise ValueError("too long")
    above, found, note = text.partition("\n\n")
    first, *lines = above.split("\n")
    if first != FIRST_LINE or not found:
        raise ValueError(f"it does not begin with {FIRST_LINE}")
    extra = unbase64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else b""
    if not lines or not lines[0].startswith("index "):
        raise ValueError("no index")
    return Proof(read_number(lines[0].removeprefix("index ")), read_hashes(lines[1:]), note, extra)


def read_number(text: str) -> int:
    """A size or an index as C2SP writes them: decimal, no leading zero, below 2^63. Raises `ValueError`."""
    if len(text) > 19 or not text.isascii() or not text.isdigit() or str(int(text)) != text or int(text) >= 1 << 63:
        raise ValueError("not a number")
    return int(text)


def read_hashes(lines: list[str]) -> tuple[bytes, ...]:
    """The hashes of a proof, one a line. Raises `ValueError`, also when there are more than a proof can need."""
    hashes = tuple(unbase64(line) for line in lines[: PROOF_MAX + 1])
    if len(lines) > PROOF_MAX or any(len(each) != HASH_BYTES for each in hashes):
        raise ValueError("not the hashes of a proof")
    return hashes


def verify_proof(proof: Proof, leaf: bytes, policy: Policy) -> Checkpoint:
    """The checkpoint `proof` puts the leaf under, by the four steps of the specification. Raises `ValueError`: which failed."""
    note = read_note(proof.note)
    policy.accept(note)
    head = read_checkpoint(note.text)
    if not proves_inclusion(proof.hashes, leaf, proof.index, head.size, head.root):
        raise ValueError(f"entry {proof.index} is not in the tree of {head.size}: another entry, or another log")
    return head
