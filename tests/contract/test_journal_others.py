"""Our logs read by software that is not ours: Go's sumdb (tiles, notes, proofs) and sigstore-python (notes, inclusion)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import verify_checkpoint
from sigstore._internal.trust import Keyring, RekorKeyring
from sigstore.errors import VerificationError
from sigstore.models import TransparencyLogEntry
from sigstore_models.common.v1 import PublicKey as PublishedKey
from sigstore_models.rekor.v1 import TransparencyLogEntry as Inner

from ecluse.engines.local.reading import LocalShards
from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.merkle import inclusion_proof
from ecluse.journal.note import read_note
from ecluse.journal.tiles import hashes_of
from tests.journal import SIGNER, open_log
from tests.logs import MadeLog, entry

GOCODE = Path("/usr/share/gocode")  # where Debian's golang-golang-x-mod-dev puts its sources
SIZES = (1, 2, 255, 256, 257, 511, 1000, pytest.param(65_536 + 300, marks=pytest.mark.slow))
Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def check_log(tmp_path_factory: pytest.TempPathFactory) -> Check:
    go = shutil.which("go")
    if go is None or not (GOCODE / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip("Go or its sumdb packages are not there: apt-get install golang-go golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    program = folder / "check_log"
    source = Path(__file__).parent / "go" / "check_log.go"
    offline = {"GO111MODULE": "off", "GOPATH": str(GOCODE), "GOCACHE": str(folder / "cache"), "GOFLAGS": "-trimpath"}
    subprocess.run([go, "build", "-o", program, source], check=True, env=os.environ | offline)
    return lambda *given: subprocess.run([program, *given], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("size", SIZES)
def test_go_verifies_every_entry_and_that_the_log_continues(check_log: Check, tmp_path: Path, size: int) -> None:
    log, older = MadeLog(), list[str]()
    for part in (size // 3, size // 2, size - 1):
        log.add(entry(n) for n in range(len(log.entries), part))
        older += [str(part), b64encode(log.head.root).decode()] if part else []
    folder = log.add(entry(n) for n in range(len(log.entries), size)).put(tmp_path)
    found = check_log(folder, log.key.text, *older)
    assert (found.returncode, found.stdout.strip()) == (0, str(size)), found.stderr


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "checkpoint"])
def test_go_sees_a_changed_byte(check_log: Check, tmp_path: Path, name: str) -> None:
    log = MadeLog().add(entry(n) for n in range(300))
    changed = log.put(tmp_path) / name
    content = bytearray(changed.read_bytes())
    content[-6] ^= 1
    changed.write_bytes(content)
    assert check_log(tmp_path, log.key.text).returncode == 1


def test_go_sees_another_log_as_no_continuation(check_log: Check, tmp_path: Path) -> None:
    log = MadeLog().add(entry(n) for n in range(300))
    other = MadeLog().add(entry(n) for n in range(1, 200))
    found = check_log(log.put(tmp_path), log.key.text, "199", b64encode(other.head.root).decode())
    assert (found.returncode, "size 199" in found.stderr) == (1, True)


def rekor_entry(log: MadeLog, folder: Path, index: int) -> TransparencyLogEntry:
    """An entry of ours as sigstore's verifier takes it."""
    size = len(log.entries)
    proof = inclusion_proof(hashes_of(lambda name: (folder / name).read_bytes(), size), index, size)
    told = {
        "logIndex": str(index),
        "logId": {"keyId": b64encode(log.key.id).decode()},
        "kindVersion": {"kind": "entry", "version": "2"},
        "canonicalizedBody": b64encode(log.entries[index]).decode(),
        "inclusionProof": {
            "logIndex": str(index),
            "treeSize": str(size),
            "rootHash": b64encode(log.head.root).decode(),
            "hashes": [b64encode(each).decode() for each in proof],
            "checkpoint": {"envelope": log.note.content},
        },
    }
    return TransparencyLogEntry(Inner.from_json(json.dumps(told)))


def keyring(log: MadeLog) -> RekorKeyring:
    raw = log.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    told = json.dumps({"rawBytes": b64encode(raw).decode(), "keyDetails": "PKIX_ED25519"})
    return RekorKeyring(Keyring([PublishedKey.from_json(told)]))


def test_sigstore_verifies_inclusion_and_the_head(tmp_path: Path) -> None:
    log = MadeLog().add(entry(n) for n in range(300))
    folder = log.put(tmp_path)
    for index in (0, 1, 127, 255, 256, 299):
        verify_merkle_inclusion(rekor_entry(log, folder, index))
        verify_checkpoint(keyring(log), rekor_entry(log, folder, index))
    with pytest.raises(VerificationError):
        verify_checkpoint(keyring(MadeLog()), rekor_entry(log, folder, 0))
    log.entries[7] = entry(8)
    with pytest.raises(VerificationError):
        verify_merkle_inclusion(rekor_entry(log, folder, 7))


def test_go_verifies_what_the_hub_writes_while_it_writes(check_log: Check, tmp_path: Path) -> None:
    log = open_log(tmp_path)
    older: list[str] = []
    for at in range(0, 900, 60):
        log.append([entry(n) for n in range(at, at + 60)])
        (shard,) = LocalShards(tmp_path).heads()
        head = read_checkpoint(read_note(shard.checkpoint).text)
        older += [str(head.size), b64encode(head.root).decode()]
    log.close()
    found = check_log(tmp_path / shard.shard, SIGNER.key(shard.shard).text, *older)
    assert (found.returncode, found.stdout.strip()) == (0, "901"), found.stderr
