"""A log re-hashed from its entries up, and compared with every file and every signed head that tells of it. Pure: files come in.

Entries → leaf hashes → tiles of every level → roots at every size somebody signed for. Each difference is a `Fault` that names
the file and the entry; the walk goes on after it, with what the entries say.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Protocol

import msgspec

from ecluse.journal.entry import Entry, Operation, decode
from ecluse.journal.merkle import EMPTY, HASH_BYTES, root
from ecluse.journal.tiles import ENTRIES, HEIGHT, WIDTH, bundle, entries_of, fold, path, split
from ecluse.kernel.days import S_US

# Entries stand in the order of time but for ten minutes: no request lives longer, and clocks are rarely set back by more.
NEAR_US = 600 * S_US
EARLIER_MAX = 1_000  # told of one shard; more says nothing more
Read = Callable[[str], bytes]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong: in which shard and file, and from which entry on, where one can be named."""

    shard: str
    file: str
    what: str
    index: int | None = None


class Files(Protocol):
    """The files of one shard, read while others may be writing it."""

    def read(self, name: str) -> bytes:
        """A file. Raises `FileNotFoundError`."""
        ...

    def partials(self, name: str) -> list[int]:
        """The widths of the partial tiles or bundles that stand beside the full one of this name."""
        ...

    def rest(self, start: int) -> Iterator[bytes]:
        """Entries from `start` on that are in no full bundle yet. Raises `ValueError` where they do not read."""
        ...

    def segments(self) -> Iterator[tuple[int, bytes]]:
        """Every entry of the segments, with its index. Raises `ValueError` where they do not read."""
        ...


class Tree(msgspec.Struct):
    """What the entries say: how many there are, the roots asked for by size, which are minutes before one that stands before."""

    size: int = 0
    roots: dict[int, bytes] = {}
    earlier: tuple[int, ...] = ()


