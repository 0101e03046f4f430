"""What a journal was seen to promise: entries acknowledged at their places, heads signed; and whether all of it still holds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from ecluse.app.ports import Mark
from ecluse.engines.local import LocalShards
from ecluse.engines.local.registry import read_records
from ecluse.journal.checkpoint import opened
from ecluse.journal.merkle import Edge, leaf_hash
from tests.journal import ORIGIN, SIGNER

HEADS = ("*/head", "*/checkpoint")


@dataclass
class Promises:
    """Entries by shard and index; roots by shard and size, of every head that was ever read."""

    entries: dict[str, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    heads: dict[str, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))

    def acknowledged(self, mark: Mark, batch: list[bytes]) -> None:
        """`append` returned this mark for the batch."""
        start = mark.position - len(batch)
        for index, entry in enumerate(batch, start):
            assert self.entries[mark.slot].setdefault(index, entry) == entry, "two entries have one place"

    def saw(self, note: str) -> None:
        """A head that was read; two of one size are the same."""
        shard = note.partition("\n")[0].removeprefix(f"{ORIGIN}/")
        head = opened(note, SIGNER.key(shard))
        assert self.heads[shard].setdefault(head.size, head.root) == head.root, f"{shard} has two heads of {head.size}"

    def look(self, journal: Path, heads: Path | None = None) -> None:
        """Every head there is, of a journal nobody writes to."""
        found = [file for pattern in HEADS for file in journal.glob(pattern)]
        for file in found + (list(heads.iterdir()) if heads and heads.is_dir() else []):
            if file.suffix == "" and (
                note := file.read_text()
            ):  # empty: a kill fell between making it and its first head
                self.saw(note)

    def hold(self, journal: Path) -> None:
        """Each entry is where it was acknowledged, and every head ever seen is one of a beginning of what there is."""
        shards, records = LocalShards(journal), read_records(journal)
        assert set(self.entries) | set(self.heads) <= set(records), "a shard is gone"
        sizes = {head.shard: head.size for head in shards.heads()}
        for shard in records:
            edge, wanted, heads = Edge(), self.entries[shard], self.heads[shard]
            for index, entry in enumerate(shards.entries(shard, 0, sizes.get(shard, 0))):
                assert index not in heads or heads[index] == edge.root(), f"{shard} is not what was signed at {index}"
                assert wanted.get(index, entry) == entry, f"{shard} has another entry {index}"
                edge.append(leaf_hash(entry))
            assert heads.get(edge.size) in (None, edge.root()), f"{shard} is not what was signed at {edge.size}"
            assert max(wanted, default=-1) < edge.size, f"{shard} lost entries after {edge.size}"
            assert max(heads, default=0) <= edge.size, f"{shard} is shorter than a head, with {edge.size}"
