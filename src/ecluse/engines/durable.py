"""What is on disk and what is only about to be: the one way engines wait for it."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return once the file's bytes, or the folder's names, are on disk. Raises `OSError` when they may not be."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
