"""The proofs of one exposure's displays as a folder: an insurer's together, a person's by their reference.

`DIR/<insurer>/<first two digits>/<reference>-<shard>-<index>.entry` and `….tlog-proof`, and `DIR/question.json`. A proof
appears by rename, after its entry: what has its name is whole.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

import msgspec

from ecluse.app.exposure.proofs import Place, Seal
from ecluse.app.proving import Prover
from ecluse.doors.cli.evidence_folder import PROOF, write_found
from ecluse.doors.cli.explain import FILE_UNWRITABLE
from ecluse.exposure.question import Question
from ecluse.kernel.errors import refusal

QUESTION = "question.json"
PART = ".part"
SPREAD_CHARS = 2  # of the reference: 256 folders an insurer, of a few thousand files where a million entries are proved
CHUNK_BYTES = 1 << 20

PROOFS_THERE = refusal(
    "proofs_there",
    409,
    "This folder holds something else than proofs of this question",
    fix="Name a new folder with --proofs, or ask the same accounts, window and narrowing again to go on.",
)


class FolderOfProofs:
    """The `ProofFolder` of the command: proofs under `folder`, packed files into `lists`."""

    def __init__(self, folder: Path, question: Question, lists: Path) -> None:
        """Raises `proofs_there`, `file_unwritable`."""
        self._folder = folder
        self._lists = lists
        try:
            _begin(folder, msgspec.json.encode(question))
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{folder}: {broken.strerror}") from None

    def has(self, place: Place) -> bool:
        """Whether it was proved before."""
        base = self._base(place)
        return base.with_name(base.name + PROOF).exists()

    def put(self, place: Place, entry: bytes, prover: Prover) -> None:
        """Write an entry and its proof. Raises `file_unwritable`."""
        base = self._base(place)
        try:
            base.parent.mkdir(parents=True, exist_ok=True)
            write_found(base, prover.found(place.index, entry))
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{base}: {broken.strerror}") from None

    def over(self, prover: Prover) -> None:
        """Each proof stands alone: nothing is left to do."""

    def pack(self, insurer: str, name: str, seal: Seal) -> str:
        """One insurer's proofs as an encrypted tar. Raises `file_unwritable`."""
        part = self._lists / (name + PART)
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            clear = io.BufferedReader(Flow(_tar(self._folder / insurer)), CHUNK_BYTES)
            with clear, part.open("wb") as sealed:
                seal(clear, sealed)
            with part.open("rb") as written:
                return file_digest(written, "sha256").hexdigest()
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{part}: {broken.strerror}") from None

    def hand_over(self, name: str) -> None:
        """Give the packed file its name."""
        (self._lists / (name + PART)).replace(self._lists / name)

    def _base(self, place: Place) -> Path:
        reference = place.person.hex()
        folder = self._folder / place.insurer / reference[:SPREAD_CHARS]
        return folder / f"{reference}-{place.shard}-{place.index}"


def _begin(folder: Path, question: bytes) -> None:
    """Make the folder of a question, or find it as it was left."""
    asked = folder / QUESTION
    if asked.exists():
        if asked.read_bytes() != question:
            raise PROOFS_THERE(str(folder))
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise PROOFS_THERE(str(folder))
    asked.write_bytes(question)


def _tar(folder: Path) -> Iterator[bytes]:
    """A tar of the folder's entries and proofs, in the order of their names, a file at a time."""
    for spread in sorted(folder.iterdir()):
        for file in sorted(each for each in spread.iterdir() if each.suffix != PART):
            content = file.read_bytes()
            member = tarfile.TarInfo(f"{folder.name}/{spread.name}/{file.name}")
            member.size, member.mode = len(content), 0o600
            yield member.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


class Flow(io.RawIOBase):
    """Chunks read as one stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, room: bytearray | memoryview) -> int:  # type: ignore[override]
        """What is next, as much as there is room for."""
        while not self._left:
            if (chunk := next(self._chunks, None)) is None:
                return 0
            self._left = chunk
        taken = self._left[: len(room)]
        room[: len(taken)], self._left = taken, self._left[len(taken) :]
        return len(taken)
