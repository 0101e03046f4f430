"""Shards that are over: entries no longer kept are removed, and a shard whose end was lost is given up, under its slot's lock.

Of a pruned shard the hashes stay: its root, and proofs that logs continue, are as they were. Of an abandoned shard nothing is
changed at all: it is evidence.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from ecluse.app.ports.journal import Loss, ShardState
from ecluse.engines.local.disk import Disk
from ecluse.engines.local.heads import Heads
from ecluse.engines.local.reading import surviving
from ecluse.engines.local.refusals import JOURNAL_WRITTEN, LOSS_REFUSED
from ecluse.engines.local.registry import SHARD, Record, Signer, change, held, read_records
from ecluse.engines.local.shard import CHECKPOINT, HEAD, WAL
from ecluse.journal.checkpoint import Checkpoint, opened
from ecluse.journal.entry import decode
from ecluse.journal.merkle import Edge, leaf_hash
from ecluse.journal.tiles import ENTRIES
from ecluse.kernel.errors import Refused


class LocalArchive:
    """The `Archive` port on `directory`; `heads` is the second home of its heads."""

    def __init__(self, directory: Path, signer: Signer, heads: Path | None = None) -> None:
        self._directory = directory
        self._signer = signer
        self._heads = Heads(heads, signer)
        self._disk = Disk()

    def shards(self) -> list[ShardState]:
        """Every shard, by name."""
        return [
            ShardState(each.name, each.month, each.state, each.size, each.root, each.pruned, self._has_entries(each))
            for each in read_records(self._directory).values()
        ]

    def prune(self, shard: str) -> None:
        """Remove a frozen shard's entries; its hashes stay. Killed, it is called again. Raises `OSError`."""
        record = read_records(self._directory)[shard]
        assert record.state == "frozen"
        change(self._directory, self._disk, replace(record, pruned=record.size))  # first: who reads is told why
        folder = self._directory / shard
        for entries in (folder / "tile" / ENTRIES, folder / WAL):
            if entries.exists():
                shutil.rmtree(entries)
        self._disk.sync_all(folder)

    def abandon(self, shard: str, reason: str, known: int) -> Loss:
        """Give up a shard that lost entries: `known` is how far a database knows it. One given up before is only told again.

        Raises `journal_written`, `loss_refused`, `journal_damaged`, `OSError`.
        """
        if not SHARD.match(shard):
            raise LOSS_REFUSED(f"{shard[:40]!r} is no shard's name")
        with held(self._directory, int(shard.rpartition("-w")[2])) as is_ours:
            if not is_ours:
                raise JOURNAL_WRITTEN(f"the slot of {shard}")
            record = read_records(self._directory).get(shard) or Record(shard, self._signer.key(shard).text)
            if record.state != "abandoned":
                record = self._examined(record, reason, known)
                change(self._directory, self._disk, record)
        last = deque(self._kept(record), maxlen=1)
        return Loss(shard, record.size, record.lost, last[0][1] if last else 0, record.reason)

    def _examined(self, record: Record, reason: str, known: int) -> Record:
        """What is left of a shard, against every head there is of it."""
        if record.pruned:
            raise LOSS_REFUSED(f"the entries of {record.name} were pruned: restore its hashes from a copy")
        claims = self._claims(record.name)
        sizes, roots, edge = {each.size for each in claims}, {}, Edge()
        for leaf, _ in self._kept(record):
            if edge.size in sizes:
                roots[edge.size] = edge.root()
            edge.append(leaf)
        roots[edge.size] = edge.root()
        lost = max([known, record.size, *sizes]) - edge.size
        others = [each for each in claims if each.size <= edge.size and roots[each.size] != each.root]
        if lost <= 0 and not others:
            raise LOSS_REFUSED(f"{record.name} has all {edge.size} entries that were ever signed for")
        if others:
            sure = max((each.size for each in claims if roots.get(each.size) == each.root), default=0)
            reason += f"; it has other entries than were signed: {edge.size - sure} after {sure} cannot be vouched for"
        return replace(
            record, state="abandoned", size=edge.size, root=edge.root().hex(), lost=max(0, lost), reason=reason
        )

    def _claims(self, shard: str) -> list[Checkpoint]:
        """Every head there is of it that reads."""
        claims = []
        with suppress(Refused):
            claims += self._heads.of(shard)
        for name in (HEAD, CHECKPOINT):
            with suppress(OSError, ValueError):
                claims.append(opened((self._directory / shard / name).read_text(), self._signer.key(shard)))
        return claims

    def _kept(self, record: Record) -> Iterator[tuple[bytes, int]]:
        """The leaf hash and the time of each entry that is there."""
        with suppress(Refused):  # damaged: what follows is not there
            for entry in surviving(self._directory, record):
                try:
                    ts_us = decode(entry).ts_us
                except ValueError:
                    return
                yield leaf_hash(entry), ts_us

    def _has_entries(self, record: Record) -> bool:
        return (self._directory / record.name / "tile" / ENTRIES).exists()
