"""One shard being written: bytes durable, then integrated in the tree, then a head signed for it; tiles a moment later.

`append` is the hot path: one write, one sync, the leaves' hashes, one signature kept in `head`. `publish`, in a thread of its
own, writes the tiles, the bundles and the `checkpoint` others read, and removes the segments whose entries are all in full
bundles. A process killed anywhere finds everything again in the segments: no head was signed for what they do not hold.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from threading import Lock

from ecluse.engines.local.disk import Disk
from ecluse.engines.local.refusals import JOURNAL_DAMAGED, JOURNAL_FORKED
from ecluse.engines.local.wal import Wal, first_index, read, segments
from ecluse.journal.checkpoint import Checkpoint, opened, signed
from ecluse.journal.merkle import leaf_hash
from ecluse.journal.note import Key
from ecluse.journal.tiles import ENTRIES, WIDTH, Growing, bundle, entries_of, path, root_of

HEAD = "head"
CHECKPOINT = "checkpoint"
WAL = "wal"


class Shard:
    """The log in `folder`, begun if it is not there. Not to be appended to by two threads at once."""

    def __init__(
        self, folder: Path, key: Key, sign: Callable[[bytes], bytes], disk: Disk, claims: Sequence[Checkpoint] = ()
    ) -> None:
        """Open it, and refuse it when it does not begin with every head in `claims`, or with those it has itself.

        Raises `journal_forked`, `journal_damaged`, `OSError`.
        """
        self.folder = folder
        self.name = folder.name
        self._key = key
        self._sign = sign
        self._disk = disk
        self._lock = Lock()  # between `append` and `publish`
        self._growing = Growing()
        self._bundle: list[bytes] = []
        self._full: list[tuple[str, bytes]] = []
        self._wal = Wal(folder / WAL, disk)
        own = [claim for name in (HEAD, CHECKPOINT) if (claim := self._own(name))]
        if segments(folder / WAL):
            self._recover([*claims, *own])
        elif claims or own or (folder / "tile").exists():
            raise JOURNAL_DAMAGED(f"{self.name}/{WAL} is not there")
        else:
            self._wal.start(0)
        self._head = os.open(folder / HEAD, os.O_CREAT | os.O_WRONLY, 0o600)
        self._note = ""
        self._published = -1
        self._put_head()

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self._growing.edge.size

    @property
    def root(self) -> bytes:
        """The root of its tree."""
        return self._growing.edge.root()

    @property
    def note(self) -> str:
        """Its newest head, signed."""
        return self._note

    def append(self, entries: Sequence[bytes]) -> None:
        """Write the batch; durable, integrated and signed for when it returns. Raises `OSError`, what `sign` raises."""
        if self._wal.is_full:
            self._wal.start(self.size)
        self._wal.append(entries)
        with self._lock:  # the head within: what is published is of one size
            for entry in entries:
                self._integrate(entry)
            self._put_head()

    def publish(self) -> str | None:
        """Write what others read of the newest head; that head, or None when it was published already. Raises `OSError`."""
        with self._lock:
            note, size = self._note, self.size
            self._full += self._growing.take_full()
            full = list(self._full)
            partials = self._growing.partials()
            if self._bundle:
                partials.append((path(ENTRIES, size // WIDTH, len(self._bundle)), bundle(self._bundle)))
        if size == self._published:
            return None
        for name, content in full + partials:
            self._disk.place(self.folder / name, content)
        self._disk.place(self.folder / CHECKPOINT, note.encode())
        self._published = size
        with self._lock:
            del self._full[: len(full)]  # not before: what the disk refused is tried again
        for name, _ in full:
            shutil.rmtree(self.folder / (name + ".p"), ignore_errors=True)
        self._retire(size - size % WIDTH)
        return note

    def freeze(self) -> None:
        """Publish it: tiles and bundles hold everything, on disk, and it is not written again. Raises `OSError`."""
        self.publish()
        self._disk.sync_all(self.folder)
        self.close()

    def has_room(self) -> bool:
        """Whether the next batch can be expected to reach the disk."""
        return self._disk.has_room(self._wal.file)

    def close(self) -> None:
        """Close its files."""
        self._wal.close()
        if self._head >= 0:
            os.close(self._head)
            self._head = -1

    def _integrate(self, entry: bytes) -> None:
        self._growing.append(leaf_hash(entry))
        self._bundle.append(entry)
        if len(self._bundle) == WIDTH:
            self._full.append((path(ENTRIES, self.size // WIDTH - 1), bundle(self._bundle)))
            self._bundle = []

    def _put_head(self) -> None:
        note = signed(Checkpoint(self._key.name, self.size, self.root), self._key, self._sign).content
        self._disk.overwrite(self._head, note.encode())
        self._note = note  # last: nothing is published that is not signed and kept

    def _retire(self, index: int) -> None:
        """Remove segments whose entries are all below `index`, once the bundles that have them are on disk."""
        found = segments(self.folder / WAL)
        if len(found) > 1 and first_index(found[1]) <= index:
            self._disk.sync_all(self.folder)
            self._wal.retire(index)

    def _own(self, name: str) -> Checkpoint | None:
        """A head this shard keeps itself: made again from the entries when it does not read."""
        try:
            return opened((self.folder / name).read_text(), self._key)
        except FileNotFoundError:
            return None
        except ValueError as broken:
            warnings.warn(f"journal {self.name}/{name}: {broken}; it is written anew", stacklevel=2)
            return None

    def _recover(self, claims: Sequence[Checkpoint]) -> None:
        start = first_index(segments(self.folder / WAL)[0])
        whole = start - start % WIDTH  # full bundles up to the first segment are on disk: else it would still be there
        roots: dict[int, bytes] = {}
        sizes = {claim.size for claim in claims}
        try:
            self._growing = Growing(self._read, whole)
            before = list(entries_of(self._read(path(ENTRIES, whole // WIDTH)))) if start > whole else []
            roots[whole] = self.root
            for entry in chain(before[: start - whole], (entry for _, entry in read(self.folder / WAL))):
                self._integrate(entry)
                if self.size in sizes:
                    roots[self.size] = self.root
            for claim in claims:
                self._compare(claim, roots)
            self._wal.resume()  # moves a torn end aside: not before it is known that no head was signed for it
        except (OSError, ValueError) as broken:
            raise JOURNAL_DAMAGED(f"{self.name}: {broken}") from None

    def _compare(self, claim: Checkpoint, roots: dict[int, bytes]) -> None:
        if claim.size > self.size:
            raise JOURNAL_FORKED(f"{self.name} has {self.size} entries, a head was signed for {claim.size}")
        if (roots.get(claim.size) or root_of(self._read, claim.size)) != claim.root:
            raise JOURNAL_FORKED(f"{self.name} has other entries than those a head was signed for, before {claim.size}")

    def _read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()
