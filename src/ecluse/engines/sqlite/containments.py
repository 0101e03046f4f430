"""The `Containments` port in gate.db: a row for each thing that was ever limited, and a view of the limits in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ecluse.app.ports.containments import Name
from ecluse.app.ports.sensings import Stepped
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.happenings import Notes, make_table
from ecluse.gate.containment import Containment, Kind, Move, unsigned

LOOK_S = 0.05  # how late another process's limit is seen: PRAGMA data_version costs 2.6 µs, too much for every question
WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS containment (
        kind TEXT NOT NULL, name TEXT NOT NULL, state BLOB NOT NULL, PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID"""
_PUT = "INSERT INTO containment VALUES (?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET state = excluded.state"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Containment).decode


class LocalContainments:
    """One instance a process, used by one thread. Every change is synced: a limit outlives a power cut."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)
        make_table(self._connection)
        self._notes = Notes(self._connection)
        self._limits: dict[Name, Containment] = {}
        self._version = self._seen = -1
        self._looked_s = 0.0

    def limits(self) -> Mapping[Name, Containment]:
        """Everything that is not open."""
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_S:
            self._looked_s = now_s
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version != self._version:  # of the file: counters change it all the time
                self._version = version
                if self._moves() != self._seen:
                    self._read()
        return self._limits

    def state(self, kind: Kind, name: str) -> Containment:
        """Where one stands."""
        row = self._connection.execute(
            "SELECT state FROM containment WHERE kind = ? AND name = ?", (kind, name)
        ).fetchone()
        return _decode(row[0]) if row else Containment(kind)

    def swap(self, name: str, before: Containment, after: Containment, made: Move) -> bool:
        """Put `after` in the place of `before`, and write the move down for the watcher."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            if self.state(before.kind, name) != before:
                return False
            self._connection.execute(_PUT, (after.kind, name, _encode(after)))
            self._connection.execute(f"PRAGMA user_version={self._moves() + 1}")
            if made.before != made.after:
                self._notes.put([(0, Stepped(name, unsigned(made)))])
        self._read()
        return True

    def all(self) -> Mapping[Name, Containment]:
        """Every state."""
        rows = self._connection.execute("SELECT kind, name, state FROM containment ORDER BY kind, name")
        return {(Kind(kind), name): _decode(state) for kind, name, state in rows}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _moves(self) -> int:
        """How often something was moved: SQLite's own number of the user, which is part of the transaction."""
        (moves,) = self._connection.execute("PRAGMA user_version").fetchone()
        return int(moves)

    def _read(self) -> None:
        self._seen = self._moves()
        self._limits = {name: state for name, state in self.all().items() if state.step}
