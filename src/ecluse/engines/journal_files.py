"""The journal's folder as an inspection reads it: nothing is changed, nobody's slot is taken, a hub may be writing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ecluse.app.ports.journal_files import ShardTold, SignedHead
from ecluse.engines.local.reading import LocalShards, size_of
from ecluse.engines.local.registry import FILE, SHARD, Record, read_records
from ecluse.engines.local.shard import CHECKPOINT, HEAD, WAL
from ecluse.engines.local.wal import read, segments
from ecluse.journal.tiles import ENTRIES, WIDTH, entries_of, path
from ecluse.kernel.errors import Refused

COSIGNED = "cosigned"  # beside `checkpoint`: the newest head that witnesses signed (engines/witnessing.py)


class LocalFiles:
    """The `JournalFiles` port on `directory`; `heads` is the second home of its heads."""

    def __init__(self, directory: Path, heads: Path | None = None) -> None:
        self._directory = directory
        self._heads = heads

    def shards(self) -> list[ShardTold]:
        """Every shard of `shards.json`, with the heads there are of it."""
        if not (self._directory / FILE).exists() and self.strays():
            raise ValueError("is not there")
        return [
            ShardTold(each.name, each.key, each.state, each.size, each.root, each.pruned, self._signed(each))
            for each in read_records(self._directory).values()
        ]

    def strays(self) -> list[str]:
        """Folders of shards, and heads in the second home, that `shards.json` does not name."""
        try:
            known = set(read_records(self._directory))
        except ValueError:
            known = set()
        here = [each.name for each in self._directory.glob("*") if each.is_dir() and re.match(SHARD, each.name)]
        there = [each.name for each in self._heads.glob("*") if re.match(SHARD, each.name)] if self._heads else []
        return sorted(set(here + there) - known)

    def files(self, shard: str) -> _ShardFiles:
        """The files of one shard."""
        return _ShardFiles(self._directory, read_records(self._directory)[shard])

    def _signed(self, record: Record) -> tuple[SignedHead, ...]:
        places = [(name, self._directory / record.name / name) for name in (CHECKPOINT, HEAD, COSIGNED)]
        if self._heads:
            places.append(("second home", self._heads / record.name))
        return tuple(SignedHead(file, place.read_text("utf-8", "replace")) for file, place in places if place.is_file())


class _ShardFiles:
    """The `Files` of one shard."""

    def __init__(self, directory: Path, record: Record) -> None:
        self._directory = directory
        self._folder = directory / record.name
        self._record = record

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def partials(self, name: str) -> list[int]:
        return sorted(int(each.name) for each in (self._folder / f"{name}.p").glob("*") if each.name.isdigit())

    def rest(self, start: int) -> Iterator[bytes]:
        if self._record.state == "frozen":
            if width := self._record.size - start:
                yield from entries_of(self._partial(start // WIDTH, width))
            return
        try:
            size = self._record.size or size_of(self._directory, self._record.name)
            yield from LocalShards(self._directory).entries(self._record.name, start, size) if size > start else ()
        except Refused as refused:
            raise ValueError(refused.detail) from None

    def segments(self) -> Iterator[tuple[int, bytes]]:
        try:
            yield from read(self._folder / WAL) if segments(self._folder / WAL) else ()
        except FileNotFoundError:  # retired meanwhile: its entries are in bundles
            return
        except Refused as refused:
            raise ValueError(refused.detail) from None

    def _partial(self, number: int, width: int) -> bytes:
        name = path(ENTRIES, number, width)
        try:
            return self.read(name)
        except FileNotFoundError:
            raise ValueError(f"{name} is not there") from None
