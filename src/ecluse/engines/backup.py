"""A copy of a hub's directory, taken while it answers, whose journal is never behind its database.

The order makes it so: the database first, then what it names (rights files, received files), then the engagements with their
journal marks, then the journal: its heads first, so that none is copied that is ahead of the entries, then the segments, then the
bundles and tiles that take their place. Keys stay out: who steals the copy reads nothing. Taken again into the same
folder, only what changed is copied; broken off, it is taken again.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from ecluse.engines.durable import sync
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.rights_files import rights_path
from ecluse.kernel.errors import refusal

TRIES_MAX = 5  # a member file may be loaded, and old files removed, between two steps; five times in a row it is not
_PART = ".part"

BACKUP_PLACE = refusal(
    "backup_place_invalid",
    409,
    "A backup does not go there",
    fix="Name a folder outside the hub's directory, on another disk.",
)
BACKUP_BUSY = refusal(
    "backup_disturbed", 503, "Files went away while they were copied", fix="Wait for the load, then run it again."
)

_GENERATIONS = "SELECT amc, generation FROM insurer WHERE generation IS NOT NULL"  # the rights files that answer
_RECEIVED = "SELECT id FROM feed WHERE spooled = 1 AND state IN ('received', 'loading')"  # files still to be loaded


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup holds: its folder, how many files, and how many of them were copied this time."""

    place: str
    files: int
    copied: int


class Backup:
    """One copy of the hub in `source`, in the folder `to`."""

    def __init__(self, source: Path, to: Path) -> None:
        if to.resolve().is_relative_to(source.resolve()):
            raise BACKUP_PLACE(f"{to} is in the hub's directory")
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._source, self._to = source, to
        self._held: set[Path] = set()
        self._copied = 0

    def store(self, database: Path) -> None:
        """The embedded engine's files, as of one instant. Raises `backup_disturbed`."""
        for _ in range(TRIES_MAX):
            self._snapshot(database)
            try:
                for named in self._named_by(self._to / database.relative_to(self._source)):
                    self._copy(named)
            except FileNotFoundError:  # replaced since: the newer database names another
                continue
            self._snapshot(database.with_name("engagements.db"))
            return
        raise BACKUP_BUSY()

    def snapshot(self, name: str) -> None:
        """One more SQLite file, if the hub has made it yet."""
        if (self._source / name).exists():
            self._snapshot(self._source / name)

    def files(self, folders: Iterable[str]) -> None:
        """Every file of these folders; one that only grows is copied as far as it goes."""
        for folder in folders:
            for file in sorted((self._source / folder).rglob("*")):
                if file.is_file() and file.suffix not in (".lock", _PART):
                    self._copy(file)

    def journal(self, folder: str) -> None:
        """A journal that is being written: whole, as it was at some moment after the first file was copied."""
        shards = self._source / folder
        self._copy(shards / "shards.json")
        for pattern in ("*/head", "*/checkpoint", "*/wal/*.seg", "*/wal/*.torn", "*/tile/**/*"):
            for file in sorted(shards.glob(pattern)):
                if file.is_file() and file.suffix != _PART:
                    self._copy_if_there(file)

    def file(self, name: str) -> None:
        """One file."""
        self._copy(self._source / name)

    def done(self) -> Copied:
        """What is there now, on disk; what an earlier backup left and this one does not name is removed."""
        for left in [each for each in self._to.rglob("*") if each.is_file() and each not in self._held]:
            left.unlink()
        return Copied(str(self._to), len(self._held), self._copied)

    def _named_by(self, snapshot: Path) -> list[Path]:
        with closing(sqlite3.connect(snapshot)) as copy:
            rights = [rights_path(self._source / "rights", *row) for row in copy.execute(_GENERATIONS)]
            return rights + [self._source / "spool" / f"{feed}.sealed" for (feed,) in copy.execute(_RECEIVED)]

    def _snapshot(self, database: Path) -> None:
        """A SQLite file as it was last committed, whoever writes to it."""
        place, part = self._place(database)
        part.unlink(missing_ok=True)
        with closing(connect(database)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        self._keep(part, place)

    def _copy_if_there(self, file: Path) -> None:
        """Copy it, unless it was retired meanwhile: what it had is in full bundles and tiles, copied next."""
        with suppress(FileNotFoundError):
            self._copy(file)

    def _copy(self, file: Path) -> None:
        place, part = self._place(file)
        if place.exists() and _written(place) == _written(file):
            self._held.add(place)
            return
        shutil.copy2(file, part)  # with the time it was written, which tells whether it changed since
        self._keep(part, place)

    def _place(self, file: Path) -> tuple[Path, Path]:
        place = self._to / file.relative_to(self._source)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place, place.with_name(place.name + _PART)

    def _keep(self, part: Path, place: Path) -> None:
        part.chmod(0o600)
        sync(part)
        part.replace(place)
        sync(place.parent)
        self._held.add(place)
        self._copied += 1


def _written(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_size, state.st_mtime_ns
