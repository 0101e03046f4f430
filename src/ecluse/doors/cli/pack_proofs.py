"""Proofs on their way into packs: a file an insurer and log, grown in the order entries stand, then all as an encrypted tar.

Entries of one insurer are proved together (`journal.together`), beside a script that checks them off line and gives any one's
own C2SP proof: two files an entry, as `ecluse exposure --proofs` writes, took five times the work and as much room.
What a stopped work left is begun anew; an insurer whose proofs are in its pack already is left out.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from functools import cache
from hashlib import file_digest
from importlib.resources import files
from pathlib import Path

from ecluse.app.exposure.proofs import Place, Seal
from ecluse.app.incidents.packs import PROOFS
from ecluse.app.proving import Prover
from ecluse.doors.cli.explain import FILE_UNWRITABLE
from ecluse.doors.cli.journal_prove import TOGETHER
from ecluse.doors.cli.proofs_folder import CHUNK_BYTES, PART, Flow
from ecluse.journal.together import Together

SPOOL = ".preuves"
PACKAGED = {"LISEZMOI.txt": "lisezmoi-preuves-dossier.txt", "verifier.py": "verifier-preuves.txt"}
HELD_BYTES = (
    1 << 16
)  # of an insurer, before they are appended to its file: no file is open meanwhile, a thousand may be written


class SpoolOfProofs:
    """The `ProofFolder` of packs in `folder`, of one incident. Close it: what is in clear goes."""

    def __init__(self, folder: Path, incident: str) -> None:
        """Raises `file_unwritable`."""
        self._folder = folder
        self._spool = folder / SPOOL
        self._incident = incident
        self._writing: dict[str, tuple[Together, bytearray]] = {}  # of the shard being proved, by insurer
        self._is_packed = cache(self._has_proofs)
        try:
            shutil.rmtree(self._spool, ignore_errors=True)
            self._spool.mkdir(mode=0o700, parents=True)
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{self._spool}: {broken.strerror}") from None

    def has(self, place: Place) -> bool:
        """Whether the insurer has its proofs, or has no pack that they could go into."""
        return self._is_packed(place.insurer)

    def put(self, place: Place, entry: bytes, prover: Prover) -> None:
        """Append an entry to those of its insurer and shard. Raises `file_unwritable`."""
        if place.insurer not in self._writing:
            begun = Together(prover.hashes, prover.note, prover.size)
            self._writing[place.insurer] = begun, bytearray(begun.begin)
        together, held = self._writing[place.insurer]
        held += together.add(place.index, entry)
        if len(held) > HELD_BYTES:
            self._append(place.insurer, place.shard, held)

    def over(self, prover: Prover) -> None:
        """End the files of this shard. Raises `file_unwritable`."""
        for insurer, (together, held) in self._writing.items():
            held += together.end()
            self._append(insurer, prover.shard, held)
        self._writing.clear()

    def pack(self, insurer: str, name: str, seal: Seal) -> str:
        """The insurer's files as an encrypted tar. Raises `file_unwritable`."""
        part = self._folder / (name + PART)
        try:
            clear = io.BufferedReader(Flow(_tar(self._spool / insurer)), CHUNK_BYTES)
            with clear, part.open("wb") as sealed:
                seal(clear, sealed)
            shutil.rmtree(self._spool / insurer, ignore_errors=True)
            with part.open("rb") as written:
                return file_digest(written, "sha256").hexdigest()
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{part}: {broken.strerror}") from None

    def hand_over(self, name: str) -> None:
        """Give the packed file its name."""
        (self._folder / (name + PART)).replace(self._folder / name)

    def close(self) -> None:
        """Remove what is left in clear."""
        shutil.rmtree(self._spool, ignore_errors=True)

    def _has_proofs(self, insurer: str) -> bool:
        pack = self._folder / f"{self._incident}-{insurer}"
        return not pack.exists() or (pack / PROOFS).exists()

    def _append(self, insurer: str, shard: str, held: bytearray) -> None:
        file = self._spool / insurer / (shard + TOGETHER)
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            with file.open("ab") as grown:
                grown.write(held)
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{file}: {broken.strerror}") from None
        held.clear()


def _tar(folder: Path) -> Iterator[bytes]:
    """A tar of what checks the proofs, then of the folder's files, some of one at a time."""
    packaged = files("ecluse.doors.incidents")
    for name, source in PACKAGED.items():
        content = (packaged / source).read_bytes()
        yield from _member(name, len(content), [content])
    for file in sorted(folder.iterdir()) if folder.exists() else ():
        with file.open("rb") as opened:
            yield from _member(file.name, file.stat().st_size, iter(lambda: opened.read(CHUNK_BYTES), b""))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, size: int, chunks: Iterator[bytes] | list[bytes]) -> Iterator[bytes]:
    member = tarfile.TarInfo(f"preuves/{name}")
    member.size, member.mode = size, 0o600
    yield member.tobuf(tarfile.GNU_FORMAT)  # whose sizes go past 8 GiB
    yield from chunks
    yield bytes(-size % tarfile.BLOCKSIZE)
