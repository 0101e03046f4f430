"""The lake rebuilt from the journal in another folder: to replace the old one, or to be compared with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from filecmp import cmp
from itertools import islice
from pathlib import Path

import msgspec

from ecluse.app.ports.journal import Head, Shards
from ecluse.app.ports.lake import Covered, LakeTold
from ecluse.engines.durable import sync
from ecluse.engines.lake.export import carry, covered, export, locked, read_state
from ecluse.engines.lake.layout import COVERED, ENTRIES, PERSONS, State, place
from ecluse.engines.lake.reach import reach

DIFFERENCES_MAX = 100  # told; past it the lake is another one, and its files need not be listed


class LakeFiles:
    """The lake in a folder, as whoever looks after it sees it."""

    def __init__(self, directory: Path, url: str, shards: Shards) -> None:
        self._folder = directory / place(url)[0]
        self._shards = shards

    def covered(self) -> list[Covered]:
        """How far each shard goes."""
        return covered(self._folder)

    def export(self, told: LakeTold, *, anew: bool = False) -> None:
        """Bring every shard to its head, or make it anew. Raises `lake_busy`, `journal_damaged`, `OSError`."""
        (rebuild if anew else export)(self._shards, self._folder, told)

    def reach(self, heads: Sequence[Head]) -> None:
        """Bring the lake to these heads where that is soon done. Raises `lake_differs`, `journal_damaged`."""
        reach(self._shards, self._folder, heads)

    def differences(self, told: LakeTold) -> list[str]:
        """The files that are not, byte for byte, those that the journal gives. Raises `lake_busy`, `journal_damaged`."""
        return differences(self._shards, self._folder, told)


def rebuild(shards: Shards, lake: Path, told: LakeTold) -> list[State]:
    """Make every shard anew beside the lake, then put each in the place of the old one. Raises `lake_busy`."""
    with locked(lake), _beside(lake) as fresh:
        states = []
        for head in shards.heads():
            states.append(carry(shards, head, fresh, told))
            old = fresh / f"{head.shard}.old"
            if (lake / head.shard).exists():
                (lake / head.shard).rename(old)
            (fresh / head.shard).rename(lake / head.shard)
            sync(lake)
            shutil.rmtree(old, ignore_errors=True)
        return states


def differences(shards: Shards, lake: Path, told: LakeTold) -> list[str]:
    """The files of the lake that are not, byte for byte, those that the journal gives; at most `DIFFERENCES_MAX`.

    Each shard is compared as far as its lake goes. Raises `lake_busy`, `journal_damaged`.
    """
    with locked(lake), _beside(lake) as fresh:
        heads = shards.heads()
        found = (name for head in heads for name in _differing(shards, head, lake, fresh, told))
        return list(islice(found, DIFFERENCES_MAX))


def _differing(shards: Shards, head: Head, lake: Path, fresh: Path, told: LakeTold) -> Iterator[str]:
    state = read_state(lake / head.shard)
    if state.size > head.size or state.pruned != head.pruned:
        yield f"{head.shard}/{COVERED}"
        return
    if not state.size:
        return
    at = msgspec.structs.replace(head, size=state.size, checkpoint=state.checkpoint, is_frozen=state.is_frozen)
    carry(shards, at, fresh, told)
    for name in _names(read_state(fresh / head.shard)):
        kept = lake / head.shard / name
        if not kept.is_file() or not cmp(kept, fresh / head.shard / name, shallow=False):
            yield f"{head.shard}/{name}"
    shutil.rmtree(fresh / head.shard)


def _names(state: State) -> list[str]:
    return [COVERED, *(each.range.name(kind) for each in state.files for kind in (ENTRIES, PERSONS))]


@contextmanager
def _beside(lake: Path) -> Iterator[Path]:
    """An empty folder on the lake's disk, gone at the end of the block."""
    fresh = lake.with_name(f"{lake.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh)
