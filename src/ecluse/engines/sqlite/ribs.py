"""The `Ribs` port in gate.db: what two operators do is there whole, whatever store the hub has."""

from __future__ import annotations

from pathlib import Path

from ecluse.engines.sqlite.connection import connect

WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS rib_change (
        practice TEXT PRIMARY KEY, asked_us INTEGER NOT NULL, sealed BLOB NOT NULL, waits INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID"""
_WAITING = "SELECT practice, sealed FROM rib_change WHERE waits ORDER BY practice"
_ASK = """
    INSERT INTO rib_change VALUES (?, ?, ?, 1)
    ON CONFLICT (practice) DO UPDATE SET asked_us = excluded.asked_us, sealed = excluded.sealed, waits = 1
    WHERE excluded.asked_us > asked_us"""
_CLOSE = """
    INSERT INTO rib_change VALUES (?, ?, x'', 0)
    ON CONFLICT (practice) DO UPDATE SET asked_us = excluded.asked_us, sealed = x'', waits = 0
    WHERE excluded.asked_us >= asked_us"""


class LocalRibs:
    """One instance a process, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)

    def waiting(self) -> dict[str, bytes]:
        """What waits."""
        return dict(self._connection.execute(_WAITING))

    def ask(self, practice: str, asked_us: int, sealed: bytes) -> None:
        """Keep what was asked for."""
        self._connection.execute(_ASK, (practice, asked_us, sealed))

    def close(self, practice: str, asked_us: int) -> None:
        """It waits no more."""
        self._connection.execute(_CLOSE, (practice, asked_us))

    def end(self) -> None:
        """Close the file."""
        self._connection.close()
