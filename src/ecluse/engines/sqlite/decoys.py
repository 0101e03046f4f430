"""The `Decoys` port in gate.db: a row for each batch, sealed: whoever reads the file learns how many batches there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecluse.app.ports.carried import Going
from ecluse.app.ports.decoys import Kept
from ecluse.engines.sqlite.columns import add_missing
from ecluse.engines.sqlite.connection import connect

WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS decoys (
        batch TEXT PRIMARY KEY, sealed BLOB NOT NULL, stands INTEGER NOT NULL, at_us INTEGER NOT NULL,
        told_us INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID"""
_SINCE = {"told_us": "INTEGER NOT NULL DEFAULT 0"}
_PUT = """
    INSERT INTO decoys (batch, sealed, stands, at_us, told_us) VALUES (?, ?, 1, ?, ?)
    ON CONFLICT (batch) DO UPDATE SET told_us = max(told_us, excluded.told_us) WHERE stands"""
_DROP = """
    INSERT INTO decoys (batch, sealed, stands, at_us, told_us) VALUES (?1, x'', 0, ?2, ?2)
    ON CONFLICT (batch) DO UPDATE SET sealed = x'', stands = 0, at_us = excluded.at_us, told_us = excluded.told_us WHERE stands"""
_RESTING = """
    SELECT batch, sealed, stands, at_us FROM decoys WHERE told_us < ? AND (stands OR at_us >= ?) ORDER BY batch"""
_TOLD = "UPDATE decoys SET told_us = max(told_us, ?) WHERE batch = ? AND stands = ?"
_STANDING = "SELECT batch, sealed FROM decoys WHERE stands ORDER BY batch"
_VERSION = "SELECT 2 * count(*) - coalesce(sum(stands), 0) FROM decoys"  # put: one more; dropped: one more again


class LocalDecoys:
    """One instance a process, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)
        add_missing(self._connection, "decoys", _SINCE)

    def put(self, batch: str, sealed: bytes, at_us: int, told_us: int = 0) -> None:
        """Keep a batch."""
        self._connection.execute(_PUT, (batch, sealed, at_us, max(at_us, told_us)))

    def drop(self, batch: str, at_us: int) -> None:
        """It stands no more."""
        self._connection.execute(_DROP, (batch, at_us))

    def resting(self, going: Going) -> list[Kept]:
        """What rests on entries that go."""
        rows = self._connection.execute(_RESTING, (going.before_us, going.undone_since_us))
        return [Kept(batch, sealed, bool(stands), at_us) for batch, sealed, stands, at_us in rows]

    def told(self, some: Sequence[Kept], at_us: int) -> None:
        """The journal told of these again."""
        self._connection.executemany(_TOLD, [(at_us, each.batch, each.stands) for each in some])

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
