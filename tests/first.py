"""The first version's database, with rows in every table: what an upgrade must carry over (tests/cases/schema)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

CASES = Path(__file__).parent / "cases" / "schema"


def write_first(path: Path) -> Path:
    """Make the file at `path` as the first version left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((CASES / "first.sql").read_text())
    return path


def rows(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row, by table; Alembic's own table aside."""
    named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'")
    return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for (name,) in named}


def shape(connection: sqlite3.Connection) -> dict[str, object]:
    """Columns, indexes and triggers as SQLite understands them, whatever the spelling."""
    found: dict[str, object] = {}
    for kind, name, sql in connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'"
    ).fetchall():
        if kind == "table":
            (about,) = connection.execute(f"PRAGMA table_list({name})")
            found[name] = (connection.execute(f"PRAGMA table_xinfo({name})").fetchall(), about[3:])
        elif kind == "index":
            found[name] = (connection.execute(f"PRAGMA index_xinfo({name})").fetchall(), sql.partition(" WHERE ")[2])
        else:
            found[name] = sql.replace("IF NOT EXISTS ", "")
    return found
