"""Makes one generation of an insurer's rights: staged, built beside the file that answers, named once it is on disk.

While it is built the file is nobody's: no journal, no sync. It becomes durable, then gets its name, then hub.db names it
(`answer`). A killed build leaves a file without a name, which the next one replaces.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from importlib.resources import files
from pathlib import Path

from ecluse.app.ports import FeedCounts, Rekeying, Settle
from ecluse.engines.durable import sync
from ecluse.engines.rekeying import carry_over
from ecluse.engines.room import hold_room
from ecluse.engines.sql.feeds import FEED_IN_PROGRESS, finish
from ecluse.engines.sql.unit import Tx
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.kept import KeptFile
from ecluse.engines.sqlite.rights_files import index_version, open_rights, rights_path
from ecluse.engines.staging import Given, StagedMember, StagedRow, Staging, by_person, givings
from ecluse.engines.turn import alone

CACHE_KIB = 32_768  # a full file is filled in order and looks back at nothing; a delta touches a page per person

_PUT = "INSERT INTO rights (person, n, sealed) VALUES (?, ?, ?)"
_KEPT = "SELECT sealed FROM rights WHERE person = ?"
_FORGET = "DELETE FROM rights WHERE person = ?"
_NAME = "INSERT INTO members (member, person) VALUES (?, ?) ON CONFLICT DO UPDATE SET person = excluded.person"
_HAD = "SELECT person FROM members WHERE member = ?"
_TALLY = "SELECT persons, rights FROM tally"
_TELL = "UPDATE tally SET persons = ?, rights = ?"

# A full file's bucket is moved by SQLite itself, sorted in memory. People with several rows are settled one by one.
_SEVERAL = "SELECT person FROM staged.r{0} GROUP BY person HAVING count(*) > 1"
_ALONE = """
    INSERT INTO rights SELECT person, 0, sealed FROM staged.r{0} WHERE person NOT IN several ORDER BY person"""
_BESIDE = "SELECT person, line, ends, sealed FROM staged.r{0} WHERE person IN several"
_MEMBERS = "INSERT OR IGNORE INTO members SELECT member, person FROM staged.m{0} ORDER BY member"
# When every row gave a new member, no member stands for two persons; else it is looked into.
_ROWS = "SELECT count(*) FROM staged.m{0}"
_AMBIGUOUS = """
    SELECT max(line) FROM staged.m{0} GROUP BY member HAVING count(DISTINCT person) > 1"""

_GENERATION = "SELECT generation FROM insurer WHERE amc = ?"


class RightsWorks:
    """The folders where generations are made: `rights/` and `staging/` of the hub's directory."""

    def __init__(self, directory: Path, database: Database) -> None:
        self._rights, self._staging, self._database = directory / "rights", directory / "staging", database

    @contextmanager
    def work(self, insurer: str, feed: str) -> Iterator[Work]:
        """Begin or go on with a feed's work; what was staged stays until `finish`."""
        self._rights.mkdir(mode=0o700, parents=True, exist_ok=True)
        work = Work(self._rights, self._staging / f"{feed}.db", insurer, feed, self._database)
        try:
            yield work
        finally:
            work.close()

    async def index_version(self, insurer: str) -> int | None:
        """The version of the index key that the rights answering now are keyed under; None when there are none."""
        generation = answering(self._database, insurer)
        if generation is None:
            return None
        with closing(open_rights(rights_path(self._rights, insurer, generation))) as file:
            return index_version(file)

    async def rekey(self, insurer: str, rekeying: Rekeying, told: Callable[[int, int], None]) -> FeedCounts | None:
        """Key the rights that answer under `rekeying.version`, as the next generation; the caller holds the turn."""
        generation = answering(self._database, insurer)
        if generation is None:
            return None
        with closing(open_rights(rights_path(self._rights, insurer, generation))) as kept:
            if index_version(kept) == rekeying.version:
                persons, rights = kept.execute(_TALLY).fetchone()
                return FeedCounts(persons=persons, rights=rights)
            # The same name after a kill: it goes on with what was staged.
            with self.work(insurer, f"{generation.partition('-k')[0]}-k{rekeying.version}") as work:
                counts = await carry_over(KeptFile(kept), work, rekeying, told)
                await work.answer(counts, 0)  # the very same rights under another key, and no feed
                await work.finish()
        return counts

    @asynccontextmanager
    async def turn(self, insurer: str) -> AsyncIterator[None]:
        """This insurer's turn, over all processes; a killed process gives it back. Raises `feed_in_progress`."""
        self._staging.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(self._staging / f"{insurer}.lock", FEED_IN_PROGRESS()):
            yield