class Walk:
    """One walk over a shard. `published`: the size up to which its files must be there; `pruned`: entries below are gone."""

    def __init__(
        self, name: str, files: Files, report: Callable[[Fault], None], *, published: int, pruned: int = 0
    ) -> None:
        self._name = name
        self._files = files
        self._report = report
        self._published = published
        self._pruned = pruned
        self._levels: list[list[bytes]] = [[]]  # from level 1 on: the hashes of every full tile below
        self._leaves: dict[int, list[bytes]] = {}  # level 0: of the tiles that are looked at again
        self._size = 0
        self._newest_us = 0
        self._earlier: list[int] = []

    def run(self, sizes: Collection[int], told: Callable[[int], None] = lambda _: None) -> Tree:
        """Walk all of it; the roots at `sizes`, as far as it has them. `told` hears the number of entries read so far."""
        wanted = {size // WIDTH for size in sizes}
        first_in_segments = self._first_in_segments() // WIDTH
        for number, leaves in enumerate(self._tiles()):
            self._size += len(leaves)
            if number in wanted or number >= first_in_segments or len(leaves) < WIDTH:
                self._leaves[number] = leaves
            self._compare_tile(0, number, leaves)
            if len(leaves) == WIDTH:
                self._integrate(0, fold(leaves))
            told(self._size)
        for level, hashes in enumerate(self._levels, 1):
            if len(hashes) % WIDTH:
                self._compare_tile(level, len(hashes) // WIDTH, hashes[len(hashes) - len(hashes) % WIDTH :])
        self._compare_segments()
        roots = {size: root(self._hash, size) if size else EMPTY for size in sizes if size <= self._size}
        return Tree(self._size, roots, tuple(self._earlier))

    def _tiles(self) -> Iterator[list[bytes]]:
        """The leaf hashes of each bundle, the last one partial."""
        number = 0
        while (leaves := self._bundle(number)) is not None:
            yield leaves
            number += 1
            if len(leaves) < WIDTH:
                return
        if number * WIDTH < self._pruned:  # the last bundle went with the others; its hashes stayed
            if leaves := self._pruned_tile(number, self._pruned - number * WIDTH):
                yield leaves
            return
        rest = self._rest(number * WIDTH)
        while some := list(islice(rest, WIDTH)):
            leaves = self._hashed(number * WIDTH, some, "wal, or the last bundle")
            for name, found, expected in self._partials(path(ENTRIES, number), bundle(some), _bundle_prefix):
                if found != expected:
                    self._fault(name, "has other entries than the segments", number * WIDTH)
            yield leaves
            number += 1

    def _bundle(self, number: int) -> list[bytes] | None:
        """The leaf hashes of a full bundle; None where there is none (any more)."""
        name, first = path(ENTRIES, number), number * WIDTH
        if first < self._pruned:
            return self._pruned_tile(number, min(WIDTH, self._pruned - first))
        try:
            content = self._files.read(name)
        except FileNotFoundError:
            if first + WIDTH > self._published:
                return None
            self._fault(name, "is not there", first)
            return self._pruned_tile(number)
        try:
            entries = list(entries_of(content))
        except ValueError as wrong:
            self._fault(name, str(wrong), first)
            return self._pruned_tile(number)
        if len(entries) != WIDTH:
            self._fault(name, f"has {len(entries)} entries, not {WIDTH}", first + min(WIDTH, len(entries)))
            return self._pruned_tile(number)
        return self._hashed(first, entries, name)

    def _pruned_tile(self, number: int, width: int = WIDTH) -> list[bytes] | None:
        """Leaf hashes that can only be taken from the tile: their entries are gone."""
        name = path(0, number, width)
        try:
            leaves = split(self._files.read(name))
        except FileNotFoundError:
            leaves = []
        if len(leaves) != width:
            self._fault(name, "is not there, nor are its entries: nothing after it can be verified", number * WIDTH)
            return None
        return leaves

    def _rest(self, start: int) -> Iterator[bytes]:
        at = start
        try:
            for each in self._files.rest(start):
                yield each
                at += 1
        except ValueError as wrong:
            self._fault("wal", str(wrong), at)

    def _hashed(self, first: int, entries: list[bytes], file: str) -> list[bytes]:
        try:
            times_us = [decode(encoded).ts_us for encoded in entries]
        except (msgspec.MsgspecError, UnicodeDecodeError):
            times_us = [self._time_us(index, encoded, file) for index, encoded in enumerate(entries, first)]
        if min(times_us) < self._newest_us - NEAR_US or max(times_us) - min(times_us) > NEAR_US:
            for index, ts_us in enumerate(times_us, first):
                self._order(index, ts_us)
        self._newest_us = max(self._newest_us, *times_us)
        return [sha256(b"\x00" + encoded).digest() for encoded in entries]

    def _time_us(self, index: int, encoded: bytes, file: str) -> int:
        """When an entry was written; of one that does not read, that of the entry before it."""
        try:
            return decode(encoded).ts_us
        except msgspec.MsgspecError as wrong:
            self._fault(file, f"does not read as an entry: {str(wrong)[:100]}", index)
        except UnicodeDecodeError:
            self._fault(file, "does not read as an entry: a text that is not UTF-8", index)
        return self._newest_us

    def _order(self, index: int, ts_us: int) -> None:
        """Evidence about a window believes the order of times; who makes it should know where it does not hold."""
        if ts_us >= self._newest_us:
            self._newest_us = ts_us
        elif ts_us < self._newest_us - NEAR_US and len(self._earlier) < EARLIER_MAX:
            self._earlier.append(index)

    def _integrate(self, level: int, hash_: bytes) -> None:
        """Add the root of a full tile of `level` to the level above."""
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(hash_)
        if len(hashes) % WIDTH == 0:
            full = hashes[-WIDTH:]
            self._compare_tile(level + 1, len(hashes) // WIDTH - 1, full)
            self._integrate(level + 1, fold(full))

    def _compare_tile(self, level: int, number: int, hashes: list[bytes]) -> None:
        name, content, span = path(level, number), b"".join(hashes), WIDTH ** (level + 1)
        for partial, found, expected in self._partials(name, content, lambda wide, count: wide[: count * HASH_BYTES]):
            self._differ(partial, found, expected, level, number)
        due = min(WIDTH, (self._published >> HEIGHT * level) - number * WIDTH)
        if len(hashes) < WIDTH:
            if 0 < due <= len(hashes) and due not in self._files.partials(name) and not self._has(name):
                self._fault(path(level, number, due), "is not there", number * span)
            return
        try:
            found = self._files.read(name)
        except FileNotFoundError:
            if due == WIDTH:
                self._fault(name, "is not there", number * span)
            return
        self._differ(name, found, content, level, number)

    def _partials(
        self, name: str, content: bytes, cut: Callable[[bytes, int], bytes]
    ) -> Iterator[tuple[str, bytes, bytes]]:
        """Each partial tile or bundle beside the full one: its name, what it holds, what it should."""
        for width in self._files.partials(name):
            try:
                found = self._files.read(f"{name}.p/{width}")
            except FileNotFoundError:  # it has become full meanwhile
                continue
            expected = cut(content, width)
            if len(found) <= len(expected) or not found.startswith(expected):  # else published after we began
                yield f"{name}.p/{width}", found, expected

    def _differ(self, name: str, found: bytes, expected: bytes, level: int, number: int) -> None:
        if found == expected:
            return
        if len(found) != len(expected):
            self._fault(name, f"has {len(found)} bytes, not {len(expected)}")
            return
        for at, (one, other) in enumerate(zip(split(found), split(expected), strict=True)):
            if one != other:
                index = (number * WIDTH + at) * WIDTH**level
                what = (
                    f"is not the hash of what {path(ENTRIES, number)} has" if level == 0 else "is not what is below it"
                )
                self._fault(name, what, index)

    def _first_in_segments(self) -> int:
        try:
            return next((index for index, _ in self._files.segments()), self._published)
        except ValueError:
            return self._published  # `_compare_segments` says so

    def _compare_segments(self) -> None:
        """Segments not yet removed hold entries that bundles hold too: a restart believes the segments."""
        try:
            for index, encoded in self._files.segments():
                leaves = self._leaves.get(index // WIDTH)
                if leaves and index < self._size and sha256(b"\x00" + encoded).digest() != leaves[index % WIDTH]:
                    self._fault("wal", "is not the entry of its bundle", index)
        except ValueError as wrong:
            self._fault("wal", str(wrong))

    def _hash(self, height: int, index: int) -> bytes:
        level, count = height // HEIGHT, 1 << height % HEIGHT
        first = index * count
        if level:
            return fold(self._levels[level - 1][first : first + count])
        return fold(self._leaves[first // WIDTH][first % WIDTH : first % WIDTH + count])

    def _has(self, name: str) -> bool:
        try:
            return bool(self._files.read(name))
        except FileNotFoundError:
            return False

    def _fault(self, file: str, what: str, index: int | None = None) -> None:
        self._report(Fault(self._name, file, what, index))


def opening_heads(encoded: bytes) -> Iterable[tuple[str, int, bytes]]:
    """The heads that a shard's first entry names: shard, size, root. Raises `ValueError` when it is no such entry."""
    entry: Entry = decode(encoded)
    if entry.operation is not Operation.SHARD_OPENED:
        raise ValueError("it does not begin with the heads of the other shards")
    for line in entry.outcome.split("\n") if entry.outcome else ():
        name, size, root_ = line.split(" ")
        yield name, int(size), b64decode(root_, validate=True)


def _bundle_prefix(content: bytes, count: int) -> bytes:
    return bundle(list(islice(entries_of(content), count)))
