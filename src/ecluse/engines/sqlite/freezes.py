"""The `Freezes` port in gate.db: a row for each person who ever froze, and those frozen now in memory: 80 bytes each.

Every question looks for somebody. Asked of the file that is 4 µs by itself, and 15 in a process that answers, for whoever waits
for a file lets the other threads in. So what changed since is read every `LOOK_S`, by the number of the change.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

from ecluse.engines.sqlite.connection import connect

LOOK_S = 0.05  # how late another process's freeze is seen
WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS freeze (
        insurer TEXT NOT NULL, person BLOB NOT NULL, frozen INTEGER NOT NULL, at_us INTEGER NOT NULL,
        change INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (insurer, person)
    ) STRICT, WITHOUT ROWID"""
_WITHOUT_CHANGES = "SELECT NOT EXISTS (SELECT * FROM pragma_table_info('freeze') WHERE name = 'change')"
_ADD_CHANGES = "ALTER TABLE freeze ADD COLUMN change INTEGER NOT NULL DEFAULT 1"
_BY_CHANGE = "CREATE INDEX IF NOT EXISTS freeze_by_change ON freeze (change)"
_CHANGED = "SELECT insurer, person, frozen, change FROM freeze WHERE change > ?"
_PUT = """
    INSERT INTO freeze VALUES (?, ?, ?, ?, (SELECT coalesce(max(change), 0) + 1 FROM freeze))
    ON CONFLICT (insurer, person) DO UPDATE SET frozen = excluded.frozen, at_us = excluded.at_us, change = excluded.change
    WHERE excluded.at_us >= at_us"""


class LocalFreezes:
    """One instance a process, used by one thread."""

    seen_after_s = LOOK_S

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)
        self._connection.execute("BEGIN IMMEDIATE")  # one process of several adds what a file of before has not
        if self._connection.execute(_WITHOUT_CHANGES).fetchone()[0]:
            self._connection.execute(_ADD_CHANGES)
        self._connection.execute(_BY_CHANGE)
        self._connection.execute("COMMIT")
        self._frozen: defaultdict[str, set[bytes]] = defaultdict(set)
        self._seen = 0
        self._looked_s = float("-inf")

    def is_frozen(self, insurer: str, person: bytes) -> bool:
        """Whether the person froze typed look-ups."""
        if time.monotonic() - self._looked_s > LOOK_S:
            self._look()
        return person in self._frozen[insurer]

    def put(self, insurer: str, person: bytes, *, frozen: bool, at_us: int) -> None:
        """Freeze, or lift it."""
        self._connection.execute(_PUT, (insurer, person, frozen, at_us))
        self._look()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _look(self) -> None:
        self._looked_s = time.monotonic()
        for insurer, person, frozen, change in self._connection.execute(_CHANGED, (self._seen,)):
            people = self._frozen[insurer]
            people.add(person) if frozen else people.discard(person)
            self._seen = max(self._seen, change)
