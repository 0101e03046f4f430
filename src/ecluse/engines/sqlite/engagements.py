"""engagements.db: what the journal says was promised, where a claim can find it.

It is a copy of the journal, so it needs no sync of its own (`synchronous=NORMAL`), and it may lag: engagements are held in
memory for up to `LAG_S`, found there by their own process, then written many at a time with the journal mark they reach. What
a crash loses is copied again at the next start (`marks`, `Log.unkept`); a process that has not done so, as a command that
writes to the journal, writes no mark, which would hide what it does not hold. Another process that does not find an engagement
looks once more after the lag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

from ecluse.app.ports import Mark
from ecluse.engines.sqlite.connection import connect
from ecluse.journal.entry import Entry

LAG_S = (
    0.03  # what a transaction costs is shared by all the engagements of that time: a third of a check's cost without it
)
HELD_MAX = 256  # engagements written at once: half a millisecond
WAIT_MS = 2000  # another process's batch takes a millisecond
CHECKPOINT_ROWS = 20_000  # about 10 MB of write-ahead log: folding it in takes a fraction of a second

_KEEP = "INSERT INTO engagement (number, insurer, practice, sealed) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_MARK = """
    INSERT INTO mark (slot, position) VALUES (?, ?)
    ON CONFLICT (slot) DO UPDATE SET position = max(position, excluded.position)"""
_FIND = "SELECT insurer, practice, sealed FROM engagement WHERE number = ?"
_LACKING = """
    SELECT asked.key FROM json_each(?) AS asked WHERE NOT EXISTS (SELECT 1 FROM engagement WHERE number = asked.key)"""

Given = tuple[str, str, bytes]  # insurer, practice, sealed engagement


class Engagements:
    """Engagements by number. One instance a process; not shared between threads."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        self._connection.executescript((files("ecluse.engines.sqlite") / "engagements.sql").read_text())
        # Folding the write-ahead log in waits for the disk: it is done aside, never in the middle of an answer.
        self._connection.execute("PRAGMA wal_autocheckpoint=0")
        self._folder = connect(path)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="engagements")
        self._unfolded_rows = 0
        self._held: dict[str, Given] = {}
        self._marks: dict[str, int] = {}
        self._is_copying = True
        self._timer: asyncio.TimerHandle | None = None

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Take the engagements of durable entries; written within `LAG_S`, or at once where no event loop runs."""
        for entry in entries:
            if entry.gives_engagement:
                self._held[entry.engagement] = (entry.insurer, entry.practice, entry.sealed)
        self._marks[mark.slot] = max(mark.position, self._marks.get(mark.slot, 0))
        if len(self._held) >= HELD_MAX:
            self.write()
        elif self._timer is None:
            self._write_soon()

    def find(self, number: str, practice: str) -> tuple[str, bytes] | None:
        """Insurer and sealed bytes of the engagement of this number, if it was given to this practice."""
        given: Given | None = self._held.get(number) or self._connection.execute(_FIND, (number,)).fetchone()
        return (given[0], given[2]) if given and given[1] == practice else None

    async def find_patiently(self, number: str, practice: str) -> tuple[str, bytes] | None:
        """As `find`; an engagement not found may just have been given by another process: look again after the lag."""
        found = self.find(number, practice)
        if found is None:
            await asyncio.sleep(2 * LAG_S)
            found = self.find(number, practice)
        return found

    def lacking(self, numbers: str) -> set[str]:
        """Those that are not in the file, of the keys of a JSON object."""
        return {number for (number,) in self._connection.execute(_LACKING, (numbers,))}

    def marks(self) -> dict[str, int]:
        """How far each slot of the journal is copied to the file."""
        return dict(self._connection.execute("SELECT slot, position FROM mark"))

    def caught_up(self) -> None:
        """Everything the journal holds past the `marks` is held or written: marks may be written."""
        self._is_copying = False

    def write(self) -> None:
        """Write what is held, with the marks it reaches, in one transaction."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rows = sorted((number, *given) for number, given in self._held.items())
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            self._connection.executemany(_KEEP, rows)
            if not self._is_copying:
                self._connection.executemany(_MARK, self._marks.items())
        self._held.clear()
        if not self._is_copying:
            self._marks.clear()
        self._unfolded_rows += len(rows)
        if self._unfolded_rows >= CHECKPOINT_ROWS:
            self._unfolded_rows = 0
            self._disk.submit(self._folder.execute, "PRAGMA wal_checkpoint(PASSIVE)")

    def flush(self) -> None:
        """Write what is held, if anything is."""
        if self._marks:
            self.write()

    def close(self) -> None:
        """Write what is held, and close."""
        self.flush()
        self._disk.shutdown()
        self._folder.close()
        self._connection.close()

    def _write_soon(self) -> None:
        try:
            self._timer = asyncio.get_running_loop().call_later(LAG_S, self.write)
        except RuntimeError:  # no loop: a command, or the copy made at start
            self.write()
