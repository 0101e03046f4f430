"""Runs of entries: every run of every small tree is proved, and nothing else is."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ecluse.journal.merkle import EMPTY, leaf_hash
from ecluse.journal.ranges import proves_range, range_proof
from tests.unit.journal.test_merkle import LEAVES, ROOTS, hashes

HASHES = [leaf_hash(each) for each in LEAVES]


def test_every_run_of_every_tree_up_to_17() -> None:
    for size in range(1, 18):
        for start in range(size):
            for end in range(start + 1, size + 1):
                proof = range_proof(hashes, start, end, size)
                assert proves_range(proof, HASHES[start:end], start, size, ROOTS[size])
                assert not proves_range(proof, HASHES[start : end - 1], start, size, ROOTS[size])
                assert not proves_range(proof, HASHES[start + 1 : end], start, size, ROOTS[size])
                assert not proves_range(proof, HASHES[start + 1 : end], start + 1, size, ROOTS[size])
                assert not proves_range([*proof, EMPTY], HASHES[start:end], start, size, ROOTS[size])


@given(st.data())
def test_a_leaf_left_out_or_changed_is_seen(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 66))
    start = data.draw(st.integers(0, size - 2))
    end = data.draw(st.integers(start + 2, size))
    proof, leaves = range_proof(hashes, start, end, size), HASHES[start:end]
    out = data.draw(st.integers(0, len(leaves) - 1))
    assert proves_range(proof, leaves, start, size, ROOTS[size])
    assert not proves_range(proof, leaves[:out] + leaves[out + 1 :], start, size, ROOTS[size])
    assert not proves_range(proof, [*leaves[:out], EMPTY, *leaves[out + 1 :]], start, size, ROOTS[size])


@given(st.integers(-3, 70), st.integers(-3, 70), st.lists(st.binary(max_size=33), max_size=5), st.integers(0, 5))
@example(-1, 1, [], 1)
def test_made_up_proofs_never_raise(start: int, size: int, proof: list[bytes], count: int) -> None:
    assert not proves_range(proof, [EMPTY] * count, start, size, ROOTS[5])
