"""A received file on disk, sealed: what arrives over HTTP waits here without one readable byte.

Layout: records of `CHUNK` plain bytes (the last one shorter), each sealed under the hub's key and bound to the feed and
its number, so that records cannot be swapped; the last one says that it is, so that a file which lost its end is no shorter
file. The file bears its final name only once it is whole and on disk. Reading is random access, a few chunks kept open. Beside
it, a byte for each load that began: what breaks or kills whoever loads it is counted where no restart forgets it.
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ecluse.app.ports import HUB, Keys
from ecluse.engines.durable import sync
from ecluse.engines.keys.ring import SEAL_BROKEN
from ecluse.engines.room import leaves_room
from ecluse.kernel.errors import Refused, refusal

CHUNK = 1 << 20  # one AES-GCM call of 1 MiB costs half a millisecond: the loop that spools is not held up
OVERHEAD = 29  # key version, nonce and tag: the form of `Keys.seal`
LOOKED_CHUNKS = 64  # between two looks at the room left
OPEN_CHUNKS = 8  # readers go forward, a Parquet reader on a few columns at a time

SPOOL_BROKEN = refusal(
    "spool_broken",
    422,  # of a file, said beside it: nobody waits for this answer
    "The received file is no longer whole",
    fix="Send the file again, with another Idempotency-Key; tell the operator of the hub.",
)
SPOOL_FULL = refusal(
    "spool_full",
    507,
    "There is no room left for received files",
    fix="Tell the operator of the hub, whose disk is nearly full; then send the file again.",
)


class Spool:
    """The folder of received files of one hub."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder = folder
        self._keys = keys

    def write(self, feed: str) -> SpoolWriter:
        """A new file; a context manager that leaves nothing behind unless `keep` was called."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return SpoolWriter(self._path(feed), self._keys, feed)

    def read(self, feed: str, failed: Callable[[Exception], None] = lambda _: None) -> SpoolReader:
        """The plain bytes of a kept file; `failed` hears why a `read` of it raised, for readers that hide it.

        Raises `FileNotFoundError` when there is none.
        """
        return SpoolReader(self._path(feed), self._keys, feed, failed)

    def holds(self, feed: str) -> bool:
        """Whether the file is there."""
        return self._path(feed).exists()

    def begin(self, feed: str) -> int:
        """Note that a load of the file begins; how many began and came to no end, with this one. A kill leaves the note."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # a restored hub may have lost it, and the file too
        with self._begun(feed).open("ab") as notes:
            notes.write(b".")
            return notes.tell()

    def begun(self, feed: str) -> int:
        """How many loads of the file began and came to no end."""
        notes = self._begun(feed)
        return notes.stat().st_size if notes.exists() else 0

    def end(self, feed: str) -> None:
        """A load of the file came to an end, whichever: those before it are forgiven."""
        self._begun(feed).unlink(missing_ok=True)

    def remove(self, feed: str) -> None:
        """Forget the file; nothing happens when there is none."""
        self._path(feed).unlink(missing_ok=True)
        self.end(feed)

    def sweep(self, keep: Collection[str], before_ts: float) -> None:
        """Remove files last written before `before_ts` that are not of the feeds to `keep`: a stop left them behind."""
        for left in self._folder.glob("*"):
            if left.stem not in keep and left.stat().st_mtime < before_ts:
                left.unlink(missing_ok=True)

    def _path(self, feed: str) -> Path:
        return self._folder / f"{feed}.sealed"

    def _begun(self, feed: str) -> Path:
        return self._folder / f"{feed}.begun"


def loads_begun(folder: Path) -> dict[str, int]:
    """Loads of received files that began and came to no end, or are going on: how many of each file."""
    found = {}
    for notes in folder.glob("*.begun"):
        with suppress(FileNotFoundError):  # it came to its end meanwhile
            found[notes.stem] = notes.stat().st_size
    return found


class SpoolWriter:
    """Writes one file. `write` any number of times, then `keep`."""

    def __init__(self, path: Path, keys: Keys, feed: str) -> None:
        self._path, self._keys, self._feed = path, keys, feed
        self._part = path.with_suffix(".part")
        self._file = self._part.open("xb")
        self._waiting = bytearray()
        self._number = 0

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises `spool_full`."""
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]))
            del self._waiting[:CHUNK]

    def keep(self) -> None:
        """The file is whole, and not empty: on return it is durable under its name."""
        self._seal(bytes(self._waiting), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.rename(self._path)
        sync(self._path.parent)

    def _seal(self, plain: bytes, *, last: bool = False) -> None:
        if self._number % LOOKED_CHUNKS == 0 and not leaves_room(self._part.parent):
            raise SPOOL_FULL()
        self._file.write(self._keys.seal(HUB, plain, _about(self._feed, self._number, last)))
        self._number += 1


class SpoolReader(io.RawIOBase):
    """The plain bytes, by position. Raises `spool_broken` where they are not what was kept.

    For one thread at a time: a position that another thread moves between `seek` and `read` gives the wrong bytes.
    """

    def __init__(self, path: Path, keys: Keys, feed: str, failed: Callable[[Exception], None]) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._keys, self._feed, self._failed = keys, feed, failed
        sealed = path.stat().st_size
        self._count = -(-sealed // (CHUNK + OVERHEAD))
        self.size = sealed - OVERHEAD * self._count
        if self.size <= 0:
            self._file.close()
            raise SPOOL_BROKEN("nothing is there")
        self._at = 0
        self._open: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position, in plain bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as for any file."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]  # as read() needs it
        """Fill `into` with what follows, as far as one chunk goes."""
        view = memoryview(into).cast("B")
        if self._at >= self.size:
            return 0
        number, start = divmod(self._at, CHUNK)
        piece = self._chunk(number)[start : start + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, all of them unless the file ends: some readers take a short answer for the end."""
        wanted = max(0, min(self.size - self._at, size if size >= 0 else self.size))
        data = bytearray(wanted)
        try:
            self._fill(memoryview(data))
        except (Refused, OSError, MemoryError) as wrong:  # a seal or a key, the disk, the loader's own limit
            self._failed(wrong)
            raise
        return bytes(data)

    def close(self) -> None:
        """Close the file and forget what was opened."""
        self._open.clear()
        self._file.close()
        super().close()

    def _fill(self, view: memoryview) -> None:
        while view:
            got = self.readinto(view)
            if not got:
                raise SPOOL_BROKEN(f"it ends {len(view)} bytes early")
            view = view[got:]

    def _chunk(self, number: int) -> bytes:
        if number not in self._open:
            self._file.seek(number * (CHUNK + OVERHEAD))
            sealed = self._file.read(CHUNK + OVERHEAD)
            try:
                self._open[number] = self._keys.open(HUB, sealed, _about(self._feed, number, number == self._count - 1))
            except Refused as closed:
                raise SPOOL_BROKEN(f"at chunk {number}") if closed.refusal is SEAL_BROKEN else closed from None
            if len(self._open) > OPEN_CHUNKS:
                self._open.popitem(last=False)
        self._open.move_to_end(number)
        return self._open[number]


def _about(feed: str, number: int, last: bool) -> bytes:
    return f"spool|{feed}|{number}{'|last' if last else ''}".encode()
