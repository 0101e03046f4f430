"""A small disk for a server, and what fills it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

DISK_MIB = 384  # an empty server with two log files is 80; a village under faults once filled 192 by itself
PAGE_BYTES = 4096  # what such a disk gives at a time
LOG = {"max_wal_size": "'48MB'", "min_wal_size": "'32MB'"}


def fill(disk: Path) -> Path:
    """A file that leaves no room."""
    ballast = disk / "ballast"
    with (
        suppress(OSError),
        ballast.open("wb", buffering=0) as file,
    ):  # a buffer would be written once more when it is closed
        while True:
            file.write(b"\x00" * 65_536)
    return ballast
