"""The `Freezes` port in gate.db: a row for each person who ever froze, and those frozen now in memory: 80 bytes each.

Every question looks for somebody. Asked of the file that is 4 µs by itself, and 15 in a process that answers, for whoever waits
for a file lets the other threads in. So what changed since is read every `LOOK_S`, by the number of the change.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import astuple

from ecluse.app.ports.carried import Going
from ecluse.app.ports.freezes import Freeze
from ecluse.engines.sqlite.columns import add_missing
from ecluse.engines.sqlite.connection import connect

LOOK_S = 0.05  # how late another process's freeze is seen
WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS freeze (
        insurer TEXT NOT NULL, person BLOB NOT NULL, frozen INTEGER NOT NULL, at_us INTEGER NOT NULL,
        change INTEGER NOT NULL DEFAULT 1, told_us INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (insurer, person)
    ) STRICT, WITHOUT ROWID"""
_SINCE = {"change": "INTEGER NOT NULL DEFAULT 1", "told_us": "INTEGER NOT NULL DEFAULT 0"}
_BY_CHANGE = "CREATE INDEX IF NOT EXISTS freeze_by_change ON freeze (change)"
_CHANGED = "SELECT insurer, person, frozen, change FROM freeze WHERE change > ?"
_FREEZE = """
    INSERT INTO freeze (insurer, person, frozen, at_us, change, told_us)
    VALUES (?, ?, 1, ?, (SELECT coalesce(max(change), 0) + 1 FROM freeze), ?)
    ON CONFLICT (insurer, person) DO UPDATE SET frozen = 1, at_us = max(excluded.at_us, at_us + 1), change = excluded.change,
        told_us = excluded.told_us
    RETURNING at_us"""
_LIFT = """
    UPDATE freeze SET frozen = 0, at_us = ?, change = (SELECT max(change) + 1 FROM freeze), told_us = ?
    WHERE insurer = ? AND person = ? AND at_us < ?"""
_KEPT = "SELECT insurer, person, frozen, at_us FROM freeze WHERE insurer = ? AND person = ?"
_AGAIN = """
    INSERT INTO freeze (insurer, person, frozen, at_us, change, told_us)
    VALUES (?, ?, ?, ?, (SELECT coalesce(max(change), 0) + 1 FROM freeze), ?)
    ON CONFLICT (insurer, person) DO UPDATE SET frozen = excluded.frozen, at_us = excluded.at_us, change = excluded.change,
        told_us = max(excluded.told_us, (excluded.at_us = at_us) * told_us)
    WHERE excluded.at_us >= at_us"""
_RESTING = """
    SELECT insurer, person, frozen, at_us FROM freeze
    WHERE told_us < ? AND (frozen OR at_us >= ?) AND (insurer, person) > (?, ?)
    ORDER BY insurer, person LIMIT ?"""
_TOLD = "UPDATE freeze SET told_us = max(told_us, ?) WHERE insurer = ? AND person = ? AND at_us = ?"


class LocalFreezes:
    """One instance a process, used by one thread."""

    seen_after_s = LOOK_S

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)
        add_missing(self._connection, "freeze", _SINCE)
        self._connection.execute(_BY_CHANGE)
        self._frozen: defaultdict[str, set[bytes]] = defaultdict(set)
        self._seen = 0
        self._looked_s = float("-inf")

    def is_frozen(self, insurer: str, person: bytes) -> bool:
        """Whether the person froze typed look-ups."""
        if time.monotonic() - self._looked_s > LOOK_S:
            self._look()
        return person in self._frozen[insurer]

    def count(self, insurer: str) -> int:
        """How many of an insurer are frozen."""
        return len(self._frozen[insurer])

    def kept(self, insurer: str, person: bytes) -> Freeze | None:
        """What was last said of a person."""
        row = self._connection.execute(_KEPT, (insurer, person)).fetchone()
        return _freeze(*row) if row else None

    def freeze(self, insurer: str, person: bytes, now_us: int) -> int:
        """Freeze, after whatever was said before."""
        rows = self._connection.execute(_FREEZE, (insurer, person, now_us, now_us)).fetchall()
        self._look()
        return int(rows[0][0])

    def lift(self, insurer: str, person: bytes, *, at_us: int, told_us: int) -> None:
        """Lift it, unless something was said since."""
        self._connection.execute(_LIFT, (at_us, told_us, insurer, person, at_us))
        self._look()

    def again(self, some: Sequence[tuple[Freeze, int]]) -> None:
        """The same out of the journal."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            self._connection.executemany(_AGAIN, [(*astuple(each), told_us) for each, told_us in some])
        self._look()

    def resting(self, going: Going, after: Freeze | None, limit: int) -> list[Freeze]:
        """What rests on entries that go."""
        last = (after.insurer, after.person) if after else ("", b"")
        rows = self._connection.execute(_RESTING, (going.before_us, going.undone_since_us, *last, limit))
        return [_freeze(*row) for row in rows]

    def told(self, some: Sequence[Freeze], at_us: int) -> None:
        """The journal told of these again."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            self._connection.executemany(_TOLD, [(at_us, each.insurer, each.person, each.at_us) for each in some])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _look(self) -> None:
        self._looked_s = time.monotonic()
        for insurer, person, frozen, change in self._connection.execute(_CHANGED, (self._seen,)):
            people = self._frozen[insurer]
            people.add(person) if frozen else people.discard(person)
            self._seen = max(self._seen, change)


def _freeze(insurer: str, person: bytes, frozen: int, at_us: int) -> Freeze:
    return Freeze(insurer, person, bool(frozen), at_us)
