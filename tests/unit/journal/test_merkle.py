"""The tree against the RFC's own recursion, and against wrong proofs made by others."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.journal.merkle import (
    EMPTY,
    Edge,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    proves_consistency,
    proves_inclusion,
    root,
)
from tests.unit.journal import truth

VECTORS = sorted((Path(__file__).parents[2] / "vectors" / "rfc6962" / "inclusion").rglob("*.json"))
SIZES = 66  # past 64: every shape of a right edge of up to six peaks
LEAVES = [b"entry %d" % n for n in range(SIZES)]
ROOTS = [truth.mth(LEAVES[:size]) for size in range(SIZES + 1)]


def hashes(height: int, index: int) -> bytes:
    if height == 0:
        return leaf_hash(LEAVES[index])
    return node_hash(hashes(height - 1, 2 * index), hashes(height - 1, 2 * index + 1))


def test_roots_and_edges_are_those_of_the_rfc() -> None:
    edge = Edge()
    for size in range(SIZES + 1):
        assert root(hashes, size) == edge.root() == ROOTS[size]
        if size < SIZES:
            edge.append(leaf_hash(LEAVES[size]))


def test_every_inclusion_proof_is_that_of_the_rfc_and_proves_nothing_else() -> None:
    for size in range(1, SIZES + 1):
        for index in range(size):
            proof = inclusion_proof(hashes, index, size)
            assert proof == truth.path(index, LEAVES[:size])
            leaf = leaf_hash(LEAVES[index])
            assert proves_inclusion(proof, leaf, index, size, ROOTS[size])
            assert not proves_inclusion(proof, leaf_hash(b"another"), index, size, ROOTS[size])
            assert not proves_inclusion(proof, leaf, index, size, ROOTS[size - 1])
            assert not proves_inclusion([*proof, EMPTY], leaf, index, size, ROOTS[size])
            assert not (proof and proves_inclusion(proof[:-1], leaf, index, size, ROOTS[size]))
            assert not proves_inclusion(proof, leaf, size, size, ROOTS[size])


def test_every_consistency_proof_is_that_of_the_rfc_and_proves_nothing_else() -> None:
    for newer in range(SIZES + 1):
        for older in range(newer + 1):
            proof = consistency_proof(hashes, older, newer)
            assert proof == (truth.proof(older, LEAVES[:newer]) if 0 < older < newer else [])
            assert proves_consistency(proof, older, ROOTS[older], newer, ROOTS[newer])
            assert not proves_consistency([*proof, EMPTY], older, ROOTS[older], newer, ROOTS[newer])
            if older:
                assert not proves_consistency(proof, older, EMPTY, newer, ROOTS[newer])
                assert not proves_consistency(proof, older, ROOTS[older], newer, EMPTY)
            if proof:
                assert not proves_consistency(proof[:-1], older, ROOTS[older], newer, ROOTS[newer])
                assert not proves_consistency(proof, older, ROOTS[older - 1], newer, ROOTS[newer])


@given(st.data())
def test_a_changed_byte_anywhere_proves_nothing(data: st.DataObject) -> None:
    newer = data.draw(st.integers(2, SIZES))
    older = data.draw(st.integers(1, newer - 1))
    proof = consistency_proof(hashes, older, newer)
    at, bit = data.draw(st.integers(0, len(proof) * 32 - 1)), data.draw(st.integers(0, 7))
    changed = bytearray(b"".join(proof))
    changed[at] ^= 1 << bit
    forged = [bytes(changed[n : n + 32]) for n in range(0, len(changed), 32)]
    assert not proves_consistency(forged, older, ROOTS[older], newer, ROOTS[newer])


@given(st.integers(0, 70), st.integers(0, 70), st.lists(st.binary(min_size=32, max_size=32), max_size=8))
def test_made_up_proofs_are_refused_and_never_raise(one: int, other: int, proof: list[bytes]) -> None:
    assert not proves_inclusion(proof, EMPTY, one, other, ROOTS[5])
    assert not proves_consistency(proof, one, ROOTS[4], other, ROOTS[5])


def test_hashes_of_another_length_prove_nothing() -> None:
    """Two of them side by side are as long as three others: they could be cut elsewhere."""
    left, right = (leaf_hash(each) for each in LEAVES[:2])
    assert proves_inclusion([right], left, 0, 2, ROOTS[2])
    assert not proves_inclusion([left[-1:] + right], left[:-1], 0, 2, ROOTS[2])
    assert not proves_inclusion([], b"", 0, 1, b"")
    assert not proves_consistency([], 1, b"", 1, b"")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_vectors_of_others(vector: Path) -> None:
    told = json.loads(vector.read_text())
    proof = [b64decode(each) for each in told["proof"] or []]
    leaf, root_hash = b64decode(told["leafHash"] or ""), b64decode(told["root"] or "")
    assert proves_inclusion(proof, leaf, told["leafIdx"], told["treeSize"], root_hash) is not told["wantErr"]
