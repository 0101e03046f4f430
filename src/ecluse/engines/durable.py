"""Waiting until files and folders are on disk. The journal has its own calls (`local/disk.py`), so that a test can fail each;
whoever still has a file open syncs it by its handle."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path


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


_LIBC = ctypes.CDLL(None, use_errno=True)
