"""The tables of `allowances.sql` in gate.db, and what a file of before them lacks."""

from __future__ import annotations

import sqlite3
from importlib.resources import files

from ecluse.engines.sqlite.columns import MEND_S, add_missing
from ecluse.engines.sqlite.connection import patiently

_UNPLACED = "SELECT 1 WHERE EXISTS (SELECT * FROM opening) AND NOT EXISTS (SELECT * FROM place)"
_PLACES = "INSERT INTO place SELECT DISTINCT practice, account FROM opening WHERE true ON CONFLICT DO NOTHING"


def make_openings(connection: sqlite3.Connection) -> None:
    """Make them, and mend a file from before places were kept, or before passes were told from claims."""
    connection.executescript((files("ecluse.engines.sqlite") / "allowances.sql").read_text())
    add_missing(connection, "opening", {"settled": "INTEGER"})
    if connection.execute(_UNPLACED).fetchone():
        patiently(connection, "BEGIN IMMEDIATE", MEND_S)
        with connection:  # commits, or rolls back
            connection.execute(_PLACES)
