"""Files out, in a folder: each appears whole or not at all, and is on disk before anyone can see it.

A batch is written under temporary names, made durable in one go, then renamed in the order given: what must come last
(the files a bank channel picks up) is put last.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ecluse.engines.durable import PART, sync, sync_all
from ecluse.engines.turn import alone
from ecluse.kernel.errors import refusal

BATCH_MAX = 5_000  # files made durable together: bounds what a failure leaves behind under temporary names
BLOCK_BYTES = 1 << 18  # what is read of a large file at a time
_TURN = ".turn"  # held by the process that writes; the kernel lets go of it when that one dies

PAYMENTS_BUSY = refusal(
    "payments_busy",
    409,
    "Another command is writing payment files here",
    fix="Nothing was done. Wait until it ends, then call again.",
)


class Folder:
    """The `Post` port over a local folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the one that writes: two would take each other's temporary files. Raises `payments_busy`, at once."""
        self._root.mkdir(parents=True, exist_ok=True)
        with alone(self._root / _TURN, PAYMENTS_BUSY(str(self._root)), mode=0o666):
            yield

    def put(self, name: str, content: bytes) -> None:
        """Write one file; durable and visible on return. `name` is relative to the folder."""
        self.put_all([(name, content)])

    def put_all(self, contents: Iterable[tuple[str, bytes]]) -> int:
        """Write many files, in batches; returns how many. The same name again replaces the file in one step."""
        written, batch = 0, list[Path]()
        for name, content in contents:
            batch.append(self._write(name, content))
            if len(batch) == BATCH_MAX:
                written, batch = written + self._publish(batch), []
        return written + self._publish(batch)

    def stage(self, contents: Iterable[tuple[str, bytes]]) -> Callable[[], None]:
        """Write files, all durable on return and none visible; what makes them so, in the order given."""
        batch = [self._write(name, content) for name, content in contents]
        _make_durable(batch)
        return lambda: _show(batch)

    def has(self, name: str) -> bool:
        """Whether the file is there, whole."""
        return self._path(name).is_file()

    def read(self, name: str) -> bytes:
        """A file that was written. Raises `FileNotFoundError`, which has the name."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as absent:
            absent.filename = name
            raise

    def blocks(self, name: str) -> Iterator[bytes]:
        """The same, some of it at a time, as it was when it was asked for: opened here, and read where it is taken."""
        return _blocks(self._path(name).open("rb"))

    def names(self, folder: str) -> list[str]:
        """The names of the whole files under a folder, however deep, as they were put."""
        found = list[str]()
        for place, _, names in os.walk(self._path(folder)):
            within = Path(place).relative_to(self._root).as_posix()
            found += [f"{within}/{name}" for name in names if not name.endswith(PART)]
        return found

    def place(self, name: str) -> str:
        """Where the file is, for people."""
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        assert not {"", ".."} & set(name.split("/")), "a file goes nowhere but in its folder"
        return self._root / name

    def _write(self, name: str, content: bytes) -> Path:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + PART)
        unfinished.write_bytes(content)
        return unfinished

    def _publish(self, batch: list[Path]) -> int:
        _make_durable(batch)
        _show(batch)
        return len(batch)


def _show(batch: list[Path]) -> None:
    for unfinished in batch:
        unfinished.replace(unfinished.with_name(unfinished.name.removesuffix(PART)))
    for folder in {unfinished.parent for unfinished in batch}:
        sync(folder)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK_BYTES):
            yield block


def _make_durable(batch: list[Path]) -> None:
    if len(batch) > 64:  # one sync of the whole disk costs less than that many files one by one
        for folder in {each.parent.stat().st_dev: each.parent for each in batch}.values():
            sync_all(folder)
        return
    for unfinished in batch:
        sync(unfinished)
