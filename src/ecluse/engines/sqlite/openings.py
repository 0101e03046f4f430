"""The `Openings` port in openings.db of the hub's directory, whichever store it has; made when an insurer first asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from msgspec.structs import astuple, replace

from ecluse.app.ports.openings import Denial, Opening
from ecluse.engines.sqlite.connection import connect
from ecluse.gate.allowance import YEAR_DAYS
from ecluse.gate.denials import Said, Weight, months
from ecluse.kernel.days import DAY_US

FILE = "openings.db"
WAIT_MS = 10_000  # another process keeps some thousand openings in tens of milliseconds

_KEEP = """
    INSERT INTO opening (id, insurer, shard, place, at_us) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET shard = excluded.shard, place = excluded.place, at_us = excluded.at_us
    WHERE (excluded.at_us, excluded.shard, excluded.place) < (opening.at_us, opening.shard, opening.place)"""
_MARK = """
    INSERT INTO mark (shard, place) VALUES (?, ?)
    ON CONFLICT (shard) DO UPDATE SET place = max(place, excluded.place)"""
_MARKS = "SELECT shard, place FROM mark ORDER BY shard"
_OPENING = "SELECT id, insurer, shard, place, at_us FROM opening WHERE "
_PAGE = _OPENING + "insurer = ? AND shard = ? AND place >= ? ORDER BY place LIMIT ?"
_ONE = _OPENING + "id = ? AND insurer = ?"

_SAID = "SELECT * FROM denial WHERE id = ?"
_DECIDE = "INSERT OR REPLACE INTO denial VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
# An operator's word may follow an insurer's, and shards are read one after the other: what counts stays, else what came first.
_SETTLE = """
    INSERT INTO denial VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
    ON CONFLICT (id) DO UPDATE SET at_us = excluded.at_us, said_by = excluded.said_by, is_staff = excluded.is_staff,
        reason = excluded.reason, weight = excluded.weight, is_durable = 1
    WHERE NOT is_durable OR (excluded.weight = 'counted', -excluded.at_us) > (weight = 'counted', -at_us)"""
_OF_ACCOUNT = """
    SELECT count(*) FROM denial
    WHERE account = ? AND insurer = ? AND NOT is_staff AND weight = 'counted' AND at_us >= ?"""
_OF_ALL = "SELECT count(*) FROM denial WHERE insurer = ? AND NOT is_staff AND weight = 'counted' AND at_us >= ?"
_TOLD = "SELECT count(*) FROM opening WHERE insurer = ? AND at_us >= ?"
_COUNTED = """
    SELECT CASE WHEN is_staff THEN '' ELSE insurer END AS who, count(*) FROM denial
    WHERE account = ? AND weight = 'counted' AND at_us >= ? AND opened_us >= ? GROUP BY who"""
_LISTED = """
    SELECT * FROM denial WHERE :insurer IN ('', insurer) AND :account IN ('', account) ORDER BY at_us DESC, id LIMIT :limit"""


class LocalOpenings:
    """One instance a process. Its methods are called one after the other, by whatever thread."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE
        self._opened: sqlite3.Connection | None = None
        self._turn = Lock()

    @property
    def has_begun(self) -> bool:
        """Whether there is a file."""
        return self._file.exists()

    def marks(self) -> Mapping[str, int]:
        """How far each shard was followed."""
        with self._turn:
            return dict(self._connection.execute(_MARKS))

    def follow(self, shard: str, upto: int, found: Sequence[Opening], denials: Sequence[Denial]) -> None:
        """Keep what was found, and how far, in one transaction."""
        with self._transaction("IMMEDIATE") as connection:
            connection.executemany(_KEEP, map(astuple, found))
            connection.executemany(_SETTLE, map(astuple, denials))
            connection.execute(_MARK, (shard, upto))

    def page(self, insurer: str, starts: Mapping[str, int], limit: int) -> tuple[list[Opening], Mapping[str, int]]:
        """Openings and marks of one moment: what the marks cover is all there."""
        found: list[Opening] = []
        with self._transaction("DEFERRED") as connection:
            marks = dict(connection.execute(_MARKS).fetchall())
            for shard in sorted(starts):
                rows = connection.execute(_PAGE, (insurer, shard, starts[shard], limit - len(found)))
                found += [Opening(*row) for row in rows]
        return found, marks

    def opening(self, insurer: str, id_: bytes) -> Opening | None:
        """One opening of the insurer's own members."""
        with self._turn:
            row = self._connection.execute(_ONE, (id_, insurer)).fetchone()
        return Opening(*row) if row else None

    def deny(self, denial: Denial, weigh: Callable[[Said], Weight]) -> tuple[Denial, bool]:
        """Decide on a denial and keep it; one that was decided on before is as it was."""
        with self._transaction("IMMEDIATE") as connection:
            row = connection.execute(_SAID, (denial.id,)).fetchone()
            if row and (not denial.is_staff or row[-2] == Weight.COUNTED):
                return _denial(row[:-1]), bool(row[-1])
            decided = replace(denial, weight=Weight.COUNTED if denial.is_staff else weigh(_said(connection, denial)))
            connection.execute(_DECIDE, astuple(decided))
            return decided, False

    def settle(self, denial: Denial) -> None:
        """The denial is in the journal."""
        with self._transaction("IMMEDIATE") as connection:
            connection.execute(_SETTLE, astuple(denial))

    def counted(self, account: str, since_us: int, opened_since_us: int) -> tuple[int, int]:
        """How many count, and how many of one insurer."""
        with self._turn:
            rows = self._connection.execute(_COUNTED, (account, since_us, opened_since_us)).fetchall()
        return sum(count for _, count in rows), max((count for insurer, count in rows if insurer), default=0)

    def denials(self, insurer: str, account: str, limit: int) -> list[Denial]:
        """Denials, the newest first."""
        with self._turn:
            rows = self._connection.execute(_LISTED, {"insurer": insurer, "account": account, "limit": limit})
            return [_denial(row[:-1]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        if self._opened:
            self._opened.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = connect(self._file)
            self._opened.execute(f"PRAGMA busy_timeout={WAIT_MS}")
            self._opened.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes is followed again
            self._opened.executescript((files("ecluse.engines.sqlite") / "openings.sql").read_text())
        return self._opened

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, on one state of the file."""
        with self._turn:
            connection = self._connection
            connection.execute(f"BEGIN {kind}")
            with connection:
                yield connection


def _said(connection: sqlite3.Connection, denial: Denial) -> Said:
    """What its insurer had counted before, and was told."""
    _, since_us = months(denial.at_us)
    year_us = denial.at_us - YEAR_DAYS * DAY_US
    asked = (
        (_OF_ACCOUNT, (denial.account, denial.insurer, year_us)),
        (_OF_ALL, (denial.insurer, since_us)),
        (_TOLD, (denial.insurer, since_us)),
    )
    return Said(*(int(connection.execute(statement, values).fetchone()[0]) for statement, values in asked))


def _denial(row: tuple[Any, ...]) -> Denial:
    return msgspec.convert(dict(zip(Denial.__struct_fields__, row, strict=True)), Denial, strict=False)
