"""portal.db: browsers' sessions and passkeys, in one file of all processes of a hub, made when the first browser comes."""

from __future__ import annotations

import sqlite3
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from ecluse.engines.sqlite.connection import connect

WAIT_MS = 2_000  # another process's transaction takes a millisecond


class PortalFile:
    """The file in a place, with one of its tables' scripts; nothing is made before it is used."""

    def __init__(self, path: Path, tables: str) -> None:
        self._path, self._tables = path, tables

    @property
    def is_there(self) -> bool:
        """Whether any browser ever came."""
        return self._path.exists()

    @cached_property
    def connection(self) -> sqlite3.Connection:
        """Open, with its tables."""
        opened = connect(self._path)
        opened.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        opened.executescript((files("ecluse.engines.sqlite") / self._tables).read_text())
        return opened

    def close(self) -> None:
        """Close the file, if it was opened."""
        if "connection" in self.__dict__:
            self.connection.close()
