"""The `Allowances` port in gate.db, one small file that every process of the hub shares; a transaction for each batch of asks.

What is counted is written before the entry that tells of it, so a crash may leave somebody counted who was told nothing: never
the other way round. A power cut may take the last writes (`synchronous=NORMAL`): the journal past `marks` is counted again at
the next start, and nothing is forgiven.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path
from threading import Lock

from msgspec.structs import astuple, replace

from ecluse.app.ports import Mark
from ecluse.app.ports.allowances import Ask, Position
from ecluse.app.ports.sensings import Full, Noted, NotMe, Showed
from ecluse.engines.sqlite.connection import connect, patiently
from ecluse.engines.sqlite.happenings import Notes, make_table
from ecluse.engines.sqlite.openings_table import make_openings
from ecluse.gate.allowance import (
    OTHER,
    YEAR_DAYS,
    Caps,
    CapTable,
    Opened,
    Standing,
    counted,
    day_of,
    in_time,
    justified_on,
    opened,
    opens,
    spent,
)
from ecluse.gate.dated import Counted
from ecluse.gate.presence import Presence
from ecluse.gate.sensing import Question
from ecluse.journal.entry import Entry

WAIT_S = 2.0  # another process's batch takes a tenth of a millisecond; more, and the gate fails closed
PAUSE_S = 0.0002
HELD_MAX = 256  # batches of answers whose mark is not written: what a crash makes be read again, a second of it
WATCHED = {"", "debt", "year"}  # what the watcher hears of: answers, and caps that move the ladder
FOLDED_PAGES = 4_000  # write-ahead log folded in at 16 MB, by the thread of the journal, never by the loop

_STANDING = "SELECT full_us, debt, year, cap, day FROM account WHERE id = ?"
_STAND = "UPDATE account SET full_us = ?, debt = ?, year = ?, cap = ?, day = ? WHERE id = ?"
_KNOWN = "SELECT presence, day FROM opening WHERE account = ? AND person = ?"
_OPEN = """INSERT INTO opening (account, person, practice, day, presence, justified) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""
_SHOWN = """UPDATE opening SET presence = ?, justified = coalesce(justified, ?), settled = iif(presence, settled, justified)
    WHERE account = ? AND person = ? AND denied = 0"""
_OPENINGS = (
    "SELECT day, justified, denied > 0, presence > 0 AND settled IS NULL FROM opening WHERE account = ? AND day > ?"
)
_CLAIMED = """SELECT person, day, iif(presence, settled, justified) FROM opening
    WHERE account = ? AND practice = ? AND day > ? AND denied = 0 AND (presence = 0 OR justified > day OR settled IS NOT NULL)"""
_JUSTIFY = """UPDATE opening SET justified = iif(presence, justified, ?1), settled = iif(presence, ?1, NULL)
    WHERE account = ?2 AND person = ?3"""
_DENY = "UPDATE opening SET denied = 1, justified = NULL WHERE account = ? AND person = ? AND presence = 0"
_PROFESSION = "SELECT name, profession FROM account WHERE name = ?"
_DENIED = """
    INSERT INTO opening (account, person, practice, day, presence, justified, denied) VALUES (?, ?, ?, ?, 0, NULL, 1 + ?)
    ON CONFLICT DO UPDATE SET denied = CASE denied WHEN 1 THEN 1 ELSE excluded.denied END, day = min(day, excluded.day),
        presence = 0, justified = NULL, settled = NULL"""
_IS_DENIED = "SELECT 1 FROM opening WHERE account = ? AND person = ? AND denied = 1"
_STALE = "UPDATE account SET day = 0 WHERE id = ?"
_BY_DAY = """SELECT day, count(*), sum(denied) FROM opening
    WHERE account = (SELECT id FROM account WHERE name = ?) AND denied <> 2 GROUP BY day ORDER BY day"""
_ACCOUNTS = """SELECT a.name, a.profession, (SELECT min(day) FROM opening o WHERE o.account = a.id)
    FROM place s JOIN account a ON a.id = s.account WHERE s.practice = (SELECT id FROM practice WHERE name = ?)"""
_OPENED_SINCE = "SELECT count(*) FROM opening WHERE account = (SELECT id FROM account WHERE name = ?) AND day >= ?"
_PRACTICES = """
    SELECT DISTINCT p.name FROM account a JOIN opening o ON o.account = a.id JOIN practice p ON p.id = o.practice
    WHERE a.name = ? ORDER BY p.name"""
