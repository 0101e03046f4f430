"""Entries proved together: any of them, in any tree, are read back; each has its own proof in it; nothing wrong passes."""

from __future__ import annotations

import base64
import io
import runpy
from importlib.resources import files
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ecluse.journal.checkpoint import Checkpoint, signed
from ecluse.journal.merkle import HASH_BYTES, inclusion_proof, leaf_hash
from ecluse.journal.note import ED25519, Key
from ecluse.journal.policy import Policy
from ecluse.journal.proof import read_proof, verify_proof
from ecluse.journal.tiles import WIDTH, Growing, hashes_of
from ecluse.journal.together import Together, gap, read_together
from tests.unit.journal.test_merkle import LEAVES, ROOTS, SIZES, hashes

ORIGIN = "hub.example/journal/2026-11-w0"
_LOG = Ed25519PrivateKey.generate()
LOG = Key(ORIGIN, ED25519, _LOG.public_key().public_bytes_raw())
FAMILY = Key("hub.example/journal/", ED25519, LOG.public)


def note(size: int, root: bytes) -> str:
    return signed(Checkpoint(ORIGIN, size, root), LOG, _LOG.sign).content


def written(size: int, indexes: set[int]) -> bytes:
    together = Together(hashes, note(size, ROOTS[size]), size)
    return b"".join([together.begin, *(together.add(each, LEAVES[each]) for each in sorted(indexes)), together.end()])


def read(content: bytes) -> dict[int, bytes]:
    return dict(read_together(io.BytesIO(content), Policy((FAMILY,)))[1])


@st.composite
def chosen(draw: st.DrawFn) -> tuple[int, set[int]]:
    size = draw(st.integers(1, SIZES))
    return size, draw(st.sets(st.integers(0, size - 1), min_size=1))


@given(chosen(), st.data())
def test_any_entries_of_any_tree_are_proved_and_a_changed_byte_is_seen(
    given_: tuple[int, set[int]], data: st.DataObject
) -> None:
    size, indexes = given_
    content = written(size, indexes)
    assert read(content) == {each: LEAVES[each] for each in indexes}
    alone = sum(len(inclusion_proof(hashes, each, size)) for each in indexes)
    begun = len(Together(hashes, note(size, ROOTS[size]), size).begin)
    kept = sum(10 + len(LEAVES[each]) for each in indexes) + 8
    assert len(content) - begun - kept <= HASH_BYTES * (alone + size.bit_length()), "hashes are shared"
    place = data.draw(st.integers(begun, len(content) - 1))
    broken = bytearray(content)
    broken[place] ^= 1 << data.draw(st.integers(0, 7))
    for wrong in (bytes(broken), content[:place], content + b"\0"):
        with pytest.raises(ValueError, match=r"."):
            read(wrong)


def test_nobody_elses_head_and_no_other_format_is_believed() -> None:
    content = written(5, {3})
    other = Key(ORIGIN, ED25519, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    with pytest.raises(ValueError, match=r"."):
        read_together(io.BytesIO(content), Policy((other,)))
    for wrong in (b"", b"ecluse-proofs@v2\n", content[:17] + b"\xff\xff\xff\xff" + content[21:]):
        with pytest.raises(ValueError, match=r"."):
            read_together(io.BytesIO(wrong), Policy((FAMILY,)))


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_gap_is_covered_once_by_as_few_subtrees_as_there_are(start: int, end: int) -> None:
    at = start
    for height, index in gap(start, end):
        assert index << height == at
        at += 1 << height
        largest = at + (1 << height) > end or (index & 1) or start > (index << height) - (1 << height)
        assert largest or at == end
    assert at == max(start, end)


def test_the_script_of_a_pack_gives_each_entry_the_proof_it_would_have_had_alone(tmp_path: Path) -> None:
    script = (files("ecluse.doors.incidents") / "verifier-preuves.txt").read_text(encoding="utf-8")
    (tmp_path / "verifier.py").write_text(script, encoding="utf-8")
    tool = runpy.run_path(str(tmp_path / "verifier.py"))
    for size in (1, 2, 7, 64, 66):
        indexes = {*range(0, size, 3), size - 1}
        (tmp_path / "log.proofs").write_bytes(written(size, indexes))
        key = f"{FAMILY.name}+00000000+{base64.b64encode(bytes([1]) + FAMILY.public).decode()}"
        tool["write"](tmp_path / "log.proofs", key, {each: LEAVES[each] for each in indexes}, tmp_path / "out")
        for each in indexes:
            proof = read_proof((tmp_path / "out" / f"log-{each}.tlog-proof").read_text(encoding="utf-8"))
            assert verify_proof(proof, leaf_hash(LEAVES[each]), Policy((FAMILY,))).size == size
            assert proof.hashes == tuple(inclusion_proof(hashes, each, size))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1000, 70_000])
def test_tiles_give_the_hashes_of_every_height(size: int) -> None:
    growing, tiles = Growing(), {}
    for each in range(size):
        growing.append(leaf_hash(b"%d" % each))
        tiles.update(growing.take_full())
    tiles.update(growing.partials())
    asked: list[str] = []
    found = hashes_of(lambda name: asked.append(name) or tiles[name], size)  # type: ignore[func-returns-value]
    head = note(size, growing.edge.root())
    together = Together(found, head, size)
    some = sorted({0, size // 2, size - 1, *range(0, size, 97)})
    content = b"".join([together.begin, *(together.add(each, b"%d" % each) for each in some), together.end()])
    assert read(content) == {each: b"%d" % each for each in some}
    assert len(asked) == len(set(asked)) <= -(-size // WIDTH) + size // WIDTH**2 + 3, "a tile is read once"
