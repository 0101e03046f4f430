"""The `Openings` port in openings.db of the hub's directory, whichever store it has; made when an insurer first asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Lock

from msgspec.structs import astuple

from ecluse.app.ports.openings import Opening
from ecluse.engines.sqlite.connection import connect

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

    def follow(self, shard: str, upto: int, found: Sequence[Opening]) -> None:
        """Keep what was found, and how far, in one transaction."""
        with self._transaction("IMMEDIATE") as connection:
            connection.executemany(_KEEP, map(astuple, found))
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
