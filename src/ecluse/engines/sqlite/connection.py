"""A connection to a SQLite file: write-ahead log, every commit on disk, never waiting by itself."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

SWITCH_S = 10  # a new file becomes a WAL file in a millisecond; another process may be making its tables, seconds where all wait
PAUSE_S = 0.002  # between two tries for a file another process is writing to


def connect(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode that never waits: who opens it decides on waiting."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    with closing(connection.cursor()) as cursor:
        patiently(cursor, "PRAGMA journal_mode=WAL", SWITCH_S)  # busy is said at once here, whatever the timeout
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
    return connection


def patiently(on: sqlite3.Cursor | sqlite3.Connection, statement: str, wait_s: float, pause_s: float = PAUSE_S) -> None:
    """Run a statement once nobody else writes. SQLite's own waiting goes by whole milliseconds."""
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            on.execute(statement)
        except sqlite3.OperationalError as busy:
            if busy.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(pause_s)
        else:
            return
