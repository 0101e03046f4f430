"""The `Sensings` port: happenings are read in gate.db, and what comes of them is kept in sensed.db, in one transaction with the
mark of how far they were read. So those who answer never wait for the watcher: in their file it only reads, and takes away
what is read every two seconds, a thousand in a transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Lock

import msgspec

from ecluse.app.ports.containments import Name
from ecluse.app.ports.sensings import Alerting, Came, Happening, Seen, Touch, Work
from ecluse.engines.sqlite.columns import add_missing
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.happenings import Notes, decode, encode, make_table
from ecluse.engines.turn import alone
from ecluse.gate.alerts import Alert
from ecluse.gate.fleet import Breaker
from ecluse.gate.lessons import Ripe, Waiting
from ecluse.gate.sensing import Sensed, grown
from ecluse.kernel.errors import refusal

WAIT_MS = 2_000  # another process's transaction takes a millisecond
SWEEP_S = 2.0
SWEPT_TOGETHER = 1_000  # a millisecond

WATCHED_ELSEWHERE = refusal(
    "watched_elsewhere",
    409,
    "Another process watches this hub's accounts",
    fix="Wait until it ends: it does with its `ecluse serve`.",
)

# In gate.db.
_WAITING = "SELECT count(*) FROM happening WHERE id > ?"
_HAPPENINGS = """
    SELECT h.id, coalesce(a.name, ''), coalesce(a.profession, ''), h.what
    FROM happening h LEFT JOIN account a ON a.id = h.account WHERE h.id > ? ORDER BY h.id LIMIT ?"""
_SWEEP = """
    DELETE FROM happening WHERE id IN (SELECT id FROM happening WHERE id <= ? ORDER BY id LIMIT ?)
    AND id < (SELECT max(id) FROM happening)"""
_JUSTIFIED = """
    SELECT justified IS NOT NULL, denied FROM opening
    WHERE account = (SELECT id FROM account WHERE name = ?) AND person = ?"""
# In sensed.db.
_MARK, _REACH = "SELECT through FROM mark", "UPDATE mark SET through = max(through, ?)"
_STATE = "SELECT state FROM account WHERE name = ?"
_KEEP = "INSERT INTO account (name, state) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state"
_BREAKER = "SELECT state FROM breaker WHERE kind = ? AND name = ?"
_WAIT = "INSERT INTO waiting SELECT ?, id, ?, ? FROM account WHERE name = ? ON CONFLICT DO NOTHING"
_ALERT = """
    INSERT INTO alert SELECT id, ?, ?, ? FROM account WHERE name = ?
    ON CONFLICT (account, signal) DO UPDATE SET at_s = excluded.at_s, what = excluded.what"""
_BREAK = "INSERT INTO breaker VALUES (?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET state = excluded.state"
_DUE = """
    SELECT a.name, w.day FROM waiting w JOIN account a ON a.id = w.account
    WHERE w.day < ? GROUP BY w.day, w.account ORDER BY w.day LIMIT ?"""
_RIPE = "SELECT person, what FROM waiting WHERE day = ? AND account = (SELECT id FROM account WHERE name = ?) ORDER BY person"
_RIPENED = "DELETE FROM waiting WHERE day = ? AND account = (SELECT id FROM account WHERE name = ?)"
_TOUCH = """
    INSERT INTO touch VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (batch, place, account) DO UPDATE
    SET last_s = excluded.last_s, times = times + excluded.times, network = excluded.network, software = excluded.software"""
_SEEN, _UNSEE = "SELECT * FROM seen WHERE who = ?", "DELETE FROM seen WHERE at_s < ?"
_SEE = """
    INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT (who) DO UPDATE
    SET at_s = excluded.at_s, department = excluded.department, account = excluded.account"""
_TOUCHES = "SELECT * FROM touch ORDER BY last_s DESC, batch, place, account"
_ALERTS = """
    SELECT a.name, l.at_s, l.what FROM alert l JOIN account a ON a.id = l.account
    WHERE ? IN (a.name, '') ORDER BY l.at_s DESC, l.signal LIMIT ?"""

LOG = logging.getLogger(__name__)


class LocalSensings:
    """One instance a process, used by one thread, but for `came`. A power cut may take the last transactions, as it may of the
    counters. `is_watched`: logins are written down for a watcher."""

    def __init__(self, gate: Path, path: Path, *, is_watched: bool = True) -> None:
        self._is_watched = is_watched
        self._lock = path.with_suffix(".lock")
        self._gate, self._own = connect(gate), connect(path)
        for each in (self._gate, self._own):
            each.execute("PRAGMA synchronous=NORMAL")
            each.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._own.execute("PRAGMA secure_delete=ON")  # where passes were shown is overwritten when it is forgotten
        make_table(self._gate)
        self._logins, self._turn = connect(gate), Lock()  # logins are written by whatever thread
        self._logins.execute("PRAGMA synchronous=NORMAL")
        self._logins.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._notes = Notes(self._logins)
        self._own.executescript((files("ecluse.engines.sqlite") / "sensings.sql").read_text())
        add_missing(self._own, "seen", {"account": "TEXT NOT NULL DEFAULT ''"})
        self._swept_s = 0.0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only watcher until the end of the block, or of the process. Raises `watched_elsewhere`."""
        with alone(self._lock, WATCHED_ELSEWHERE()):
            yield

    def came(self, account: str, at_us: int) -> None:
        """Write a login down for the watcher."""
        if self._is_watched:
            with self._turn:
                self._logins.execute("BEGIN IMMEDIATE")
                with self._logins:  # commits, or rolls back
                    self._notes.put([(0, Came(account, at_us))])

    def seen(self, who: int) -> Seen | None:
        """Where a pass was last shown."""
        row = self._own.execute(_SEEN, (who,)).fetchone()
        return Seen(*row) if row else None

    def forget_seen(self, before_s: int) -> None:
        """Forget what is older."""
        self._own.execute(_UNSEE, (before_s,))

    def touches(self) -> list[Touch]:
        """Who met a decoy, the latest first."""
        return [Touch(*row) for row in self._own.execute(_TOUCHES)]

    def waiting(self) -> int:
        """How many happenings wait."""
        (count,) = self._gate.execute(_WAITING, (self._mark(),)).fetchone()
        return int(count)

    def happenings(self, limit: int) -> list[Happening]:
        """The oldest that wait."""
        rows = self._gate.execute(_HAPPENINGS, (self._mark(), limit))
        return [Happening(id_, account, profession, decode(what)) for id_, account, profession, what in rows]

    def state(self, account: str) -> Sensed | None:
        """What is kept of an account; one of another version of this program is begun anew, and that is told."""
        row = self._own.execute(_STATE, (account,)).fetchone()
        try:
            return grown(msgspec.msgpack.decode(row[0], type=Sensed)) if row else None
        except msgspec.ValidationError:
            LOG.error("what was learnt of an account cannot be read: it is begun anew")
            return None

    def breaker(self, name: Name) -> Breaker:
        """What is counted of one."""
        row = self._own.execute(_BREAKER, name).fetchone()
        return msgspec.msgpack.decode(row[0], type=Breaker) if row else Breaker()

    def keep(self, work: Work) -> None:
        """Keep all of it, or nothing; what was read is taken away later."""
        execute, many = self._own.execute, self._own.executemany
        states = [(name, encode(state)) for name, state in work.states.items()]
        openings = [(each.waiting.day, each.person, encode(each.waiting), each.account) for each in work.openings]
        alerts = [(each.alert.signal, each.at_s, encode(each.alert), each.account) for each in work.alerts]
        execute("BEGIN IMMEDIATE")
        with self._own:  # commits, or rolls back
            execute(_REACH, (work.through,))
            many(_KEEP, states)
            many(_WAIT, openings)
            many(_ALERT, alerts)
            many(_SEE, work.seen)
            many(_TOUCH, [msgspec.structs.astuple(each) for each in work.touches])
            many(_BREAK, [(*name, encode(breaker)) for name, breaker in work.breakers.items()])
            if work.ripened:
                account, day = work.ripened
                execute(_RIPENED, (day, account))
        self._sweep()

    def due(self, day: int, limit: int) -> list[tuple[str, int]]:
        """Accounts and days whose openings wait and were made before `day`."""
        return self._own.execute(_DUE, (day, limit)).fetchall()

    def ripe(self, account: str, day: int) -> list[Ripe]:
        """The openings of that day; one that gate.db has lost since is unclaimed."""
        found = []
        for person, what in self._own.execute(_RIPE, (day, account)).fetchall():
            claimed, denied = self._gate.execute(_JUSTIFIED, (account, person)).fetchone() or (0, 0)
            found.append(Ripe(msgspec.msgpack.decode(what, type=Waiting), bool(claimed), bool(denied)))
        return found

    def alerts(self, account: str, limit: int) -> list[Alerting]:
        """The last alert of each signal, the latest first."""
        rows = self._own.execute(_ALERTS, (account, limit))
        return [Alerting(name, at_s, msgspec.msgpack.decode(what, type=Alert)) for name, at_s, what in rows]

    def close(self) -> None:
        """Close both files."""
        self._gate.close()
        self._logins.close()
        self._own.close()

    def _mark(self) -> int:
        (through,) = self._own.execute(_MARK).fetchone()
        return int(through)

    def _sweep(self) -> None:
        """Take away what was read, but for the newest: the next id is above it."""
        if time.monotonic() - self._swept_s < SWEEP_S:
            return
        self._swept_s, through = time.monotonic(), self._mark()
        while self._gate.execute(_SWEEP, (through, SWEPT_TOGETHER)).rowcount == SWEPT_TOGETHER:
            pass
