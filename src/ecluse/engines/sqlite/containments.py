"""The `Containments` port in gate.db: a row for each thing that was ever limited, and a view of the limits in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ecluse.app.ports.carried import Going
from ecluse.app.ports.containments import Name, Stands
from ecluse.app.ports.sensings import Stepped
from ecluse.engines.sqlite.columns import add_missing
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.happenings import Notes, make_table
from ecluse.gate.containment import Containment, Kind, Move, unsigned

LOOK_S = 0.05  # how late another process's limit is seen: PRAGMA data_version costs 2.6 µs, too much for every question
WAIT_MS = 2_000  # another process's transaction takes a millisecond

_TABLE = """
    CREATE TABLE IF NOT EXISTS containment (
        kind TEXT NOT NULL, name TEXT NOT NULL, state BLOB NOT NULL,
        at_us INTEGER NOT NULL DEFAULT 0, told_us INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID"""
_SINCE = {"at_us": "INTEGER NOT NULL DEFAULT 0", "told_us": "INTEGER NOT NULL DEFAULT 0"}
_PUT = """
    INSERT INTO containment (kind, name, state, at_us, told_us) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, name) DO UPDATE SET state = excluded.state, at_us = excluded.at_us, told_us = excluded.told_us"""
_STANDS = "SELECT state, at_us FROM containment WHERE kind = ? AND name = ?"
_RESTING = "SELECT name, state, at_us FROM containment WHERE told_us < ? ORDER BY kind, name"
_KNOWN = "UPDATE containment SET at_us = max(at_us, ?), told_us = max(told_us, ?) WHERE kind = ? AND name = ?"
_TOLD = "UPDATE containment SET told_us = max(told_us, ?) WHERE kind = ? AND name = ? AND at_us = ?"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Containment).decode


class LocalContainments:
    """One instance a process, used by one thread. Every change is synced: a limit outlives a power cut."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.execute(_TABLE)
        add_missing(self._connection, "containment", _SINCE)
        make_table(self._connection)
        self._notes = Notes(self._connection)
        self._limits: dict[Name, Containment] = {}
        self._version = self._seen = -1
        self._looked_s = 0.0

    def limits(self) -> Mapping[Name, Containment]:
        """Everything that holds somebody to something."""
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

    def last(self, kind: Kind, name: str) -> tuple[Containment, int]:
        """Where one stands, and the order of the move that led there."""
        row = self._connection.execute(_STANDS, (kind, name)).fetchone()
        if row is None:
            return Containment(kind), 0
        state = _decode(row[0])
        return state, max(row[1], state.since_us)  # a row of a version of before has no order

    def swap(self, name: str, before: Containment, after: Containment, made: Move) -> bool:
        """Put `after` in the place of `before`, and write the move down for the watcher."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            if self.state(before.kind, name) != before:
                return False
            self._put(name, after, made, made.at_us)
        self._read()
        return True

    def again(self, name: str, after: Containment, made: Move, told_us: int) -> None:
        """Put back what the journal told: of two states the one whose move is the later."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            before, last_us = self.last(after.kind, name)
            if before == after:
                self._connection.execute(_KNOWN, (made.order_us, told_us, after.kind, name))
            elif last_us <= made.order_us:
                self._put(name, after, made, told_us)
        self._read()

    def resting(self, going: Going) -> list[Stands]:
        """What rests on entries that go."""
        rows = self._connection.execute(_RESTING, (going.before_us,))
        return [Stands(name, _decode(state), at_us) for name, state, at_us in rows]

    def told(self, some: Sequence[Stands], at_us: int) -> None:
        """The journal told of these again."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            self._connection.executemany(_TOLD, [(at_us, each.state.kind, each.name, each.at_us) for each in some])

    def all(self) -> Mapping[Name, Containment]:
        """Every state."""
        rows = self._connection.execute("SELECT kind, name, state FROM containment ORDER BY kind, name")
        return {(Kind(kind), name): _decode(state) for kind, name, state in rows}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _put(self, name: str, after: Containment, made: Move, told_us: int) -> None:
        """In a transaction that is open."""
        self._connection.execute(_PUT, (after.kind, name, _encode(after), made.order_us, told_us))
        self._connection.execute(f"PRAGMA user_version={self._moves() + 1}")
        if made.before != made.after:
            self._notes.put([(0, Stepped(name, unsigned(made)))])

    def _moves(self) -> int:
        """How often something was moved: SQLite's own number of the user, which is part of the transaction."""
        (moves,) = self._connection.execute("PRAGMA user_version").fetchone()
        return int(moves)

    def _read(self) -> None:
        self._seen = self._moves()
        self._limits = {name: state for name, state in self.all().items() if state.limits}
