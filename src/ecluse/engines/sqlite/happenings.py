"""What waits for the watcher in gate.db: written in the very transaction of what happened, read in that order."""

from __future__ import annotations

import logging
import sqlite3
from importlib.resources import files

import msgspec

from ecluse.app.ports.sensings import What

WAITING_MAX = (
    1_000_000  # some 150 MB, and a day without a watcher on a large hub: what comes then is not seen by detectors
)
_PUT = "INSERT INTO happening (account, what) VALUES (?, ?)"

LOG = logging.getLogger(__name__)

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(What).decode


def make_tables(connection: sqlite3.Connection) -> None:
    """The tables of the watcher, where they are not there."""
    connection.executescript((files("ecluse.engines.sqlite") / "happenings.sql").read_text())


class Notes:
    """Writes happenings through one connection, in whatever transaction is open there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._until_id = 0  # there is room up to there

    def put(self, account: int, what: What) -> None:
        """Write one down; `account` is its number, 0 for none. Nothing, and an error told, when the watcher is far behind."""
        id_ = self._connection.execute(_PUT, (account, encode(what))).lastrowid or 0
        if id_ >= self._until_id:
            (first,) = self._connection.execute("SELECT min(id) FROM happening").fetchone()
            self._until_id = first + WAITING_MAX
            if id_ >= self._until_id:
                self._connection.execute("DELETE FROM happening WHERE id = ?", (id_,))
                LOG.error("the watcher is %d happenings behind: this one is not seen", WAITING_MAX)
