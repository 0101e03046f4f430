"""The test vectors of docs/journal.md: made by the product, read by a reader that shares none of its code."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ecluse.journal.checkpoint import Checkpoint, signed
from ecluse.journal.cosignature import cosigned
from ecluse.journal.entry import FORMAT, Entry, Field, Operation, encode
from ecluse.journal.merkle import Edge, inclusion_proof, leaf_hash, node_hash
from ecluse.journal.note import COSIGNATURE, ED25519, Key, Note
from ecluse.journal.proof import Proof

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "journal.md"
READER = ROOT / "tests" / "vectors" / "tiny_reader.py"
MARK = "## Test vectors"
ORIGIN = "ecluse.example/journal/2026-11-w0"
LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
LOG_KEY = Key(ORIGIN, ED25519, LOG.public_key().public_bytes_raw())
WITNESS_KEY = Key("insurer.example/witness", COSIGNATURE, WITNESS.public_key().public_bytes_raw())
TS_US = 1_795_593_600_000_000  # 2026-11-25T08:00:00Z
TOLD = (
    (Operation.SHARD_OPENED, "hub", f"2026-11-w1 5 {b64encode(bytes(range(32))).decode()}", "2026-11-w0", b"", 0, b""),
    (
        Operation.RIGHTS_CHECK,
        "rpps:10000000001",
        "confirmed",
        "chk_06H11KVGR943Q436ECDS",
        bytes(16),
        7,
        bytes(range(70)),
    ),
    (Operation.QUOTE, "rpps:10000000001", "quoted", "quo_06H11KVGR943Q436ECDT", bytes(16), 65, bytes(300)),
    (Operation.CLAIM, "rpps:10000000001", "accepted", "clm_06H11KVGR943Q436ECDV", bytes(16), 577, b""),
    (Operation.RIGHTS_CHECK, "rpps:10000000002", "not_confirmed", "chk_06H11KVGR943Q436ECDW", b"", 1, b""),
)


def entries() -> list[bytes]:
    return [
        encode(
            Entry(
                format=FORMAT,
                ts_us=TS_US + 1_000 * number,
                operation=operation,
                account=account,
                practice="" if account == "hub" else "370000028",
                insurer="" if account == "hub" else "0075123456",
                person=person,
                presence=0,
                fields=Field(fields),
                outcome=outcome,
                engagement="",
                request=request,
                sealed=sealed,
                network="" if account == "hub" else "192.0.2.0/24",
                software="" if account == "hub" else "logiciel",
            )
        )
        for number, (operation, account, outcome, request, person, fields, sealed) in enumerate(TOLD)
    ]


def blocks() -> list[str]:
    """Keys, entries and leaves; the head with its cosignature; the proof of the fourth entry."""
    made = entries()
    leaves, edge = [leaf_hash(each) for each in made], Edge()
    for each in leaves:
        edge.append(each)

    def hashes(height: int, index: int) -> bytes:
        if height == 0:
            return leaves[index]
        return node_hash(hashes(height - 1, 2 * index), hashes(height - 1, 2 * index + 1))

    head = signed(Checkpoint(ORIGIN, len(made), edge.root()), LOG_KEY, LOG.sign)
    seen = cosigned(head.text, WITNESS_KEY, TS_US // 1_000_000 + 60, WITNESS.sign)
    note = Note(head.text, (*head.signatures, seen)).content
    told = [f"key {LOG_KEY.text}", f"witness {WITNESS_KEY.text}"]
    told += [f"entry {each.hex()}" for each in made] + [f"leaf {each.hex()}" for each in leaves]
    proof = Proof(3, tuple(inclusion_proof(hashes, 3, len(made))), note)
    return ["\n".join(told) + "\n", note, proof.text]


def section() -> str:
    """The section of the page."""
    words = (
        "Five entries, their leaf hashes, a head that the hub and a witness signed, the proof of entry 3. The private keys are\n"
        "the bytes 0 to 31 (hub) and 32 to 63 (witness). Written by `python -m tests.test_journal_vectors`, read by\n"
        "`tests/vectors/tiny_reader.py`, which shares no code with the hub."
    )
    return "\n\n".join([MARK, words, *(f"```text\n{each}```" for each in blocks())]) + "\n"


def test_the_page_has_the_vectors_the_code_makes() -> None:
    assert PAGE.read_text().partition(MARK)[2] == section().partition(MARK)[2], (
        "run: python -m tests.test_journal_vectors"
    )


def read(page: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", READER, page], capture_output=True, text=True, check=False)


def test_a_reader_that_shares_no_code_finds_them_right() -> None:
    found = read(PAGE)
    assert found.returncode == 0, found.stderr
    assert [line.split()[0] for line in found.stdout.splitlines()] == [str(operation) for operation, *_ in TOLD]
    source = READER.read_text()
    assert "ecluse" not in source.replace("docs/journal.md", "")
    assert source.count("\n") <= 120


@pytest.mark.parametrize(
    "change", [(b"confirmed".hex(), b"confirmee".hex()), ("\n5\n", "\n4\n"), ("index 3", "index 2")]
)
def test_the_reader_can_say_no(tmp_path: Path, change: tuple[str, str]) -> None:
    text = PAGE.read_text()
    assert change[0] in text.partition(MARK)[2]
    (tmp_path / "page.md").write_text(text.replace(*change))
    assert read(tmp_path / "page.md").returncode != 0


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(MARK)[0].rstrip() + "\n\n" + section())
