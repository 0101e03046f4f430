"""The local journal, to prove things of: entries from its shards, hashes from the tiles published of them."""

from __future__ import annotations

import time
from pathlib import Path

from ecluse.engines.local.reading import LocalShards
from ecluse.engines.published import LocalPublished
from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.merkle import Hashes
from ecluse.journal.note import read_note
from ecluse.journal.tiles import hashes_of
from ecluse.kernel.errors import refusal

PUBLISHED_S = 5.0  # a hub publishes every second
POLL_S = 0.1

JOURNAL_UNPUBLISHED = refusal(
    "journal_unpublished",
    409,
    "Entries of the journal are not published yet",
    fix="Start the hub: it publishes what a killed process left; then ask again.",
)


class LocalProvable(LocalShards):
    """The `Provable` port on `directory`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._published = LocalPublished(directory)

    def note(self, shard: str) -> str:
        """A published head that covers every entry there was when it was asked for. Raises `journal_unpublished`."""
        size = next(each.size for each in self.heads() if each.shard == shard)
        deadline_s = time.monotonic() + PUBLISHED_S
        while time.monotonic() < deadline_s:
            note = self._published.checkpoint(shard)
            if note and read_checkpoint(read_note(note).text).size >= size:
                return note
            time.sleep(POLL_S)
        raise JOURNAL_UNPUBLISHED(f"{shard}, up to {size}")

    def cosigned(self, shard: str) -> str:
        """The newest head witnesses signed, or the published one."""
        return self._published.cosigned(shard) or self.note(shard)

    def hashes(self, shard: str, size: int) -> Hashes:
        """The hashes of the shard's tree of that size."""

        def read(name: str) -> bytes:
            if (content := self._published.tile(shard, name)) is None:
                raise ValueError(f"{shard}/{name} is not there")
            return content

        return hashes_of(read, size)
