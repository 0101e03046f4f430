"""Proofs on their way into packs: one tar an insurer, grown in the order entries stand, then encrypted into its pack and removed.

Two files an entry, as `ecluse exposure --proofs` writes, are two thirds of the work; nobody but the insurer needs them here.
What a stopped work left is begun anew; an insurer whose proofs are in its pack already is left out.
"""

from __future__ import annotations

import shutil
import tarfile
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

from ecluse.app.exposure.proofs import Place, Seal
from ecluse.app.incidents.packs import PROOFS
from ecluse.doors.cli.evidence_folder import ENTRY, PROOF
from ecluse.doors.cli.explain import FILE_UNWRITABLE
from ecluse.doors.cli.proofs_folder import PART, SPREAD_CHARS
from ecluse.journal.evidence import Found

SPOOL = ".preuves"


class SpoolOfProofs:
    """The `ProofFolder` of packs in `folder`, of one incident. Close it: what is in clear goes."""

    def __init__(self, folder: Path, incident: str) -> None:
        """Raises `file_unwritable`."""
        self._folder = folder
        self._spool = folder / SPOOL
        self._incident = incident
        self._tars: dict[str, BinaryIO] = {}
        self._is_packed = cache(self._has_proofs)
        try:
            shutil.rmtree(self._spool, ignore_errors=True)
            self._spool.mkdir(mode=0o700, parents=True)
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{self._spool}: {broken.strerror}") from None

    def has(self, place: Place) -> bool:
        """Whether the insurer has its proofs, or has no pack that they could go into."""
        return self._is_packed(place.insurer)

    def put(self, place: Place, found: Found) -> None:
        """Append an entry and its proof to the insurer's tar. Raises `file_unwritable`."""
        reference = place.person.hex()
        base = f"{place.insurer}/{reference[:SPREAD_CHARS]}/{reference}-{place.shard}-{place.index}"
        try:
            tar = self._tar(place.insurer)
            tar.write(_member(base + ENTRY, found.entry))
            tar.write(_member(base + PROOF, found.proof.text.encode()))
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{self._spool}: {broken.strerror}") from None

    def pack(self, insurer: str, name: str, seal: Seal) -> str:
        """The insurer's tar, encrypted. Raises `file_unwritable`."""
        part = self._folder / (name + PART)
        try:
            tar = self._tar(insurer)
            tar.write(bytes(2 * tarfile.BLOCKSIZE))
            tar.seek(0)
            with part.open("wb") as sealed:
                seal(tar, sealed)
            tar.close()
            (self._spool / insurer).unlink()
            with part.open("rb") as written:
                return file_digest(written, "sha256").hexdigest()
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{part}: {broken.strerror}") from None

    def hand_over(self, name: str) -> None:
        """Give the packed file its name."""
        (self._folder / (name + PART)).replace(self._folder / name)

    def close(self) -> None:
        """Remove what is left in clear."""
        for each in self._tars.values():
            each.close()
        shutil.rmtree(self._spool, ignore_errors=True)

    def _has_proofs(self, insurer: str) -> bool:
        pack = self._folder / f"{self._incident}-{insurer}"
        return not pack.exists() or (pack / PROOFS).exists()

    def _tar(self, insurer: str) -> BinaryIO:
        if insurer not in self._tars:
            self._tars[insurer] = (self._spool / insurer).open("w+b")
        return self._tars[insurer]


def _member(name: str, content: bytes) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    return member.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)