class Work:
    """One feed's work. `done`: rows staged and committed."""

    def __init__(self, rights: Path, staging: Path, insurer: str, feed: str, database: Database) -> None:
        self._folder, self._insurer, self._feed, self._database = rights, insurer, feed, database
        self._building = rights / f"{insurer}-{feed}.building"
        self._staging = Staging(staging)
        self._refused: list[tuple[int, str]] = []
        self._persons = self._rights = 0

    @property
    def done(self) -> int:
        """Rows staged and committed."""
        return self._staging.done

    @property
    def index_version(self) -> int:
        """The version of the index key rows are staged under."""
        return self._staging.index_version

    def plan(self, rows: int, index_version: int) -> None:
        """The file holds this many rows, keyed under this version."""
        self._staging.plan(rows, index_version)

    def add(self, rows: list[StagedRow], members: list[StagedMember], read: int | None = None) -> None:
        """Stage rows and members read in this order; `read` counts them when it is not the rows."""
        self._staging.add(rows, members, read)

    async def build(
        self, settle: Settle, told: Callable[[int], None], *, over: bool
    ) -> tuple[FeedCounts, list[tuple[int, str]]]:
        """Build the new file, over the current generation or over nothing; every refused line is found in one go.

        Raises `feed_no_room`, looking before each bucket: some 30 MB.
        """
        self._refused = []
        self._find_given(over=over)
        with closing(self._open_new(over=over)) as file:
            self._build(file, settle, told, over=over)
        if not self._refused:
            self._name()
        return FeedCounts(rows=self._staging.rows, persons=self._persons, rights=self._rights), self._refused

    def _build(self, file: sqlite3.Connection, settle: Settle, told: Callable[[int], None], *, over: bool) -> None:
        file.execute("BEGIN")
        built = 0
        for number in range(self._staging.buckets):
            hold_room(self._folder)
            if over:
                built += self._amend(file, self._staging.bucket(number), settle, self._staging.given(number))
                file.executemany(_NAME, self._named(self._staging.members(number)))
            else:
                built += self._fill(file, number, settle)
            told(built)
        file.execute(_TELL, (self._persons, self._rights))
        file.execute(f"PRAGMA user_version = {self._staging.index_version}")
        file.execute("COMMIT")

    async def answer(self, counts: FeedCounts, at_ts_us: int) -> None:
        """One transaction of hub.db: the built generation answers, and its feed is loaded."""

        async def work(tx: Tx) -> None:
            await tx.run("answer_feed", insurer=self._insurer, generation=self._feed)
            await finish(tx, self._feed, "loaded", self._feed, counts, at_ts_us)

        await self._database.write(work)

    async def finish(self) -> None:
        """Remove what was staged, half-built files, and generations that no longer answer. Readers that hold one go on."""
        self._staging.remove()
        named = answering(self._database, self._insurer)
        for each in [*self._folder.glob(f"{self._insurer}-*.db"), *self._folder.glob(f"{self._insurer}-*.building")]:
            if named is None or each != rights_path(self._folder, self._insurer, named):
                each.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the staging; it stays on disk unless `finish` removed it."""
        self._staging.close()

    def _name(self) -> None:
        """Make the built file durable and give it its name."""
        sync(self._building)
        self._building.rename(rights_path(self._folder, self._insurer, self._feed))
        sync(self._folder)

    def _open_new(self, *, over: bool) -> sqlite3.Connection:
        self._building.unlink(missing_ok=True)
        before = answering(self._database, self._insurer) if over else None
        if before is not None:
            hold_room(self._folder, rights_path(self._folder, self._insurer, before).stat().st_size)
            shutil.copyfile(rights_path(self._folder, self._insurer, before), self._building)
        file = sqlite3.connect(self._building, isolation_level=None, check_same_thread=False)
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "locking_mode = EXCLUSIVE",
            f"cache_size = -{CACHE_KIB}",
        ):
            file.execute(f"PRAGMA {pragma}")
        assert before is None or index_version(file) == self._staging.index_version, "two keys in one file"
        if before is None:
            file.executescript((files("ecluse.engines.sqlite") / "rights_file.sql").read_text())
        file.execute("ATTACH ? AS staged", (str(self._staging.path),))
        file.execute("CREATE TEMP TABLE several (person BLOB PRIMARY KEY) WITHOUT ROWID")
        self._persons, self._rights = file.execute(_TALLY).fetchone()
        return file

    def _fill(self, file: sqlite3.Connection, number: int, settle: Settle) -> int:
        """What a full file says of the people of one bucket; how many rows. Most have one row, which needs no settling."""
        several = file.execute(_SEVERAL.format(number)).fetchall()
        file.execute("DELETE FROM several")
        file.executemany("INSERT INTO several VALUES (?)", several)
        alone = file.execute(_ALONE.format(number)).rowcount
        self._persons += alone
        self._rights += alone
        beside = self._amend(file, sorted(file.execute(_BESIDE.format(number))), settle) if several else 0
        if file.execute(_MEMBERS.format(number)).rowcount != file.execute(_ROWS.format(number)).fetchone()[0]:
            self._refused += [(line, "member_ambiguous") for (line,) in file.execute(_AMBIGUOUS.format(number))]
        return alone + beside

    def _find_given(self, *, over: bool) -> None:
        """Whose member number the rows give to somebody else, before anything is changed; the copy would be locked for it."""
        self._staging.begin_giving()
        before = answering(self._database, self._insurer) if over else None
        if before is None:
            return
        with closing(open_rights(rights_path(self._folder, self._insurer, before))) as kept:
            for number in range(self._staging.buckets):
                members = self._staging.members(number)
                found = ((each[0], kept.execute(_HAD, each[:1]).fetchone()) for each in members)
                self._staging.give(givings(members, {member: had[0] for member, had in found if had}))
        self._staging.end_giving()

    def _amend(
        self, file: sqlite3.Connection, rows: Sequence[StagedRow], settle: Settle, given: Sequence[Given] = ()
    ) -> int:
        """Apply rows to each person they speak of, or whose number they give to another; how many rows."""
        for person, changes, others in by_person(rows, given):
            kept = [sealed for (sealed,) in file.execute(_KEPT, (person,))]
            sealed, refused = settle(person, kept, changes, others)
            self._refused += refused
            self._persons += bool(sealed) - bool(kept)
            self._rights += len(sealed) - len(kept)
            file.execute(_FORGET, (person,))
            file.executemany(_PUT, [(person, n, each) for n, each in enumerate(sealed)])
        return len(rows)

    def _named(self, members: Sequence[StagedMember]) -> Iterator[tuple[bytes, bytes]]:
        """Each member once; a member number that stands for two persons is refused."""
        named, person, first = b"", b"", 0
        for member, whose, line in members:
            if member != named:
                named, person, first = member, whose, line
                yield member, whose
            elif whose != person:
                self._refused.append((max(line, first), "member_ambiguous"))


def answering(database: Database, insurer: str) -> str | None:
    """The generation that answers for an insurer."""
    row = database.reader.execute(_GENERATION, (insurer,)).fetchone()
    return row[0] if row else None
