"""The `Ribs` port in gate.db: what two operators do is there whole, whatever store the hub has; the watcher is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecluse.app.ports.sensings import Changed
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.happenings import Notes, make_table
from ecluse.engines.turn import alone
from ecluse.kernel.days import DAY_US
from ecluse.payments.rib import RIB_REFUSED

WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS rib_change (
        practice TEXT PRIMARY KEY, asked_us INTEGER NOT NULL, sealed BLOB NOT NULL, waits INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID"""
# Every change that was asked for, whatever came of it: what the days of an account are counted from (gate/dated.py).
_ASKED = """
    CREATE TABLE IF NOT EXISTS rib_asked (
        practice TEXT NOT NULL, asked_us INTEGER NOT NULL, PRIMARY KEY (practice, asked_us)
    ) STRICT, WITHOUT ROWID"""
_PUT_ASKED = "INSERT INTO rib_asked VALUES (?, ?) ON CONFLICT DO NOTHING"
_DAYS = "SELECT DISTINCT asked_us / ? FROM rib_asked WHERE practice = ?"
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
    """One instance a process, used by one thread. `is_watched`: changes are written down for a watcher."""

    def __init__(self, path: Path, *, is_watched: bool = True) -> None:
        self._is_watched = is_watched
        self._lock = path.with_name("rib_change.lock")
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)
        self._connection.execute(_ASKED)
        make_table(self._connection)
        self._notes = Notes(self._connection)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one; a process that is killed lets go."""
        with alone(self._lock, RIB_REFUSED("somebody else is at it", fix="Look at what waits, then try again.")):
            yield

    def waiting(self) -> dict[str, bytes]:
        """What waits."""
        return dict(self._connection.execute(_WAITING))

    def ask(self, practice: str, asked_us: int, sealed: bytes) -> None:
        """Keep what was asked for, and tell the watcher."""
        self._keep(practice, asked_us, sealed, is_again=False)

    def again(self, practice: str, asked_us: int, sealed: bytes) -> None:
        """The same out of the journal."""
        self._keep(practice, asked_us, sealed, is_again=True)

    def days(self, practices: Collection[str]) -> set[int]:
        """Days on which a change of one of these was asked for."""
        return {
            day for practice in practices for (day,) in self._connection.execute(_DAYS, (DAY_US, practice)).fetchall()
        }

    def close(self, practice: str, asked_us: int) -> None:
        """It waits no more."""
        self._connection.execute(_CLOSE, (practice, asked_us))

    def _keep(self, practice: str, asked_us: int, sealed: bytes, *, is_again: bool) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            self._connection.execute(_ASK, (practice, asked_us, sealed))
            is_new = self._connection.execute(_PUT_ASKED, (practice, asked_us)).rowcount > 0
            if is_new and self._is_watched:
                self._notes.put([(0, Changed(practice, asked_us, again=is_again))])

    def end(self) -> None:
        """Close the file."""
        self._connection.close()
