"""Which revision of the schema a database has, and whether this program can work with it.

Opening a hub must be quick, so this module asks the database one question and compares with `HEAD`. The migrations
themselves (`migrations/versions/`, the one source of the schema) are run by `engines/upgrade.py`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import urlsplit

from ecluse.engines.parts import PART_MISSING, RESTORED
from ecluse.kernel.errors import refusal

FIRST = "0001"  # a hub made before revisions were counted has these tables, and no `alembic_version`
HEAD = "0006"  # the newest revision; a test holds it to migrations/versions. Revisions are numbers of four digits, in order.

DATABASE_OUTDATED = refusal(
    "database_outdated", 500, "The database is older than this program", fix="Run `ecluse db upgrade`."
)
DATABASE_NEWER = refusal(
    "database_newer",
    500,
    "The database is newer than this program",
    fix="Install the version that upgraded it, or newer.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a database has: `revision` is empty where no table was made yet. `notes` are for the one who operates it."""

    database: str
    revision: str
    head: str = HEAD
    notes: tuple[str, ...] = ()

    @property
    def current(self) -> bool:
        """Whether this program can work with it."""
        return self.revision == self.head

    def hold(self) -> None:
        """Nothing when it is current. Raises `part_missing`, `database_outdated`, `database_newer`."""
        self.hold_there()
        hold(self.database, self.revision)

    def hold_there(self) -> None:
        """Nothing unless it is a file that is lost or empty: a hub was made with its tables. Raises `part_missing`."""
        if self.database.startswith("sqlite:") and not self.revision:
            name = self.database.removeprefix("sqlite:")
            raise PART_MISSING(f"{name} is not there, or empty", fix=RESTORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """An upgrade: from which revision (empty: the database was empty) to which, and the copy `kept` of what there was."""

    database: str
    before: str
    after: str = HEAD
    kept: str = ""
    notes: tuple[str, ...] = ()


def named(url: str) -> str:
    """A database's URL as it may be shown and logged: no user, no password, no option."""
    scheme, _, rest = url.partition(":")
    if not rest.startswith("//"):
        return url
    parts = urlsplit(url)
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def hold(database: str, revision: str) -> None:
    """Nothing when `revision` is the one this program is made for. Raises `database_outdated`, `database_newer`."""
    if revision > HEAD:
        raise DATABASE_NEWER(f"{database} is at {revision}, this program knows {HEAD}")
    if revision < HEAD:
        raise DATABASE_OUTDATED(f"{database} is at {revision or 'nothing'}, this program needs {HEAD}")


def revision_of(connection: sqlite3.Connection) -> str:
    """The revision of a SQLite file; empty where there is no table."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in tables:
        return FIRST if "posting" in tables else ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""
