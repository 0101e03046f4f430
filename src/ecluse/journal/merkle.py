"""The Merkle tree of RFC 6962, §2.1: hashes, proofs that an entry is in a tree, proofs that a tree continues another.

A leaf is SHA-256(0x00 | entry), a node SHA-256(0x01 | left | right). A proof is made from the hashes of complete subtrees,
which a `Hashes` gives: `hashes(height, index)` is the root of the 2^height leaves from `index * 2^height` on. Verifying follows
RFC 9162, §2.1.3.2 and §2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY = sha256().digest()  # the root of a tree without leaves
PROOF_MAX = 63  # hashes; a tree with more levels has more leaves than a file can number

Hashes = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry's bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Hashes, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return span(hashes, 0, size) if size else EMPTY


def span(hashes: Hashes, start: int, end: int) -> bytes:
    """The root of leaves `start` until before `end`, a subtree of some tree: MTH(D[start:end])."""
    height = (end - start - 1).bit_length()
    if end - start == 1 << height and start % (1 << height) == 0:
        return hashes(height, start >> height)
    split = start + (1 << height - 1)
    return node_hash(span(hashes, start, split), span(hashes, split, end))


def inclusion_proof(hashes: Hashes, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up. `index` must be below `size`."""
    assert 0 <= index < size
    path, start, end = [], 0, size
    while end - start > 1:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if index < split:
            path.append(span(hashes, split, end))
            end = split
        else:
            path.append(span(hashes, start, split))
            start = split
    return path[::-1]


def consistency_proof(hashes: Hashes, older: int, newer: int) -> list[bytes]:
    """What proves that the tree of `newer` leaves begins with that of `older`. Empty when they are equal or `older` is 0."""
    assert 0 <= older <= newer
    path: list[bytes] = []
    start, end, whole = 0, newer, True  # whole: the older tree is still a complete subtree from 0
    if older in (0, newer):
        return path
    while older < end:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if older <= split:
            path.append(span(hashes, split, end))
            end = split
        else:
            path.append(span(hashes, start, split))
            start, whole = split, False
    return ([] if whole else [span(hashes, start, end)]) + path[::-1]


def proves_inclusion(proof: Sequence[bytes], leaf: bytes, index: int, size: int, root_hash: bytes) -> bool:
    """Whether `proof` leads from `leaf` at `index` to the root of the tree of `size` leaves."""
    if not 0 <= index < size or not _are_hashes([leaf, root_hash, *proof]):
        return False
    position, last, found = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(hash_, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        position, last = position >> 1, last >> 1
    return last == 0 and found == root_hash


def proves_consistency(proof: Sequence[bytes], older: int, older_root: bytes, newer: int, newer_root: bytes) -> bool:
    """Whether the tree of `newer` leaves is proved to begin with the tree of `older`."""
    if not 0 <= older <= newer or not _are_hashes([older_root, newer_root, *proof]):
        return False
    if older in (0, newer):
        return not proof and older_root == (newer_root if older else EMPTY)
    hashes = [older_root, *proof] if older & (older - 1) == 0 else list(proof)
    if not hashes:
        return False
    position, last = older - 1, newer - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        position, last = position >> 1, last >> 1
    return last == 0 and old == older_root and new == newer_root


def _are_hashes(found: Sequence[bytes]) -> bool:
    """Whether each is as long as a hash: of two of other lengths side by side, nobody knows where one ends."""
    return all(len(each) == HASH_BYTES for each in found)


class Edge:
    """A growing tree's right edge: the roots of its complete subtrees, the largest first. A leaf costs one hash or two."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf's hash; the roots of the subtrees it completes, by height, the leaf's own first."""
        completed = [leaf]
        below = self.size
        while below & 1:
            completed.append(node_hash(self.peaks.pop(), completed[-1]))
            below >>= 1
        self.peaks.append(completed[-1])
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self.peaks:
            return EMPTY
        found = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            found = node_hash(peak, found)
        return found
