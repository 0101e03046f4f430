"""A copy of a hub's directory, taken while it answers, whose journal is never behind its database.

The order makes it so: the database first, then what it names (rights files, received files), then the engagements with their
journal marks, then the journal: its heads first, so that none is copied that is ahead of the entries, then the segments, then the
bundles and tiles that take their place. Keys stay out: who steals the copy reads nothing. Taken again into the same
folder, only what changed is copied; broken off, it is taken again.

What an earlier backup left is touched only once everything was read, looked at and written beside it: a hub that lost a file,
or holds less than its copy, is refused and the copy stays. Then the new files take their places, the last one read first.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from ecluse.engines.durable import PART, sync
from ecluse.engines.local.registry import FILE as SHARDS
from ecluse.engines.local.registry import read_records
from ecluse.engines.parts import PART_DAMAGED, PART_MISSING, RESTORED, damage, is_damage, read_only, remedy
from ecluse.engines.sqlite.rights_files import rights_path
from ecluse.kernel.errors import refusal

TRIES_MAX = 5  # a member file may be loaded, and old files removed, between two steps; five times in a row it is not

BACKUP_PLACE = refusal(
    "backup_place_invalid",
    409,
    "A backup does not go there",
    fix="Name a folder outside the hub's directory, on another disk.",
)
BACKUP_BUSY = refusal(
    "backup_disturbed",
    503,
    "Files went away while they were copied",
    fix="Wait for the load, then run it again; where nothing is loaded, ask `ecluse doctor`.",
)
BACKUP_FULLER = refusal(
    "backup_holds_more",
    409,
    "The copy that is there holds what this hub has lost",
    fix="Put it back into the hub, and start that once; or name another folder, and keep this one.",
)

_GENERATIONS = "SELECT amc, generation FROM insurer WHERE generation IS NOT NULL"  # the rights files that answer
_RECEIVED = "SELECT id FROM feed WHERE spooled = 1 AND state IN ('received', 'loading')"  # files still to be loaded
_POSTINGS = "SELECT count(*) FROM posting"  # nothing removes one: fewer than in the copy, and some are lost
_OPENINGS = "SELECT count(*) FROM opening"  # the same, though months they are of be pruned from the journal
_MADE_ANEW = {"engagements.db", "sensed.db"}  # whoever deletes one is told to; the copy's stays until there is another


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup holds: its folder, how many files, and how many of them were copied this time."""

    place: str
    files: int
    copied: int


