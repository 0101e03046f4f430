"""The `Decoys` port in gate.db: a row for each batch, sealed: whoever reads the file learns how many batches there are."""

from __future__ import annotations

from pathlib import Path

from ecluse.engines.sqlite.connection import connect

WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS decoys (
        batch TEXT PRIMARY KEY, sealed BLOB NOT NULL, stands INTEGER NOT NULL, at_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID"""
_PUT = "INSERT INTO decoys VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING"
_DROP = """
    INSERT INTO decoys VALUES (?, x'', 0, ?)
    ON CONFLICT (batch) DO UPDATE SET sealed = x'', stands = 0, at_us = excluded.at_us WHERE stands"""
_STANDING = "SELECT batch, sealed FROM decoys WHERE stands ORDER BY batch"
_VERSION = "SELECT 2 * count(*) - coalesce(sum(stands), 0) FROM decoys"  # put: one more; dropped: one more again


class LocalDecoys:
    """One instance a process, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)

    def put(self, batch: str, sealed: bytes, at_us: int) -> None:
        """Keep a batch."""
        self._connection.execute(_PUT, (batch, sealed, at_us))

    def drop(self, batch: str, at_us: int) -> None:
        """It stands no more."""
        self._connection.execute(_DROP, (batch, at_us))

    def standing(self) -> dict[str, bytes]:
        """The batches that stand."""
        return dict(self._connection.execute(_STANDING))

    def version(self) -> int:
        """A number that rises with each change."""
        (version,) = self._connection.execute(_VERSION).fetchone()
        return int(version)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
