"""A folder of proofs: of one question, each proof whole or not there, packed a file at a time as any tar reads it."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from ecluse.app.exposure.proofs import Place
from ecluse.app.proving import Prover
from ecluse.doors.cli.evidence_folder import read_found
from ecluse.doors.cli.proofs_folder import FolderOfProofs
from ecluse.exposure.question import Question
from ecluse.journal.evidence import Found
from ecluse.journal.proof import Proof
from ecluse.kernel.errors import Refused

AMC = "0075123456"
QUESTION = Question(accounts=("rpps:1",), start_ts_us=100, end_ts_us=200)
PLACES = [Place(AMC, bytes([n % 3]) * 16, "2026-11-w0", n) for n in range(40)]


class Twenty(Prover):
    """Whose proofs have twenty hashes, of nothing."""

    def __init__(self) -> None:
        """Of no journal."""

    def found(self, index: int, encoded: bytes) -> Found:
        return Found(encoded, Proof(index, (bytes(32),) * 20, "note\n"))


TWENTY = Twenty()


def found(place: Place) -> Found:
    return Found(b"entry %d" % place.index * 100, Proof(place.index, (bytes(32),) * 20, "note\n"))


def written(folder: Path) -> FolderOfProofs:
    proofs = FolderOfProofs(folder, QUESTION, folder.parent / "lists")
    for place in PLACES:
        proofs.put(place, found(place).entry, TWENTY)
    proofs.over(TWENTY)
    return proofs


def copied(clear: BinaryIO, sealed: BinaryIO) -> None:
    shutil.copyfileobj(clear, sealed, 1000)


def test_what_was_proved_is_there_and_reads(tmp_path: Path) -> None:
    proofs = written(tmp_path / "proofs")
    assert all(map(proofs.has, PLACES))
    assert not proofs.has(msgspec.structs.replace(PLACES[0], index=99))
    read = sorted((read_found(file) for file in tmp_path.rglob("*.tlog-proof")), key=lambda each: each.proof.index)
    assert read == [found(place) for place in PLACES]


def test_the_same_question_goes_on_and_another_does_not(tmp_path: Path) -> None:
    written(tmp_path / "proofs")
    assert FolderOfProofs(tmp_path / "proofs", QUESTION, tmp_path).has(PLACES[0])
    other = msgspec.structs.replace(QUESTION, end_ts_us=201)
    with pytest.raises(Refused, match="proofs_there"):
        FolderOfProofs(tmp_path / "proofs", other, tmp_path)
    with pytest.raises(Refused, match="proofs_there"):
        FolderOfProofs(tmp_path, QUESTION, tmp_path)


def test_a_packed_file_is_a_tar_and_has_its_name_when_it_is_handed_over(tmp_path: Path) -> None:
    proofs = written(tmp_path / "proofs")
    digest = proofs.pack(AMC, "all.tar", copied)
    assert [each.suffix for each in (tmp_path / "lists").iterdir()] == [".part"]
    proofs.hand_over("all.tar")
    packed = tmp_path / "lists" / "all.tar"
    assert sha256(packed.read_bytes()).hexdigest() == digest
    shutil.unpack_archive(packed, tmp_path / "there")
    here, there = ({each.relative_to(base): each.read_bytes() for each in base.rglob("*.*") if each.is_file()}
                   for base in (tmp_path / "proofs" / AMC, tmp_path / "there" / AMC))  # fmt: skip
    assert here == there
    assert len(here) == 2 * len(PLACES)
