"""Waiting until files and folders are on disk, and putting a file in the place of another. The journal has its own calls
(`local/disk.py`), so that a test can fail each; whoever still has a file open syncs it by its handle."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

PART = ".part"  # ends the name of a file not yet whole: never read, never copied


def sync(path: Path) -> None:
    """Return once the file's bytes, or the folder's names, are on disk. Raises `OSError` when they may not be."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """Return once everything written to the folder's file system is on disk: one call for hundreds of files.

    Python has no `syncfs`, and `os.sync` tells no error. Raises `OSError`.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if _LIBC.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed")
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes, *, mode: int = 0o666, part: Path | None = None) -> None:
    """Make the file appear, or replace it, whole and on disk when it returns; else the old one stands, or none.

    `mode` is that of the file, less the process's mask. `part` is what is written first, by one at a time; beside it unless said
    otherwise. Raises `OSError`, which names the file.
    """
    part = part or path.with_name(path.name + PART)
    part.unlink(missing_ok=True)  # left by who was killed
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
            file.write(content)  # all of it: `os.write` writes what there is room for, and tells no error
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as failed:
        part.unlink(missing_ok=True)
        failed.filename = failed.filename or str(path)
        raise
    sync(path.parent)


_LIBC = ctypes.CDLL(None, use_errno=True)
