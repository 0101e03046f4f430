"""Columns that older files lack. gate.db has no schema revisions: each engine creates its own table, and adds such columns."""

from __future__ import annotations

import sqlite3

from ecluse.engines.sqlite.connection import patiently

MEND_S = 10  # all processes of a hub open its files at once, and each mends what it finds

_KNOWN = "SELECT name FROM pragma_table_info(?)"


def add_missing(connection: sqlite3.Connection, table: str, columns: dict[str, str]) -> None:
    """Add those of these columns (name → what it is declared as) that the table has not; one process of several does."""
    if not _missing(connection, table, columns):
        return
    patiently(connection, "BEGIN IMMEDIATE", MEND_S)
    with connection:  # commits, or rolls back
        for name in _missing(connection, table, columns):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")


def _missing(connection: sqlite3.Connection, table: str, columns: dict[str, str]) -> list[str]:
    known = {name for (name,) in connection.execute(_KNOWN, (table,))}
    return [name for name in columns if name not in known]
