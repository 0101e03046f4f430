"""The journal's public files on a local disk, and beside each `checkpoint` the newest head that witnesses signed: `cosigned`.

`checkpoint` is replaced every second by whoever writes the shard, so cosignatures have a file of their own; whoever reads the
checkpoint gets those of the same head with it.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ecluse.app.ports.published import PublicShard, WitnessSaid
from ecluse.engines.journal_files import COSIGNED
from ecluse.engines.local.disk import Disk
from ecluse.engines.local.registry import read_records
from ecluse.engines.local.shard import CHECKPOINT
from ecluse.engines.turn import taken
from ecluse.journal.merkle import HASH_BYTES
from ecluse.journal.note import Note, read_note

SAID, TURN = "witnesses.json", "witnesses.lock"


class LocalPublished:
    """The `Published` port on `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._disk = Disk()
        self._turn = -1

    def shards(self) -> list[PublicShard]:
        """Every shard, by name. Raises `ValueError` when `shards.json` does not read."""
        return [
            PublicShard(each.name, each.key, each.state, each.size, each.root, each.pruned)
            for each in read_records(self._directory).values()
        ]

    def checkpoint(self, shard: str) -> str | None:
        """The published head, with the cosignatures of the same one."""
        found, cosigned = self._text(shard, CHECKPOINT), self.cosigned(shard)
        if found is None or cosigned is None:
            return found
        head, seen = read_note(found), read_note(cosigned)
        if head.text != seen.text:
            return found
        return Note(
            head.text, head.signatures + tuple(each for each in seen.signatures if each not in head.signatures)
        ).content

    def tile(self, shard: str, name: str) -> bytes | None:
        """A tile; of a partial one that became full and was removed, the beginning of the full one."""
        full, partial, width = name.partition(".p/")
        for each in (name, full) if partial else (name,):
            try:
                content = (self._directory / shard / each).read_bytes()
                return content[: int(width) * HASH_BYTES] if partial else content
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                continue
        return None

    def cosigned(self, shard: str) -> str | None:
        """The newest head a witness signed."""
        return self._text(shard, COSIGNED)

    def keep_cosigned(self, shard: str, note: str) -> None:
        """Keep it. Raises `OSError`."""
        self._disk.place_durably(self._directory / shard / COSIGNED, note.encode())

    def said(self) -> list[WitnessSaid]:
        """What each witness last answered; nothing where nobody was asked."""
        try:
            return msgspec.json.decode((self._directory / SAID).read_bytes(), type=list[WitnessSaid])
        except (FileNotFoundError, msgspec.MsgspecError):
            return []

    def keep_said(self, said: list[WitnessSaid]) -> None:
        """Remember it. Raises `OSError`."""
        self._disk.place(self._directory / SAID, msgspec.json.format(msgspec.json.encode(said)) + b"\n")

    def take_turn(self) -> bool:
        """Whether this process asks the witnesses: the first one to want to, until it ends."""
        if self._turn >= 0:
            return True
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = taken(self._directory / TURN)
        if lock is not None:
            self._turn = lock
        return lock is not None

    def close(self) -> None:
        """Give the turn up."""
        if self._turn >= 0:
            os.close(self._turn)
            self._turn = -1

    def _text(self, shard: str, name: str) -> str | None:
        try:
            return (self._directory / shard / name).read_text()
        except FileNotFoundError:
            return None