_PLACE = "INSERT INTO place VALUES (?, ?) ON CONFLICT DO NOTHING"
# Whose openings are all justified is looked at too, for claims come back. Who was last counted a year ago has none of the year.
_INDEBTED = """
    SELECT name FROM account a WHERE day < ?1 AND (debt > 0 OR year > 0 OR day = 0
        OR (day > ?1 - ?3 AND EXISTS (SELECT * FROM opening o WHERE o.account = a.id AND o.day > ?1 - ?3)))
    ORDER BY day, id LIMIT ?2"""
_MARK = """INSERT INTO mark (slot, position) VALUES (?, ?)
    ON CONFLICT (slot) DO UPDATE SET position = max(position, excluded.position)"""


@dataclass(slots=True)
class _Batch:
    """What asks change, until it is written. `openings`: practice and day, by account and person; `standings`: by account."""

    openings: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    standings: dict[int, Standing] = field(default_factory=dict)
    notes: list[tuple[int, Noted | Full | Showed]] = field(default_factory=list)


class LocalAllowances:
    """One instance a process; its methods are called one after the other, by whatever thread. `is_watched`: for a watcher."""

    def __init__(self, path: Path, table: CapTable, *, is_watched: bool = True) -> None:
        self._table = table
        self._longest_us = table.longest_us
        self._is_watched = is_watched
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(f"PRAGMA wal_autocheckpoint={FOLDED_PAGES}")
        make_openings(self._connection)
        make_table(self._connection)
        self._notes = Notes(self._connection)
        self._accounts: dict[str, tuple[int, str]] = {}  # number, and profession as last said
        self._practices: dict[str, int] = {}
        self._places: set[tuple[int, int]] = set()  # that are written
        self._held: dict[str, int] = {}  # marks not yet written
        self._held_times = 0
        self._is_recovering = True
        self._turn = Lock()

    def take(self, asks: Sequence[Ask]) -> list[str]:
        """Count each ask, and write it down for the watcher. People known already need no transaction where nobody watches."""
        with self._turn:
            is_noted = self._is_watched and any(ask.question or ask.presence for ask in asks)
            if not is_noted and all(self._known_since(ask) for ask in asks):
                return [""] * len(asks)
            with self._transaction():
                batch = _Batch()
                refused = [self._taken(ask, batch) for ask in asks]
                self._write(batch)
                self._notes.put(batch.notes)
                return refused

    def reached(self, mark: Mark) -> None:
        """Remember the mark: it is written with the next transaction, or after some."""
        self._held[mark.slot] = max(mark.position, self._held.get(mark.slot, 0))
        self._held_times += 1
        if self._held_times >= HELD_MAX:
            self.flush()

    def recover(self, entries: Sequence[tuple[Entry, Mark]]) -> None:
        """Count what these entries opened, if it is not, in one transaction."""
        with self._turn, self._transaction():
            for entry, mark in entries:
                self._held[mark.slot] = max(mark.position, self._held.get(mark.slot, 0))
                if opens(entry):
                    self._recover(entry)

    def caught_up(self) -> None:
        """Everything the journal holds past the `marks` is counted: marks may be written."""
        self._is_recovering = False

    def marks(self) -> dict[str, int]:
        """How far each slot of the journal is counted."""
        return dict(self._connection.execute("SELECT slot, position FROM mark"))

    def flush(self) -> None:
        """Write the marks that are held."""
        self._held_times = 0
        if self._held and not self._is_recovering:
            with self._turn, self._transaction():
                pass

    def close(self) -> None:
        """Write the marks, and close."""
        self.flush()
        self._connection.close()

    def practices(self, account: str) -> list[str]:
        """Where an account opened somebody."""
        with self._turn:
            return [name for (name,) in self._connection.execute(_PRACTICES, (account,))]

    def settle(
        self, account: str, practice: str, lately: Collection[bytes], standing: Collection[bytes], today: int
    ) -> None:
        """Justify the account's openings at the practice that settled claims are about; take back those they no longer are."""
        new, kept = ({_short(person) for person in people} for people in (lately, standing))
        with self._turn, self._transaction():
            id_ = self._account(account, "")
            rows = self._connection.execute(_CLAIMED, (id_, self._practice(practice), today - YEAR_DAYS)).fetchall()
            changed = [
                (now, id_, person)
                for person, day, before in rows
                if (now := justified_on(Opened(day, before), lately=person in new, stands=person in kept, today=today))
                != before
            ]
            self._connection.executemany(_JUSTIFY, changed)
            self._count(id_, self._caps(id_, today), today)

    def deny(self, account: str, person: bytes, at_us: int) -> bool:
        """Unjustified for ever: whether the account had opened the person without a pass. The watcher is told."""
        with self._turn, self._transaction():
            id_ = self._account(account, "")
            done = self._connection.execute(_DENY, (id_, _short(person))).rowcount > 0
            self._count(id_, self._caps(id_, day_of(at_us)), day_of(at_us))
            if done and self._is_watched:
                self._notes.put([(id_, NotMe(at_us))])
            return done

    def recover_denial(
        self, account: str, practice: str, person: bytes, opened_day: int, at_us: int, *, is_carried: bool = False
    ) -> None:
        """Deny what may not be opened yet; the account is counted anew when it next asks."""
        with self._turn, self._transaction():
            id_ = self._account(account, "")
            is_new = self._connection.execute(_IS_DENIED, (id_, _short(person))).fetchone() is None
            self._connection.execute(_DENIED, (id_, _short(person), self._practice(practice), opened_day, is_carried))
            self._connection.execute(_STALE, (id_,))
            if is_new and self._is_watched and not is_carried:
                self._notes.put([(id_, NotMe(at_us, again=True))])

    def by_day(self, account: str) -> list[Counted]:
        """Whom an account newly opened by day, and how many of them said "not me" since."""
        with self._turn:
            return [Counted(*row) for row in self._connection.execute(_BY_DAY, (account,))]

    def accounts(self, practice: str) -> dict[str, tuple[str, int]]:
        """Who opened somebody there: profession, day of the first opening."""
        with self._turn:
            return {name: (as_, day) for name, as_, day in self._connection.execute(_ACCOUNTS, (practice,))}

    def opened_since(self, account: str, day: int) -> int:
        """How many people an account opened from a day on."""
        with self._turn:
            return int(self._connection.execute(_OPENED_SINCE, (account, day)).fetchone()[0])

    def position(self, account: str, today: int) -> Position | None:
        """Where an account stands, counted anew."""
        with self._turn, self._transaction():
            row = self._connection.execute("SELECT id, profession FROM account WHERE name = ?", (account,)).fetchone()
            if row is None:
                return None
            caps = self._table.of(row[1], today)
            standing = self._count(row[0], caps, today)
            (count,) = self._connection.execute("SELECT count(*) FROM opening WHERE account = ?", row[:1]).fetchone()
            return Position(account, row[1], standing, caps, count)

    def professions(self, accounts: Collection[str]) -> dict[str, str]:
        """What accounts ask as, where it is known."""
        with self._turn:
            rows = [self._connection.execute(_PROFESSION, (account,)).fetchone() for account in accounts]
        return {name: profession for name, profession in filter(None, rows) if profession != OTHER}

    def indebted(self, today: int, limit: int) -> list[str]:
        """Accounts to look at today, those looked at longest ago first."""
        with self._turn:
            return [name for (name,) in self._connection.execute(_INDEBTED, (today, limit, YEAR_DAYS))]

    def _known_since(self, ask: Ask) -> int:
        """The day on which the account opened this person, by a proof as good as this one; 0 for never, as slowly for nobody."""
        account = self._accounts.get(ask.account)
        if account is None:
            return 0
        row = self._connection.execute(_KNOWN, (account[0], _short(ask.person))).fetchone()
        return row[1] if row and ask.person and (ask.presence is Presence.TYPED or row[0] > 0) else 0

    def _taken(self, ask: Ask, batch: _Batch) -> str:
        account = self._account(ask.account, ask.profession)
        pending = batch.openings.get((account, _short(ask.person))) if ask.presence is Presence.TYPED else None
        since_day = pending[1] if pending else self._known_since(ask)
        refused = "" if since_day else self._take(ask, account, batch)
        if self._is_watched and ask.question and refused in WATCHED:
            note = Full(ask.question.at_s) if refused else _noted(ask, ask.question, since_day)
            batch.notes.append((account, note))
        elif self._is_watched and ask.presence and ask.person:
            showed = Showed(ask.at_us // 1_000_000, _short(ask.person), ask.practice, ask.presence is Presence.LIVE)
            batch.notes.append((account, showed))
        return refused

    def _take(self, ask: Ask, account: int, batch: _Batch) -> str:
        today = day_of(ask.at_us)
        if ask.presence is not Presence.TYPED:
            self._write(batch)  # what it shows may be in it
            return self._shown(account, ask, today) if ask.person else ""
        caps = self._table.of(ask.profession, today)
        standing = batch.standings.get(account)
        if standing is None:
            standing = Standing(*self._connection.execute(_STANDING, (account,)).fetchone())
        if standing.day != today:
            self._write(batch)
            standing = self._count(account, caps, today)
        if (timely := in_time(standing, self._longest_us, ask.at_us)) is not standing:
            standing = timely
            self._stand(account, standing)  # refused or not: it fills from now on
        caps = caps.slowed() if ask.is_slowed else caps
        refused = spent(standing, caps, ask.at_us)
        if ask.person and not refused:
            standing = opened(standing, caps, ask.at_us)
            batch.openings[account, _short(ask.person)] = self._place(ask.practice, account), today
        batch.standings[account] = standing
        return refused

    def _write(self, batch: _Batch) -> None:
        """Write what was opened and where accounts stand now: a statement for each kind, since each costs as much as its row."""
        self._connection.executemany(
            _OPEN, ((*key, practice, day, Presence.TYPED, None) for key, (practice, day) in batch.openings.items())
        )
        stood = {account for account, _ in batch.openings}
        self._connection.executemany(_STAND, ((*astuple(batch.standings[id_]), id_) for id_ in stood))
        batch.openings.clear()
        batch.standings.clear()

    def _shown(self, account: int, ask: Ask, today: int) -> str:
        """A pass: the person is the account's from now on, and an opening of before is justified."""
        if self._connection.execute(_SHOWN, (ask.presence, today, account, _short(ask.person))).rowcount:
            self._count(account, self._table.of(ask.profession, today), today)
        else:
            self._open(account, ask.person, ask.practice, today, ask.presence)
        return ""

    def _open(self, account: int, person: bytes, practice: str, day: int, presence: Presence) -> bool:
        justified = None if presence is Presence.TYPED else day
        row = (account, _short(person), self._place(practice, account), day, presence, justified)
        return self._connection.execute(_OPEN, row).rowcount > 0

    def _place(self, practice: str, account: int) -> int:
        """The number of a practice, which is written as one where this account opened somebody."""
        place = self._practice(practice), account
        if place not in self._places:
            self._connection.execute(_PLACE, place)
            self._places.add(place)
        return place[0]

    def _recover(self, entry: Entry) -> None:
        """Count an opening that a power cut took; the bucket is emptied by as much."""
        account, day = self._account(entry.account, ""), day_of(entry.ts_us)
        if self._open(account, entry.person, entry.practice, day, Presence(entry.presence)) and not entry.presence:
            standing = Standing(*self._connection.execute(_STANDING, (account,)).fetchone())
            self._stand(account, opened(standing, self._caps(account, day), entry.ts_us))

    def _count(self, account: int, caps: Caps, today: int) -> Standing:
        standing = Standing(*self._connection.execute(_STANDING, (account,)).fetchone())
        rows = self._connection.execute(_OPENINGS, (account, today - YEAR_DAYS))
        standing = counted(standing, starmap(Opened, rows), caps, today)
        self._stand(account, standing)
        return standing

    def _stand(self, account: int, standing: Standing) -> None:
        self._connection.execute(_STAND, (*astuple(standing), account))

    def _caps(self, account: int, day: int) -> Caps:
        (name,) = self._connection.execute("SELECT profession FROM account WHERE id = ?", (account,)).fetchone()
        return self._table.of(name, day)

    def _account(self, name: str, profession: str) -> int:
        """The number of an account. Its profession is what its last token said; one not said yet is `other`."""
        id_, known = self._accounts.get(name, (0, ""))
        if not id_ or (profession and profession != known):
            said = "INSERT INTO account VALUES (NULL, ?, ?, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING"
            self._connection.execute(said, (name, profession or OTHER))
            (id_,) = self._connection.execute("SELECT id FROM account WHERE name = ?", (name,)).fetchone()
            if profession:
                self._connection.execute("UPDATE account SET profession = ? WHERE id = ?", (profession, id_))
            self._accounts[name] = id_, profession
        return id_

    def _practice(self, name: str) -> int:
        if (id_ := self._practices.get(name)) is None:
            self._connection.execute("INSERT INTO practice VALUES (NULL, ?) ON CONFLICT DO NOTHING", (name,))
            (id_,) = self._connection.execute("SELECT id FROM practice WHERE name = ?", (name,)).fetchone()
            self._practices[name] = id_
        return id_

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of a batch or nothing of it, with the marks that are held."""
        self._begin()
        ended = False
        try:
            yield
            if not self._is_recovering:
                self._connection.executemany(_MARK, self._held.items())
            self._connection.execute("COMMIT")
            self._held_times = 0
            if not self._is_recovering:
                self._held.clear()
            ended = True
        finally:
            if not ended:
                self._connection.execute("ROLLBACK")
                self._accounts.clear()  # numbers given in it were taken back
                self._practices.clear()
                self._places.clear()

    def _begin(self) -> None:
        """Begin once nobody else writes: here answers wait."""
        patiently(self._connection, "BEGIN IMMEDIATE", WAIT_S, PAUSE_S)


def _noted(ask: Ask, question: Question, since_day: int) -> Noted:
    told = replace(question, known=True, since_day=since_day) if since_day else question
    return Noted(told, _short(ask.person), ask.practice)


def _short(person: bytes) -> int:
    return int.from_bytes(person[:8], signed=True)
