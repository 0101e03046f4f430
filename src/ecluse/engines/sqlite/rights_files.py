"""Rights by generation: `rights/<amc>-<generation>.db`, one immutable file per insurer; hub.db names the one that answers.

Readers look up the name at every check, so a swap is seen by every process within milliseconds; a reader that holds the old
file open goes on with it until then (docs/decisions/0005-rights-as-generations.md).
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from ecluse.app.ports import Pseudonyms
from ecluse.engines.sql.unit import INDEX_KEY_NEWER
from ecluse.engines.sqlite.database import Database, Remembered

MAPPED_BYTES = 1 << 31  # SQLite maps no more; what lies past it is read, from the same page cache
NOBODY: tuple[bytes, list[bytes]] = (b"", [])
_NO_KEYS = (bytes(16),)

_GENERATION = "SELECT generation FROM insurer WHERE amc = :insurer"  # the name of the file that answers
_OF_PERSON = "SELECT sealed FROM rights WHERE person = ?"  # in the order of `n`: the key's
_OF_MEMBER = "SELECT person FROM members WHERE member = ?"  # whom a member number stands for


class RightsFiles:
    """Reads for one process; not shared between threads."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._seen = database.seen
        self._names: Remembered[str] = Remembered(database, _GENERATION)
        self._open: dict[str, tuple[str, sqlite3.Connection, int]] = {}
        # Where nobody is looked for if the insurer has no file: an insurer that is not served must not be told by the time.
        self._empty = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._empty.executescript((files("ecluse.engines.sqlite") / "rights_file.sql").read_text())

    def read(self, insurer: str, keys: Pseudonyms, *, by_member: bool = False) -> tuple[bytes, list[bytes]]:
        """The person behind one of the pseudonyms `keys` (by version), and their sealed rights; `NOBODY` when there is none.

        About 10 µs when the pages are in memory (bench/feed.py). Raises `index_key_newer`.
        """
        file, version = self._current(insurer)
        if file is None or not keys:
            file, version, keys = self._empty, 1, keys or _NO_KEYS
        if version > len(keys):
            raise INDEX_KEY_NEWER()
        person = key = keys[version - 1]
        if by_member:
            found = file.execute(_OF_MEMBER, (key,)).fetchone()
            if found is None:
                return NOBODY
            person = found[0]
        sealed = [row[0] for row in file.execute(_OF_PERSON, (person,))]
        return (person, sealed) if sealed else NOBODY

    def close(self) -> None:
        """Close every file."""
        for connection in (self._empty, *(held[1] for held in self._open.values())):
            connection.close()
        self._open.clear()

    def _current(self, insurer: str) -> tuple[sqlite3.Connection | None, int]:
        named = self._generation(insurer)
        if named is None:
            return None, 0
        held = self._open.get(insurer)
        if held is None or held[0] != named:
            held = self._take(insurer, named)
        return held[1], held[2]

    def _take(self, insurer: str, named: str) -> tuple[str, sqlite3.Connection, int]:
        """Open the file of a generation. It may be swapped and removed just then: the new name is read, and tried."""
        while True:
            try:
                file = open_rights(rights_path(self._folder, insurer, named))
                held = named, file, index_version(file)
                break
            except sqlite3.OperationalError:
                self._seen.look()
                again = self._generation(insurer)
                if again is None or again == named:
                    raise
                named = again
        if insurer in self._open:
            self._open[insurer][1].close()
        self._open[insurer] = held
        return held

    def _generation(self, insurer: str) -> str | None:
        return self._names.get(insurer=insurer)


def rights_path(folder: Path, insurer: str, generation: str) -> Path:
    """Where a generation of an insurer's rights is."""
    return folder / f"{insurer}-{generation}.db"


def index_version(file: sqlite3.Connection) -> int:
    """The version of the index key a generation is keyed under: its `user_version`, 0 in files older than versions."""
    version: int = file.execute("PRAGMA user_version").fetchone()[0]
    return version or 1


def open_rights(path: Path) -> sqlite3.Connection:
    """A reading connection that takes no lock: the file never changes. Raises `sqlite3.OperationalError` if absent."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    return connection
