"""What a witness decides (C2SP tlog-witness): whether a head continues the last one it saw. Bytes in, a verdict out.

Nothing is kept and no clock is read here; `engines/witness.py` keeps, `doors/witness.py` listens.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from ecluse.journal.checkpoint import Checkpoint, read_checkpoint
from ecluse.journal.cosignature import signers
from ecluse.journal.merkle import EMPTY, proves_consistency
from ecluse.journal.note import NOTE_BYTES_MAX, Key, Note, read_note
from ecluse.journal.policy import keys_for
from ecluse.journal.proof import read_hashes, read_number

BODY_BYTES_MAX = NOTE_BYTES_MAX + 4096  # 63 hashes of 45 bytes and a line, above a note
SIZE_TYPE = "text/x.tlog.size"


class Submission(msgspec.Struct, frozen=True):
    """The body of `add-checkpoint`: the size the log thinks was seen last, the proof from there, and its head."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    head: Checkpoint

    @property
    def body(self) -> bytes:
        """As it is sent."""
        return submission_body(self.old_size, self.proof, self.note.content)


class Refusing(Exception):  # noqa: N818 - as the house names what happened
    """An answer other than 200: its status, why, and after 409 the size that was seen last."""

    def __init__(self, status: int, why: str, seen: int | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.seen = seen


def submission_body(old_size: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body that submits `note`."""
    hashes = "".join(b64encode(each).decode() + "\n" for each in proof)
    return f"old {old_size}\n{hashes}\n{note}".encode()


def read_submission(body: bytes) -> Submission:
    """The submission. Raises `Refusing` with 400 on anything else."""
    try:
        above, found, content = body.decode().partition("\n\n")
        first, *hashes = above.split("\n")
        if not found or not first.startswith("old "):
            raise ValueError("no old size, or no empty line")
        note = read_note(content)
        return Submission(
            read_number(first.removeprefix("old ")), read_hashes(hashes), note, read_checkpoint(note.text)
        )
    except ValueError as wrong:
        raise Refusing(400, f"the body does not read: {wrong}") from None


def log_signatures(sent: Submission, trusted: Sequence[Key]) -> Note:
    """The head with its log's signatures only. Raises `Refusing`: 404 for a log not trusted, 403 for one that did not sign."""
    keys = keys_for(sent.head.origin, trusted)
    if not keys:
        raise Refusing(404, "this log is not watched here")
    try:
        signed = {each.key for each in signers(sent.note, keys)}
    except ValueError as wrong:
        raise Refusing(403, str(wrong)) from None
    if not signed:
        raise Refusing(403, "no signature of the log")
    return Note(sent.note.text, tuple(each for key in keys for each in sent.note.by(key)))


def judge(sent: Submission, seen: Checkpoint | None) -> None:
    """Return when the head may be cosigned, given the last one that was. Raises `Refusing`: 400, 409 or 422.

    422 after a matching size is a fork: the log signed two histories.
    """
    size, root = (seen.size, seen.root) if seen else (0, EMPTY)
    if sent.old_size > sent.head.size:
        raise Refusing(400, "the old size is larger than the new")
    if sent.old_size != size:
        raise Refusing(409, f"{size} is the size seen last", size)
    if sent.head.size == 0 and sent.head.root != EMPTY:
        raise Refusing(422, "an empty tree has the hash of nothing")
    if not proves_consistency(sent.proof, size, root, sent.head.size, sent.head.root):
        raise Refusing(422, "it does not continue the tree seen last")


def origin_hash(origin: str) -> str:
    """Under which name a witness gives the last head of that log."""
    return sha256(origin.encode()).hexdigest()
