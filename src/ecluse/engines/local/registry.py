"""Which shards there are: `journal/shards.json`, changed under a lock, by rename.

A shard is the log of one writer's slot in one month (UTC): `2026-11-w0`. It is *open* until its month is over and no writer
holds it, then *frozen*: static files. One whose end was lost is *abandoned*: what is left stays,
nothing is written there any more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ecluse.engines.local.disk import Disk
from ecluse.engines.turn import in_turn, taken
from ecluse.journal.note import ED25519, Key, read_key
from ecluse.kernel.patterns import END

SLOTS_MAX = 64  # writers of one hub at a time; more is a mistake in starting it
FILE = "shards.json"
SHARD = re.compile(rf"^\d{{4}}-\d{{2}}-w\d{{1,2}}{END}")


@dataclass(frozen=True)
class Signer:
    """What signs heads: the origin all shards' origins begin with, and an Ed25519 key, asked for when it is first needed."""

    origin: str
    public: Callable[[], bytes]
    sign: Callable[[bytes], bytes]

    def key(self, shard: str) -> Key:
        """The key of one shard, named by its origin."""
        return Key(f"{self.origin}/{shard}", ED25519, self._public)

    @cached_property
    def _public(self) -> bytes:
        return self.public()


class Record(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One shard. `size` and `root` (hexadecimal) are final, of one that is not open; entries below `pruned` are gone."""

    name: Annotated[str, Meta(pattern=SHARD.pattern)]
    key: str
    state: Literal["open", "frozen", "abandoned"] = "open"
    size: int = 0
    root: str = ""
    pruned: int = 0
    lost: int = 0  # entries that were signed once and that the shard no longer has
    reason: str = ""

    @property
    def origin(self) -> str:
        """The journal's name when this shard was begun, as `hub.example.org/journal`. Raises `ValueError` when `key` is none."""
        return read_key(self.key).name.removesuffix(f"/{self.name}")

    @property
    def month(self) -> str:
        """Its month, as `2026-11`."""
        return self.name.rpartition("-")[0]

    @property
    def slot(self) -> int:
        """The number of its writer's slot."""
        return int(self.name.rpartition("-w")[2])


Records = dict[str, Record]


def name_of(month: str, slot: int) -> str:
    """The name of a slot's shard in a month."""
    return f"{month}-w{slot}"


def read_records(directory: Path) -> Records:
    """The shards, by name; none of a journal not yet begun. Raises `ValueError` when the file is not what it should be."""
    try:
        content = (directory / FILE).read_bytes()
    except FileNotFoundError:
        return {}
    return {each.name: each for each in msgspec.json.decode(content, type=list[Record])}


def strays(directory: Path) -> list[str]:
    """Shards that the list does not name: it is older than they are. Raises `ValueError` as `read_records`."""
    found = [each.name for each in directory.iterdir() if SHARD.match(each.name)] if directory.is_dir() else []
    records = read_records(directory)  # after the folders: a shard is in the list before it has one
    return sorted(name for name in found if name not in records)


def change(directory: Path, disk: Disk, record: Record) -> None:
    """Add or replace one shard's record; on disk when it returns."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with in_turn(directory / "shards.lock"):
        records = read_records(directory) | {record.name: record}
        ordered = [records[name] for name in sorted(records)]
        disk.place_durably(directory / FILE, msgspec.json.format(msgspec.json.encode(ordered)) + b"\n")


def try_slot(directory: Path, number: int) -> int | None:
    """The lock of a slot, as a descriptor to close; None when another process holds it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return taken(directory / f"w{number}.lock")


@contextmanager
def held(directory: Path, number: int) -> Iterator[bool]:
    """Whether the slot was free; it is held until the end of the block."""
    lock = try_slot(directory, number)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)
