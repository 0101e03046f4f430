"""That a run of entries, none left out, is in a tree: the roots of the subtrees beside the run, from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecluse.journal.merkle import HASH_BYTES, Edge, Hashes, node_hash, span

RANGE_MAX = 126  # hashes: two paths of the most levels a tree can have


def range_proof(hashes: Hashes, start: int, end: int, size: int) -> list[bytes]:
    """The proof for leaves `start` until before `end` of the tree of `size` leaves; the run must not be empty."""
    assert 0 <= start < end <= size
    return [span(hashes, low, high) for low, high in _beside(start, end, 0, size)]


def proves_range(proof: Sequence[bytes], leaves: Sequence[bytes], start: int, size: int, root: bytes) -> bool:
    """Whether `leaves` are all the leaves from `start` on, until as many, of the tree with that root."""
    end = start + len(leaves)
    if not 0 <= start < end <= size < 1 << 63 or any(len(each) != HASH_BYTES for each in [*proof, *leaves]):
        return False
    beside = list(_beside(start, end, 0, size))
    if len(beside) != len(proof):
        return False
    known = dict(zip(beside, proof, strict=True))

    def found(low: int, high: int) -> bytes:
        if (low, high) in known:
            return known[low, high]
        if start <= low and high <= end:
            edge = Edge()
            for leaf in leaves[low - start : high - start]:
                edge.append(leaf)
            return edge.root()
        middle = _middle(low, high)
        return node_hash(found(low, middle), found(middle, high))

    return found(0, size) == root


def _beside(start: int, end: int, low: int, high: int) -> Iterator[tuple[int, int]]:
    """The largest subtrees of leaves `low` until `high` that have none of the run."""
    if high <= start or end <= low:
        yield low, high
    elif not (start <= low and high <= end):
        middle = _middle(low, high)
        yield from _beside(start, end, low, middle)
        yield from _beside(start, end, middle, high)


def _middle(low: int, high: int) -> int:
    return low + (1 << (high - low - 1).bit_length() - 1)
