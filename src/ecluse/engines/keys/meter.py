"""How often index keys are used: two budgets, and counts that a kill does not lose.

Each process that uses them writes in a slot of its own (`keys/counts/<n>`, four numbers of 8 bytes, mapped in memory): the
kernel keeps what a killed process wrote. The same slot goes on counting for the next process, so the sums only grow.
"""

from __future__ import annotations

import mmap
import os
import time
from itertools import count
from pathlib import Path
from typing import BinaryIO

import msgspec

from ecluse.app.ports import Totals
from ecluse.engines.turn import taken
from ecluse.kernel.errors import refusal

SLOT_BYTES = 32
ASKED, COMPUTED, FILED, KEYED = range(4)

KEYS_RATE_LIMITED = refusal(
    "keys_rate_limited",
    503,
    "Too many look-ups for the index key",
    fix="Try again in a second; if these are all real questions, raise keys.lookups_per_s_max.",
)


class Budget(msgspec.Struct, frozen=True):
    """Pseudonyms a process may compute in a second, for look-ups and for rows of member files; 0 is no limit."""

    lookups_per_s_max: int = 0
    rows_per_s_max: int = 0


class Meter:
    """Counts and limits one process's use of the index keys."""

    def __init__(self, folder: Path, budget: Budget) -> None:
        self.tally = SlotTally(folder)
        self._lookups = _Bucket(budget.lookups_per_s_max)
        self._rows = _Bucket(budget.rows_per_s_max)

    def admit(self) -> None:
        """One look-up may go on. Raises `keys_rate_limited`."""
        if self._lookups.missing_s(1) > 0:
            raise KEYS_RATE_LIMITED()

    def wait(self, rows: int) -> None:
        """Return when `rows` more may go on: a member file waits, nobody waits for it."""
        while (missing_s := self._rows.missing_s(rows)) > 0:
            time.sleep(missing_s)


class _Bucket:
    """A second's worth of tokens, filled as time goes by; a batch larger than that leaves a debt the next one waits for."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._left = float(per_s)
        self._seen_s = time.monotonic()

    def missing_s(self, wanted: int) -> float:
        """Take `wanted` tokens and give 0; or take none, and give the seconds until there are some."""
        if not self._per_s:
            return 0
        now_s = time.monotonic()
        self._left = min(self._per_s, self._left + (now_s - self._seen_s) * self._per_s)
        self._seen_s = now_s
        if self._left < 1:
            return (1 - self._left) / self._per_s
        self._left -= wanted
        return 0


class SlotTally:
    """The `Tally` port. The slot is taken at the first count: commands that look nobody up leave none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._slot: memoryview | None = None
        self._file: BinaryIO | None = None  # open, hence locked, as long as this process counts

    def ask(self) -> None:
        """The desk is about to look somebody up."""
        self._counts()[ASKED] += 1

    def key(self, hmacs: int) -> None:
        """HMAC are about to be asked of the place of the keys: it can have made fewer, never more."""
        self._counts()[KEYED] += hmacs

    def compute(self) -> None:
        """A look-up's pseudonyms were computed."""
        self._counts()[COMPUTED] += 1

    def file(self, pseudonyms: int) -> None:
        """Pseudonyms were computed for a member file."""
        self._counts()[FILED] += pseudonyms

    def here(self) -> Totals:
        """The counts of this process's slot."""
        return Totals(*self._slot) if self._slot else Totals()

    def everywhere(self) -> Totals:
        """The counts of all processes, past and present."""
        slots = [memoryview(path.read_bytes()).cast("Q") for path in sorted(self._folder.glob("[0-9]*"))]
        return Totals(*(sum(slot[kind] for slot in slots) for kind in range(4)))

    def _counts(self) -> memoryview:
        if self._slot is None:
            self._slot = self._take()
        return self._slot

    def _take(self) -> memoryview:
        """The first slot nobody holds; made whole before it can be seen."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in count():
            lock = taken(self._folder / str(number))
            if lock is None:
                continue
            file = os.fdopen(lock, "r+b")
            file.truncate(SLOT_BYTES)
            self._file = file
            return memoryview(mmap.mmap(file.fileno(), SLOT_BYTES)).cast("Q")
        raise AssertionError