class Backup:
    """One copy of the hub in `source`, in the folder `to`; until `done`, nothing that was there is changed."""

    def __init__(self, source: Path, to: Path) -> None:
        if to.resolve().is_relative_to(source.resolve()):
            raise BACKUP_PLACE(f"{to} is in the hub's directory")
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._source, self._to = source, to
        self._held: set[Path] = set()
        self._begun: set[Path] = set()
        self._read: dict[Path, Path] = {}  # where each file goes, and where it waits

    def __enter__(self) -> Backup:
        return self

    def __exit__(self, *_: object) -> None:
        """What was read and did not take its place goes."""
        for part in self._begun:
            part.unlink(missing_ok=True)

    def store(self, database: Path) -> None:
        """The embedded engine's files, as of one instant. Raises `part_missing`, `part_damaged`, `backup_disturbed`."""
        if not database.exists():
            raise PART_MISSING(f"{database.name} is not there", fix=RESTORED)
        gone = ""
        for _ in range(TRIES_MAX):
            copy = self._snapshot(database, _POSTINGS)
            try:
                for named in self._named_by(copy):
                    gone = str(named.relative_to(self._source))
                    self._copy(named)
            except FileNotFoundError:  # replaced since: the newer database names another
                continue
            self.snapshot(str(database.with_name("engagements.db").relative_to(self._source)))
            return
        raise BACKUP_BUSY(f"{gone} is not there")

    def gate(self, name: str) -> None:
        """The gate's file. Raises `backup_holds_more`, `part_damaged`."""
        self.snapshot(name, _OPENINGS)

    def snapshot(self, name: str, count: str = "") -> None:
        """One more SQLite file, if the hub has made it yet. Raises `backup_holds_more`, `part_damaged`."""
        if (self._source / name).exists():
            self._snapshot(self._source / name, count)

    def files(self, folders: Iterable[str]) -> None:
        """Every file of these folders, unless it is taken away meanwhile; one that only grows is copied as far as it goes."""
        for folder in folders:
            for file in sorted((self._source / folder).rglob("*")):
                if file.is_file() and file.suffix not in (".lock", PART):
                    self._copy_if_there(file)

    def journal(self, folder: str) -> None:
        """A journal that is being written: whole, as it was at some moment after the first file was copied; none of a hub
        that never answered. Raises `backup_holds_more`, `part_damaged`.
        """
        shards = self._source / folder
        self._hold_shards(shards, self._to / folder)
        if not (shards / SHARDS).exists():
            return
        self._copy(shards / SHARDS)
        for pattern in ("*/head", "*/checkpoint", "*/wal/*.seg", "*/wal/*.torn", "*/tile/**/*"):
            for file in sorted(shards.glob(pattern)):
                if file.is_file() and file.suffix != PART:
                    self._copy_if_there(file)

    def file(self, name: str) -> None:
        """One file."""
        self._copy(self._source / name)

    def done(self) -> Copied:
        """What is there now, on disk; what an earlier backup left and this one does not name is removed.

        Raises `backup_holds_more` where that is a database.
        """
        left = {each for each in self._to.rglob("*") if each.is_file()} - self._held - {*self._read.values()}
        databases = {each for each in left if each.suffix == ".db" and each.parent.name != "rights"}
        kept = {each for each in databases if each.name in _MADE_ANEW}
        if lost := sorted(databases - kept):
            raise BACKUP_FULLER(f"{lost[0].relative_to(self._to)} is in {self._to}, and not in the hub")
        for place, part in reversed(
            self._read.items()
        ):  # a kill in between leaves a journal that is ahead, never behind
            part.replace(place)
            sync(place.parent)
        for each in left - kept:
            each.unlink()
        return Copied(str(self._to), len(self._held | kept), len(self._read))

    def _named_by(self, snapshot: Path) -> list[Path]:
        with closing(sqlite3.connect(snapshot)) as copy:
            rights = [rights_path(self._source / "rights", *row) for row in copy.execute(_GENERATIONS)]
            return rights + [self._source / "spool" / f"{feed}.sealed" for (feed,) in copy.execute(_RECEIVED)]

    def _snapshot(self, database: Path, count: str = "") -> Path:
        """A SQLite file as it was last committed, whoever writes to it; where it waits. `count` is of what only grows."""
        place, part = self._place(database)
        part.unlink(missing_ok=True)
        with closing(read_only(database)) as source, closing(sqlite3.connect(part)) as copy:
            try:
                source.backup(copy)
            except sqlite3.DatabaseError as broken:
                if not is_damage(broken):
                    raise
                raise PART_DAMAGED(f"{database.name}: {broken}", fix=remedy(database.name)) from None
            if said := damage(copy):
                raise PART_DAMAGED(f"{database.name}: {said}", fix=remedy(database.name))
            now = copy.execute(count).fetchone()[0] if count else 0
        if count and place.exists() and now < (before := _counted(place, count)):
            raise BACKUP_FULLER(f"{database.name} has {now} rows where the copy in {self._to} has {before}")
        self._keep(part, place)
        return part

    def _hold_shards(self, journal: Path, copy: Path) -> None:
        """Nothing when every shard of the copy is in the journal still: one that is pruned is."""
        try:
            here = read_records(journal)
        except ValueError:
            raise PART_DAMAGED(f"{journal.name}/{SHARDS} does not read") from None
        there = _shards(copy)
        if lost := sorted(there - here.keys()):
            raise BACKUP_FULLER(f"{lost[0]} is in {copy}, and not in the hub's journal")

    def _copy_if_there(self, file: Path) -> None:
        """Copy it, unless it was retired since: what it had is in full bundles and tiles, copied next; or taken by the bank."""
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
        part = place.with_name(place.name + PART)
        self._begun.add(part)
        return place, part

    def _keep(self, part: Path, place: Path) -> None:
        part.chmod(0o600)
        sync(part)
        self._read[place] = part
        self._held.add(place)


def _written(file: Path) -> tuple[int, int]:
    state = file.stat()
    return state.st_size, state.st_mtime_ns


def _counted(copy: Path, count: str) -> int:
    """How many there are in a copy; 0 where it cannot be told, which then holds nothing that could be lost."""
    told = f"{copy.absolute().as_uri()}?immutable=1"  # nobody writes to it, and no log is made beside it
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(told, uri=True)) as file:
        return int(file.execute(count).fetchone()[0])
    return 0


def _shards(copy: Path) -> set[str]:
    """The shards that a copy of a journal names; none where its list does not read."""
    with suppress(ValueError):
        return {*read_records(copy)}
    return set()
