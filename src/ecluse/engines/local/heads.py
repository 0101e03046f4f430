"""The second home of every shard's last head: a folder elsewhere, best on another disk, that says when the journal went back.

A log that is smaller than its head here, or different, or gone, was restored from an old copy or tampered with: nothing is
written.
"""

from __future__ import annotations

from pathlib import Path

from ecluse.engines.local.disk import Disk
from ecluse.engines.local.reading import root_in, size_of
from ecluse.engines.local.refusals import JOURNAL_DAMAGED, JOURNAL_FORKED, JOURNAL_ORIGIN_CHANGED
from ecluse.engines.local.registry import Signer, read_records
from ecluse.journal.checkpoint import Checkpoint, opened
from ecluse.journal.note import Key, read_note


class Heads:
    """Heads by shard in `folder`; nowhere, when there is none."""

    def __init__(self, folder: Path | None, signer: Signer) -> None:
        self._folder = folder
        self._signer = signer
        self._disk = Disk()  # not that of the journal: one may fail while the other goes on

    def put(self, shard: str, note: str) -> None:
        """Keep a shard's newest head; on disk when it returns. Raises `OSError`."""
        if self._folder:
            self._disk.place_durably(self._folder / shard, note.encode())

    def of(self, shard: str) -> list[Checkpoint]:
        """The head kept of a shard, if there is one.

        Raises `journal_origin_changed` when this hub signed it under another name, `journal_damaged` when it does not read.
        """
        if not self._folder or not (self._folder / shard).is_file():
            return []
        note, key = (self._folder / shard).read_text(), self._signer.key(shard)
        try:
            return [opened(note, key)]
        except ValueError as broken:
            if named := _origin(note, shard, key):
                told = f"{self._folder / shard} is signed as {named}, journal.origin is {self._signer.origin}"
                raise JOURNAL_ORIGIN_CHANGED(told) from None
            raise JOURNAL_DAMAGED(f"the head of {shard} in {self._folder}: {broken}") from None

    def check(self, directory: Path) -> None:
        """Refuse a journal that lacks a shard, or has a shorter or another one than is known here.

        Shards being written are only looked at for their size: who opens them compares them wholly. Raises `journal_forked`.
        """
        for kept in sorted(self._folder.iterdir()) if self._folder and self._folder.is_dir() else ():
            for claim in self.of(kept.name) if kept.suffix == "" else ():
                record = read_records(directory).get(kept.name)  # after the claim: others begin shards meanwhile
                if record is None:
                    raise JOURNAL_FORKED(f"{kept.name} is not there, a head was signed for {claim.size} of its entries")
                if record.state == "abandoned":
                    continue
                size = size_of(directory, kept.name)
                if size < claim.size:
                    raise JOURNAL_FORKED(f"{kept.name} has {size} entries, a head was signed for {claim.size}")
                if record.state == "frozen" and root_in(directory, record, claim.size) != claim.root:
                    raise JOURNAL_FORKED(f"{kept.name} has other entries than those a head was signed for")


def _origin(note: str, shard: str, key: Key) -> str:
    """The journal's other name under which this very key signed a head of the shard; empty when it did not."""
    try:
        named = read_note(note).text.partition("\n")[0]
        opened(note, Key(named, key.kind, key.public))
    except ValueError:
        return ""
    return named.removesuffix(f"/{shard}") if named.endswith(f"/{shard}") else ""
