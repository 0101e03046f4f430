"""The `Incidents` port in gate.db: one row an event, sealed as its entry is; made anew from the journal where lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecluse.app.ports.carried import Going
from ecluse.app.ports.incidents import Kept
from ecluse.engines.sqlite.columns import add_missing
from ecluse.engines.sqlite.connection import connect

WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS incident (
        incident TEXT NOT NULL, number INTEGER NOT NULL, request TEXT NOT NULL, sealed BLOB NOT NULL, at_us INTEGER NOT NULL,
        outcome TEXT NOT NULL, is_journalled INTEGER NOT NULL, told_us INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (incident, number)
    ) STRICT, WITHOUT ROWID"""
_COLUMNS = "incident, number, request, sealed, at_us, outcome, is_journalled"
_SINCE = {"told_us": "INTEGER NOT NULL DEFAULT 0"}
_PUT = """
    INSERT INTO incident (incident, number, request, sealed, at_us, outcome, is_journalled, told_us)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5) ON CONFLICT DO NOTHING"""
_TOLD = "UPDATE incident SET told_us = max(told_us, ?) WHERE incident = ? AND number = ?"


class LocalIncidents:
    """One instance a process, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)
        add_missing(self._connection, "incident", _SINCE)

    def names(self) -> list[str]:
        """Every incident; ids are in the order of time."""
        return [
            name for (name,) in self._connection.execute("SELECT DISTINCT incident FROM incident ORDER BY incident")
        ]

    def events(self, incident: str) -> list[Kept]:
        """The events of one."""
        return self._kept("WHERE incident = ? ORDER BY number", incident)

    def put(self, kept: Kept) -> bool:
        """Keep one more event."""
        values = (kept.incident, kept.number, kept.request, kept.sealed, kept.at_us, kept.outcome, kept.is_journalled)
        return self._connection.execute(_PUT, values).rowcount == 1

    def journalled(self, incident: str, number: int) -> None:
        """Remember that an entry is in the journal."""
        sql = "UPDATE incident SET is_journalled = 1 WHERE incident = ? AND number = ?"
        self._connection.execute(sql, (incident, number))

    def resting(self, going: Going) -> list[Kept]:
        """Events that rest on entries that go."""
        return self._kept("WHERE told_us < ? ORDER BY incident, number", going.before_us)

    def told(self, some: Sequence[Kept], at_us: int) -> None:
        """The journal told of these at that instant."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            self._connection.executemany(_TOLD, [(at_us, each.incident, each.number) for each in some])

    def unjournalled(self) -> list[Kept]:
        """Events whose entry is not known to be there."""
        return self._kept("WHERE is_journalled = 0 ORDER BY incident, number")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _kept(self, where: str, *values: str | int) -> list[Kept]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM incident {where}", values)  # noqa: S608 - our own words
        return [Kept(*row) for row in rows]
