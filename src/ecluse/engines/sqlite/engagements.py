"""engagements.db: what the journal says was promised, where a claim can find it at once.

It is a copy of the journal, so it needs no sync of its own (`synchronous=NORMAL`): each batch is written with the journal mark
it reaches, and what a crash loses is copied again at the next start (`marks`, `Log.unkept`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

from ecluse.app.ports import Mark
from ecluse.engines.sqlite.database import connect
from ecluse.journal.entry import Entry

WAIT_MS = 2000  # another process's batch takes well under a millisecond
CHECKPOINT_ROWS = 20_000  # about 10 MB of write-ahead log: folding it in takes a fraction of a second

_KEEP = "INSERT INTO engagement (number, insurer, practice, sealed) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_MARK = """
    INSERT INTO mark (slot, position) VALUES (?, ?)
    ON CONFLICT (slot) DO UPDATE SET position = max(position, excluded.position)"""
_FIND = "SELECT insurer, sealed FROM engagement WHERE number = ? AND practice = ?"


class Engagements:
    """Engagements by number. One instance a process; not shared between threads."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.executescript((files("ecluse.engines.sqlite") / "engagements.sql").read_text())
        # Folding the write-ahead log in waits for the disk: it is done aside, never in the middle of an answer.
        self._connection.execute("PRAGMA wal_autocheckpoint=0")
        self._folder = connect(path)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="engagements")
        self._rows = 0

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Copy the engagements of durable entries, and how far the journal is copied, in one transaction."""
        given = [(entry.engagement, entry.insurer, entry.practice, entry.sealed) for entry in entries if entry.sealed]
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            self._connection.executemany(_KEEP, given)
            self._connection.execute(_MARK, (mark.slot, mark.position))
        self._rows += len(given)
        if self._rows >= CHECKPOINT_ROWS:
            self._rows = 0
            self._disk.submit(self._folder.execute, "PRAGMA wal_checkpoint(PASSIVE)")

    def find(self, number: str, practice: str) -> tuple[str, bytes] | None:
        """Insurer and sealed bytes of the engagement of this number, if it was given to this practice."""
        found: tuple[str, bytes] | None = self._connection.execute(_FIND, (number, practice)).fetchone()
        return found

    def marks(self) -> dict[str, int]:
        """How far each slot of the journal is copied."""
        return dict(self._connection.execute("SELECT slot, position FROM mark"))

    def close(self) -> None:
        """Fold the write-ahead log in and close the file."""
        self._disk.shutdown()
        self._folder.close()
        self._connection.close()
