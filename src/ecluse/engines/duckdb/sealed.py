"""Lets DuckDB read one sealed file through fsspec, as if it were plain: no readable copy touches the disk.

fsspec is only needed for files received over HTTP; a file named on the command line is read where it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

from ecluse.engines.spool import Spool, SpoolReader

PROTOCOL = "sealed"


class SealedFiles(AbstractFileSystem):  # type: ignore[misc]
    """One spool, read only. `failed`: why a reading failed first; DuckDB says only that it did."""

    protocol = PROTOCOL
    cachable = False  # fsspec keeps instances by their arguments; ours end with the feed

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool
        self.failed: Exception | None = None

    def open(self, path: str, mode: str = "rb", **_: Any) -> SpoolReader:
        """The plain bytes of a feed."""
        assert mode == "rb", mode
        return self._spool.read(_feed(path), self._note)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, kind and plain size."""
        with self._spool.read(_feed(path)) as reader:
            return {"name": path, "size": reader.size, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Whether the feed's file is there."""
        return self._spool.holds(_feed(path))

    def glob(self, path: str, **_: Any) -> list[str]:
        """No pattern is understood: a path names itself."""
        return [path]

    def modified(self, path: str) -> datetime:
        """A kept file never changes: always the same instant."""
        return datetime.fromtimestamp(0, UTC)

    def _note(self, wrong: Exception) -> None:
        self.failed = self.failed or wrong


def _feed(path: str) -> str:
    return path.removeprefix(f"{PROTOCOL}://")
