"""A log's hashes and entries as static files: the layout of C2SP tlog-tiles.

Tile `n` of level `l` holds 256 hashes, each the root of 256^l entries; bundle `n` holds 256 entries, each after its length
(uint16).
The last of each is partial, with its width in its name, until it is full.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256

from ecluse.journal.merkle import HASH_BYTES, Edge, Hashes

WIDTH = 256  # hashes of a full tile, entries of a full bundle
HEIGHT = 8  # levels of the tree in one level of tiles
ENTRIES = "entries"
TILES_MAX = 1 << 9  # kept in memory by who asks for hashes, with the rows above: 20 MB
_LENGTH = struct.Struct(">H")

Read = Callable[[str], bytes]  # a file of the log by its path


def path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Where a tile (or, at level `entries`, a bundle) is: `tile/0/x001/x234/067`, `tile/0/000.p/17`."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def widths(size: int) -> Iterator[tuple[int, int, int]]:
    """The partial tiles of a tree of that size: level, number, width; none is empty."""
    level = 0
    while size >> (HEIGHT * level):
        count = size >> (HEIGHT * level)
        if count % WIDTH:
            yield level, count // WIDTH, count % WIDTH
        level += 1


def bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of a bundle of entries."""
    return b"".join([_LENGTH.pack(len(entry)) + entry for entry in entries])


def entries_of(content: bytes) -> Iterator[bytes]:
    """The entries of a bundle. Raises `ValueError` when it does not end where an entry ends."""
    at = 0
    while at < len(content):
        if at + _LENGTH.size > len(content):
            raise ValueError("cut in a length")
        end = at + _LENGTH.size + _LENGTH.unpack_from(content, at)[0]
        if end > len(content):
            raise ValueError("cut in an entry")
        yield content[at + _LENGTH.size : end]
        at = end


def fold(hashes: list[bytes]) -> bytes:
    """The root of a power of two of hashes."""
    while len(hashes) > 1:
        hashes = _above(hashes)
    return hashes[0]


def _above(row: list[bytes]) -> list[bytes]:
    """The hashes of a row's pairs; of a tile that is not full the last one may have no other."""
    pairs = b"".join(row)  # `node_hash` without a call for each: a verification makes millions
    return [sha256(b"\x01" + pairs[at : at + 64]).digest() for at in range(0, len(pairs) - 32, 64)]


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def hashes_of(read: Read, size: int) -> Hashes:
    """The hashes of complete subtrees of a log of `size` entries, from its tiles; those asked for last are kept, not all.

    What it gives raises what `read` raises, and `ValueError` for a tile of the wrong size.
    """

    @lru_cache(TILES_MAX)
    def tile(level: int, number: int) -> list[list[bytes]]:
        width = min(WIDTH, (size >> HEIGHT * level) - number * WIDTH)
        name = path(level, number, width)
        content = read(name)
        if len(content) != width * HASH_BYTES:
            raise ValueError(f"{name} has {len(content)} bytes, not {width * HASH_BYTES}")
        return [split(content)]  # its row; those above are worked out once, when one is asked for

    def hash_(height: int, index: int) -> bytes:
        level, above = divmod(height, HEIGHT)
        width = WIDTH >> above
        rows = tile(level, index // width)
        while len(rows) <= above:
            rows.append(_above(rows[-1]))
        return rows[above][index % width]

    return hash_


class Growing:
    """A log's right edge in tiles: what it has of each partial tile, and the full ones not yet taken away."""

    def __init__(self, read: Read | None = None, size: int = 0) -> None:
        """Of an empty log, or of one of `size` entries (a multiple of 256) whose full tiles can be read.

        Raises what `read` raises, and `ValueError` for a tile of the wrong size.
        """
        self._partial: list[list[bytes]] = []
        self._full: list[tuple[str, bytes]] = []
        while read and (count := size >> HEIGHT * len(self._partial)):
            below = range(count - count % WIDTH, count) if self._partial else ()
            self._partial.append([fold(_full_tile(read, len(self._partial) - 1, each)) for each in below])
        self.edge = Edge(size, [peak for tile in self._partial[::-1] for peak in _peaks(tile)])

    def append(self, leaf: bytes) -> None:
        """Add one entry's hash."""
        completed = self.edge.append(leaf)
        for level, hash_ in enumerate(completed[::HEIGHT]):
            self._put(level, hash_)

    def take_full(self) -> list[tuple[str, bytes]]:
        """Paths and bytes of the tiles that became full since the last time."""
        full, self._full = self._full, []
        return full

    def partials(self) -> list[tuple[str, bytes]]:
        """Paths and bytes of the partial tiles, as they are now."""
        return [
            (path(level, number, width), b"".join(self._partial[level]))
            for level, number, width in widths(self.edge.size)
        ]

    def _put(self, level: int, hash_: bytes) -> None:
        if level == len(self._partial):
            self._partial.append([])
        tile = self._partial[level]
        tile.append(hash_)
        if len(tile) == WIDTH:
            number = (self.edge.size >> HEIGHT * (level + 1)) - 1
            self._full.append((path(level, number), b"".join(tile)))
            tile.clear()


def root_of(read: Read, size: int) -> bytes:
    """The root of a log's first `size` entries, from full tiles only: those after them must be full.

    Raises what `read` raises, and `ValueError` for a tile of the wrong size.
    """
    whole = size - size % WIDTH
    growing = Growing(read, whole)
    for leaf in _full_tile(read, 0, whole // WIDTH)[: size - whole] if size > whole else ():
        growing.append(leaf)
    return growing.edge.root()


def _full_tile(read: Read, level: int, number: int) -> list[bytes]:
    content = read(path(level, number))
    if len(content) != WIDTH * HASH_BYTES:
        raise ValueError(f"{path(level, number)} has {len(content)} bytes, not {WIDTH * HASH_BYTES}")
    return split(content)


def _peaks(hashes: list[bytes]) -> list[bytes]:
    """The roots of the largest complete subtrees of a partial tile, from the left."""
    peaks, at = [], 0
    for height in range(HEIGHT - 1, -1, -1):
        if len(hashes) >> height & 1:
            peaks.append(fold(hashes[at : at + (1 << height)]))
            at += 1 << height
    return peaks
