"""What waits for the watcher in gate.db: written in the very transaction of what happened, read in that order."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence
from importlib.resources import files

import msgspec

from ecluse.app.ports.sensings import What

WAITING_MAX = (
    1_000_000  # some 150 MB, and a day without a watcher on a large hub: what comes then is not seen by detectors
)
COUNTED_EVERY = 1_000  # happenings between two counts of those that wait
# Ids rise for ever, through a file that was lost too, for they begin at the clock's microseconds: the watcher's mark stays true.
_NEXT = "SELECT max(coalesce(max(id), 0) + 1, ?) FROM happening"
_PUT = "INSERT INTO happening VALUES (?, ?, ?)"

LOG = logging.getLogger(__name__)

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(What).decode


def make_table(connection: sqlite3.Connection) -> None:
    """The table, where it is not there."""
    connection.executescript((files("ecluse.engines.sqlite") / "happenings.sql").read_text())


class Notes:
    """Writes happenings through one connection, in whatever transaction is open there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._until_counted = 0
        self._is_full = False

    def put(self, notes: Sequence[tuple[int, What]]) -> None:
        """Write these down, each with its account's number (0: none). None, and an error told, when the watcher is far behind."""
        if not notes:
            return
        if self._until_counted <= 0:
            (waiting,) = self._connection.execute("SELECT count(*) FROM happening").fetchone()
            self._until_counted = COUNTED_EVERY
            self._is_full = waiting > WAITING_MAX
            if self._is_full:
                LOG.error("the watcher is %d happenings behind: the next %d are not seen", waiting, COUNTED_EVERY)
        self._until_counted -= len(notes)
        if not self._is_full:
            (first,) = self._connection.execute(_NEXT, (time.time_ns() // 1_000,)).fetchone()
            rows = ((number, account, encode(what)) for number, (account, what) in enumerate(notes, first))
            self._connection.executemany(_PUT, rows)
