"""Room kept free on a disk: member files never fill it, because without room for the journal nobody is answered."""

from __future__ import annotations

from pathlib import Path
from shutil import disk_usage

from ecluse.kernel.errors import refusal

ROOM_BYTES = 1 << 30  # always left on the disk: days of a busy hub's journal

LOAD_NO_ROOM = refusal(
    "feed_no_room",
    422,  # of a file, said beside it: a file that is tried again each second keeps the disk full
    "There is no room left on the disk of the hub to load the file",
    fix="Tell the operator of the hub, whose disk is nearly full; then send it again, with another Idempotency-Key.",
)


def leaves_room(folder: Path, size: int = 0) -> bool:
    """Whether enough is left beside `folder` once `size` bytes more are written there."""
    return disk_usage(folder).free - size >= ROOM_BYTES


def hold_room(folder: Path, size: int = 0) -> None:
    """Raise `feed_no_room` unless enough is left beside `folder` once `size` bytes more are written there."""
    if not leaves_room(folder, size):
        raise LOAD_NO_ROOM()
