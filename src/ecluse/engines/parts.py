"""The SQLite files of a hub's directory: a lost or damaged one is refused by name, with what to do.

docs/operations.md ("Files") tells operators the same. Nothing here makes or changes a file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ecluse.app.ports.upkeep import Fault
from ecluse.kernel.errors import refusal

PART_MISSING = refusal("part_missing", 500, "A part of the hub is missing", fix="Restore it from its copy.")
PART_DAMAGED = refusal(
    "part_damaged", 500, "A part of the hub is damaged", fix="Stop the hub, restore it from its copy."
)

RESTORED = (
    "Restore it from the backup before anything else: no other file has the claims and the money. Pay nothing before."
)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FAULT = 0xFF  # SQLite's extended codes have the kind of error in their last byte

# A log left beside a file that was put back would be played into it: file and log go together.
_AWAY = "Stop the hub, move {name} away with its -wal and -shm. "
_THEN = {
    "engagements.db": "The next start fills it again from the journal.",
    "gate.db": "Then restore it from the backup; with no copy left, the next start fills it from the journal, "
    "openings of pruned months aside.",
    "logins.db": "People begin their logins again.",
    "openings.db": "It is made again from the journal, with the same ids.",
    "passes.db": "Then restore it from the backup; with no copy left, passes are issued anew.",
    "portal.db": "People log in again, and bind their passkeys again.",
    "sensed.db": "Then restore it from the backup, or start without it: what is usual is learnt anew.",
    "shown.db": "Start two minutes later.",
}


def remedy(name: str) -> str:
    """What to do when this file is damaged."""
    return _AWAY.format(name=name) + _THEN.get(name, f"Then: {RESTORED[0].lower()}{RESTORED[1:]}")


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that makes and changes nothing. Raises `sqlite3.OperationalError` where there is no file."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def damage(file: sqlite3.Connection) -> str:
    """What its pages say against a file, in SQLite's words, which quote no row; empty: it is sound. Reads all of it."""
    try:
        (said,) = file.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as broken:
        if not is_damage(broken):
            raise
        return str(broken)
    return "" if said == "ok" else str(said).replace("\n", " ")


def is_damage(broken: sqlite3.DatabaseError) -> bool:
    """Whether SQLite says that the file is at fault, not the question."""
    return getattr(broken, "sqlite_errorcode", 0) & _FAULT in _DAMAGE


def damaged(folder: Path) -> list[tuple[str, str]]:
    """The damaged SQLite files of a folder, and what is wrong with each; of one that cannot be looked at now nothing is said."""
    found = []
    for path in sorted(folder.glob("*.db")):
        with suppress(sqlite3.OperationalError), closing(read_only(path)) as file:
            if said := damage(file):
                found.append((path.name, said))
    return found


def faults(folder: Path, but: str = "") -> tuple[Fault, ...]:
    """The same for a doctor, one file aside that was looked at already."""
    return tuple(Fault(f"{name} is damaged: {said}", remedy(name)) for name, said in damaged(folder) if name != but)


@contextmanager
def damage_named(folder: Path) -> Iterator[None]:
    """What SQLite says of a damaged file within the block, said with the file's name. Raises `part_damaged`."""
    try:
        yield
    except sqlite3.DatabaseError as broken:
        found = damaged(folder) if is_damage(broken) else []
        if not found:
            raise
        name, said = found[0]
        raise PART_DAMAGED(f"{name}: {said}", fix=remedy(name)) from None
