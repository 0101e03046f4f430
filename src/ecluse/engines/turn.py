"""Whose turn it is, over all processes: the lock of a file, which the kernel gives back when the process that holds it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecluse.kernel.errors import Refused


def taken(path: Path, mode: int = 0o600) -> int | None:
    """The lock of this file, which is made where there is none, as a descriptor to close; None when somebody else holds it."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR, mode)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


@contextmanager
def alone(path: Path, busy: Refused, mode: int = 0o600) -> Iterator[None]:
    """Hold the lock of this file until the end of the block. Raises `busy`, at once, when somebody else does."""
    lock = taken(path, mode)
    if lock is None:
        raise busy
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """The same, after whoever holds it."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
