"""Every call the journal's writer makes to the disk, in one place, so that a test can make each of them fail."""

from __future__ import annotations

import os
from pathlib import Path

from ecluse.engines.durable import PART, sync, sync_all, write_whole

FREE_BYTES_MIN = 16 << 20  # seconds of a full load: time enough to stop cleanly before the disk refuses


class Disk:
    """The real one. Everything raises `OSError`."""

    def create(self, path: Path) -> int:
        """A new file to append to; its name and those of the folders made for it are on disk."""
        self.make(path.parent)
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        sync(path.parent)
        return file

    def make(self, folder: Path) -> None:
        """Make a folder, and those above it; their names are on disk."""
        if not folder.is_dir():
            self.make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
        sync(folder.parent)

    def settle(self, path: Path) -> None:
        """What a file was found to hold is on disk when it returns: a killed process may have written it and not synced."""
        sync(path)

    def append(self, file: int, content: bytes) -> None:
        """Write at the end of the file, wholly, and return once it is on disk."""
        if os.write(file, content) != len(content):
            raise OSError("short write")
        self.sync(file)

    def sync(self, file: int) -> None:
        """What was appended to the file is on disk when it returns."""
        os.fdatasync(file)

    def overwrite(self, file: int, content: bytes) -> None:
        """Replace the content of a file that never shrinks and fits in a sector: the old or the new bytes, not yet on disk."""
        if os.pwrite(file, content, 0) != len(content):
            raise OSError("short write")

    def place(self, path: Path, content: bytes) -> None:
        """Make the file appear, or replace it, whole. It is on disk after `sync_all`."""
        part = path.with_name(path.name + PART)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)

    def place_durably(self, path: Path, content: bytes) -> None:
        """The same, on disk when it returns."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, content)

    def remove(self, path: Path) -> None:
        """Remove a file; on disk when it returns, so that of several the first is gone first."""
        path.unlink()
        sync(path.parent)

    def sync_all(self, folder: Path) -> None:
        """Everything placed under the folder is on disk when it returns."""
        sync_all(folder)

    def has_room(self, file: int) -> bool:
        """Whether the next batch can be expected to reach the disk: room, not read-only, the file still there."""
        disk = os.fstatvfs(file)
        removed = os.fstat(file).st_nlink == 0
        return not removed and not disk.f_flag & os.ST_RDONLY and disk.f_bavail * disk.f_frsize >= FREE_BYTES_MIN
