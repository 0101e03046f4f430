"""The `Freezes` port in gate.db: a row for each person who ever froze, read at every question: another process's is seen."""

from __future__ import annotations

from pathlib import Path

from ecluse.engines.sqlite.connection import connect

WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS freeze (
        insurer TEXT NOT NULL, person BLOB NOT NULL, frozen INTEGER NOT NULL, at_us INTEGER NOT NULL,
        PRIMARY KEY (insurer, person)
    ) STRICT, WITHOUT ROWID"""
_FROZEN = "SELECT frozen FROM freeze WHERE insurer = ? AND person = ?"
_PUT = """
    INSERT INTO freeze VALUES (?, ?, ?, ?)
    ON CONFLICT (insurer, person) DO UPDATE SET frozen = excluded.frozen, at_us = excluded.at_us
    WHERE excluded.at_us >= at_us"""


class LocalFreezes:
    """One instance a process, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)

    def is_frozen(self, insurer: str, person: bytes) -> bool:
        """Whether the person froze typed look-ups."""
        row = self._connection.execute(_FROZEN, (insurer, person)).fetchone()
        return bool(row and row[0])

    def put(self, insurer: str, person: bytes, *, frozen: bool, at_us: int) -> None:
        """Freeze, or lift it."""
        self._connection.execute(_PUT, (insurer, person, frozen, at_us))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
