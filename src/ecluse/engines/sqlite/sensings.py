"""The `Sensings` port in gate.db: what the watcher keeps, in one transaction with the end of what it read."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ecluse.app.ports.containments import Name
from ecluse.app.ports.sensings import Alerting, Happening, Work
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.happenings import decode, encode, make_tables
from ecluse.gate.alerts import Alert
from ecluse.gate.fleet import Breaker
from ecluse.gate.lessons import Ripe, Waiting
from ecluse.gate.sensing import Sensed
from ecluse.kernel.errors import refusal

WAIT_MS = 2_000  # another process's transaction takes a millisecond

WATCHED_ELSEWHERE = refusal(
    "watched_elsewhere",
    409,
    "Another process watches this hub's accounts",
    fix="Wait until it ends: it does with its `ecluse serve`.",
)

_WAITING = "SELECT count(*) FROM happening"
_HAPPENINGS = """
    SELECT h.id, coalesce(a.name, ''), coalesce(a.profession, ''), h.what
    FROM happening h LEFT JOIN account a ON a.id = h.account ORDER BY h.id LIMIT ?"""
_STATE = "SELECT s.state FROM sensed s JOIN account a ON a.id = s.account WHERE a.name = ?"
_BREAKER = "SELECT state FROM breaker WHERE kind = ? AND name = ?"
_TAKE = "DELETE FROM happening WHERE id <= ?"
_KEEP = """
    INSERT INTO sensed SELECT id, ? FROM account WHERE name = ?
    ON CONFLICT (account) DO UPDATE SET state = excluded.state"""
_WAIT = "INSERT INTO waiting SELECT ?, id, ?, ? FROM account WHERE name = ? ON CONFLICT DO NOTHING"
_ALERT = """
    INSERT INTO alert SELECT id, ?, ?, ? FROM account WHERE name = ?
    ON CONFLICT (account, signal) DO UPDATE SET at_s = excluded.at_s, what = excluded.what"""
_BREAK = "INSERT INTO breaker VALUES (?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET state = excluded.state"
_DUE = """
    SELECT a.name, w.day FROM waiting w JOIN account a ON a.id = w.account
    WHERE w.day < ? GROUP BY w.day, w.account ORDER BY w.day LIMIT ?"""
_RIPE = """
    SELECT w.what, o.justified IS NOT NULL, coalesce(o.denied, 0)
    FROM account a JOIN waiting w ON w.account = a.id
    LEFT JOIN opening o ON o.account = w.account AND o.person = w.person
    WHERE a.name = ? AND w.day = ? ORDER BY w.person"""
_RIPENED = "DELETE FROM waiting WHERE day = ? AND account = (SELECT id FROM account WHERE name = ?)"
_ALERTS = """
    SELECT a.name, l.at_s, l.what FROM alert l JOIN account a ON a.id = l.account
    WHERE ? IN (a.name, '') ORDER BY l.at_s DESC, l.signal LIMIT ?"""

LOG = logging.getLogger(__name__)


class LocalSensings:
    """One instance a process, used by one thread. A power cut may take the last transactions, as it may of the counters."""

    def __init__(self, path: Path) -> None:
        self._lock = path.with_suffix(".watched")
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        make_tables(self._connection)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only watcher until the end of the block, or of the process. Raises `watched_elsewhere`."""
        lock = os.open(self._lock, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise WATCHED_ELSEWHERE() from None
        finally:
            os.close(lock)

    def waiting(self) -> int:
        """How many happenings wait."""
        (count,) = self._connection.execute(_WAITING).fetchone()
        return int(count)

    def happenings(self, limit: int) -> list[Happening]:
        """The oldest that wait."""
        rows = self._connection.execute(_HAPPENINGS, (limit,))
        return [Happening(id_, account, profession, decode(what)) for id_, account, profession, what in rows]

    def state(self, account: str) -> Sensed | None:
        """What is kept of an account; one of another version of this program is begun anew, and that is told."""
        row = self._connection.execute(_STATE, (account,)).fetchone()
        try:
            return msgspec.msgpack.decode(row[0], type=Sensed) if row else None
        except msgspec.ValidationError:
            LOG.error("what was learnt of an account cannot be read: it is begun anew")
            return None

    def breaker(self, name: Name) -> Breaker:
        """What is counted of one."""
        row = self._connection.execute(_BREAKER, name).fetchone()
        return msgspec.msgpack.decode(row[0], type=Breaker) if row else Breaker()

    def keep(self, work: Work) -> None:
        """Keep all of it, or nothing."""
        execute, many = self._connection.execute, self._connection.executemany
        states = [(encode(state), name) for name, state in work.states.items()]
        openings = [(each.waiting.day, each.person, encode(each.waiting), each.account) for each in work.openings]
        alerts = [(each.alert.signal, each.at_s, encode(each.alert), each.account) for each in work.alerts]
        execute("BEGIN IMMEDIATE")
        with self._connection:  # commits, or rolls back
            execute(_TAKE, (work.through,))
            many(_KEEP, states)
            many(_WAIT, openings)
            many(_ALERT, alerts)
            many(_BREAK, [(*name, encode(breaker)) for name, breaker in work.breakers.items()])
            if work.ripened:
                account, day = work.ripened
                execute(_RIPENED, (day, account))

    def due(self, day: int, limit: int) -> list[tuple[str, int]]:
        """Accounts and days whose openings wait and were made before `day`."""
        return self._connection.execute(_DUE, (day, limit)).fetchall()

    def ripe(self, account: str, day: int) -> list[Ripe]:
        """The openings of that day; one that gate.db has lost since is unclaimed."""
        rows = self._connection.execute(_RIPE, (account, day))
        return [
            Ripe(msgspec.msgpack.decode(what, type=Waiting), bool(claimed), bool(denied))
            for what, claimed, denied in rows
        ]

    def alerts(self, account: str, limit: int) -> list[Alerting]:
        """The last alert of each signal, the latest first."""
        rows = self._connection.execute(_ALERTS, (account, limit))
        return [Alerting(name, at_s, msgspec.msgpack.decode(what, type=Alert)) for name, at_s, what in rows]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
