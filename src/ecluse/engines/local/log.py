"""The `Log` port on a directory of shards: this process's slot, its shard of the month, and the thread that publishes.

Slots let several processes write at once without waiting for each other: each holds one by a file lock (docs/decisions/0019). A
shard is begun with an entry that names the heads of the others, so that none can go missing unseen.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, Thread

from ecluse.app.ports import Mark
from ecluse.engines.local.disk import Disk
from ecluse.engines.local.heads import Heads
from ecluse.engines.local.reading import LocalShards, size_of
from ecluse.engines.local.refusals import (
    JOURNAL_BEHIND,
    JOURNAL_DAMAGED,
    JOURNAL_FORKED,
    JOURNAL_FULL,
    JOURNAL_ORIGIN_CHANGED,
    JOURNAL_POISONED,
)
from ecluse.engines.local.registry import (
    SLOTS_MAX,
    Record,
    Records,
    Signer,
    change,
    held,
    name_of,
    read_records,
    strays,
    try_slot,
)
from ecluse.engines.local.shard import WAL, Shard
from ecluse.engines.local.wal import discard
from ecluse.journal.entry import Operation, act, encode
from ecluse.kernel.days import month_before, ts_us
from ecluse.kernel.errors import Refused

PUBLISH_S = 1.0  # how far `checkpoint` may lag: writing tiles for each batch would cost as much as the batch


class LocalLog:
    """One slot of `directory`: the first free one, taken at the first use and held until `close`."""

    def __init__(
        self,
        directory: Path,
        signer: Signer,
        now: Callable[[], datetime],
        heads: Path | None = None,
        disk: Disk | None = None,
    ) -> None:
        """`heads` is the second home of every shard's last head."""
        self.directory = directory
        self._signer = signer
        self._now = now
        self._heads = Heads(heads, signer)
        self._disk = disk or Disk()
        self._shard: Shard | None = None
        self._slot = self._lock = -1
        self._month = ""
        self._publisher: Thread | None = None
        self._publishing = Lock()
        self._closing = Event()
        self._is_broken_off = False  # a batch may not be whole
        self._is_unpublished = False  # what others read could not be written

    @property
    def name(self) -> str:
        """The shard being written; empty when none is."""
        return self._shard.name if self._shard else ""

    def append(self, entries: Sequence[bytes]) -> Mark:
        """Write the batch: durable, integrated and signed for on return. Whatever fails poisons the log: no retry, no answer."""
        self._take()
        if self._is_poisoned:
            raise JOURNAL_POISONED()
        self._is_broken_off = True  # whatever happens until the end
        try:
            shard = self._of_this_month()
            shard.append(entries if shard.size else [self._opening(shard), *entries])
        except (OSError, Refused) as broken:
            raise JOURNAL_POISONED() from broken
        self._is_broken_off = False
        return Mark(shard.name, shard.size)

    def ready(self) -> None:
        """Raise `journal_poisoned` when the next batch cannot be expected to reach the disk."""
        shard = self._take()
        if self._is_poisoned or not shard.has_room():
            raise JOURNAL_POISONED()

    def is_ahead(self, marks: dict[str, int]) -> bool:
        """Whether `unkept` would give something. It takes no slot and reads no entry of what is frozen."""
        return any(
            self._is_at_rest(record) and max(marks.get(name, 0), record.pruned) < self._size(name)
            for name, record in _records(self.directory).items()
        )

    def unkept(self, marks: dict[str, int]) -> Iterator[tuple[bytes, Mark]]:
        """Entries past `marks` (index by shard), in this slot and in those nobody writes: what a killed process left.

        Raises `journal_behind` when a shard ends before its mark: part of the journal is missing.
        """
        self._take()
        records = read_records(self.directory)
        for name, mark in marks.items():
            record = records.get(name)
            if (size := self._size(name) + (record.lost if record else 0)) < mark:
                raise JOURNAL_BEHIND(f"{name} ends at {size}, a database knows it up to {mark}")
        shards = LocalShards(self.directory)
        for name, record in records.items():
            start, size = max(marks.get(name, 0), record.pruned), self._size(name)
            if start < size and self._is_at_rest(record):
                for index, entry in enumerate(shards.entries(name, start, size), start):
                    yield entry, Mark(name, index + 1)

    def close(self) -> None:
        """Publish what is left and give the slot back."""
        if not self._shard:
            return
        self._closing.set()
        if self._publisher:
            self._publisher.join()
        self._publish()
        self._shard.close()
        os.close(self._lock)
        self._shard = None

    def _take(self) -> Shard:
        if not self._shard:
            self._closing.clear()
            self._month = f"{self._now():%Y-%m}"
            self._slot, self._lock = self._free_slot()
            with ExitStack() as undo:  # a slot is not held by a log that did not open
                undo.callback(os.close, self._lock)
                self._check()
                self._freeze_others()
                self._shard = self._open(name_of(self._month, self._slot))
                undo.pop_all()
            self._publish()  # a power cut may have left tiles half on disk: made again before anybody reads them
            self._publisher = Thread(target=self._publish_often, name="journal-publish", daemon=True)
            self._publisher.start()
        return self._shard

    @property
    def _is_poisoned(self) -> bool:
        return self._is_broken_off or self._is_unpublished

    def _free_slot(self) -> tuple[int, int]:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(SLOTS_MAX):
            if (lock := try_slot(self.directory, number)) is None:
                continue
            here = _records(self.directory).get(name_of(self._month, number))  # read once nobody else can freeze it
            if here is None or here.state == "open":
                return number, lock
            os.close(lock)
        raise JOURNAL_FULL()

    def _check(self) -> None:
        """Refuse a journal that lacks something, or has another name, before a byte of it is changed."""
        if others := _origins(self.directory) - {self._signer.origin}:
            raise JOURNAL_ORIGIN_CHANGED(
                f"signed as {', '.join(sorted(others))}, journal.origin is {self._signer.origin}"
            )
        if missing := strays(self.directory):
            raise JOURNAL_DAMAGED(f"shards.json does not name {', '.join(missing)}")
        self._heads.check(self.directory)

    def _open(self, name: str) -> Shard:
        key, record = self._signer.key(name).text, read_records(self.directory).get(name)
        if record is None:
            change(self.directory, self._disk, Record(name, key))
        elif record.key != key:
            raise JOURNAL_FORKED(f"{name} is signed by {record.key}, this hub signs with {key}")
        elif record.state != "open":  # the clock was ahead once: a start takes another slot
            raise JOURNAL_DAMAGED(f"{name} is {record.state}: restart the hub")
        return Shard(self.directory / name, self._signer.key(name), self._signer.sign, self._disk, self._heads.of(name))

    def _of_this_month(self) -> Shard:
        """The shard to write: another once a month. A clock set back goes on in the later one."""
        assert self._shard
        month = f"{self._now():%Y-%m}"
        if month > self._month:
            with self._publishing:
                self._month = month
                self._freeze(self._shard)
                self._shard = self._open(name_of(month, self._slot))
        return self._shard

    def _freeze_others(self) -> None:
        """Freeze what past months left open, of this slot and of those nobody holds; finish what a kill broke off."""
        for name, record in _records(self.directory).items():
            if record.state == "frozen":
                discard(self.directory / name / WAL)
            elif record.state == "open" and record.month < self._month:
                with self._holding(record.slot) as is_ours:
                    if is_ours and read_records(self.directory)[name].state == "open":
                        self._freeze(self._open(name))

    def _holding(self, slot: int) -> AbstractContextManager[bool]:
        return nullcontext(True) if slot == self._slot else held(self.directory, slot)

    def _freeze(self, shard: Shard) -> None:
        shard.freeze()
        self._heads.put(shard.name, shard.note)
        record = Record(shard.name, self._signer.key(shard.name).text, "frozen", shard.size, shard.root.hex())
        change(self.directory, self._disk, record)
        discard(shard.folder / WAL)  # last, and again at a start: nobody reads it any more

    def _opening(self, shard: Shard) -> bytes:
        """The first entry of a shard: the heads of the others, one a line: name, size, root."""
        heads = LocalShards(self.directory).roots(since=month_before(self._month))
        told = [f"{name} {size} {base64.b64encode(root).decode()}" for name, size, root in heads if name != shard.name]
        return encode(act(Operation.SHARD_OPENED, ts_us(self._now()), shard.name, "\n".join(told), account="hub"))

    def _publish_often(self) -> None:
        while not self._closing.wait(PUBLISH_S):
            self._publish()

    def _publish(self) -> None:
        with self._publishing:
            shard = self._shard
            assert shard
            try:
                if not self._is_poisoned and (note := shard.publish()):
                    self._heads.put(shard.name, note)
            except OSError:
                self._is_unpublished = True

    def _size(self, name: str) -> int:
        return self._shard.size if self._shard and name == self._shard.name else size_of(self.directory, name)

    def _is_at_rest(self, record: Record) -> bool:
        """Whether nobody writes the shard, or this process does."""
        with self._holding(record.slot) as is_ours:
            return is_ours or read_records(self.directory)[record.name].state != "open"


def _records(directory: Path) -> Records:
    try:
        return read_records(directory)
    except ValueError as broken:
        raise JOURNAL_DAMAGED(f"shards.json: {broken}") from None


def _origins(directory: Path) -> set[str]:
    """Under which names the shards are signed."""
    try:
        return {each.origin for each in read_records(directory).values()}
    except ValueError as broken:
        raise JOURNAL_DAMAGED(f"shards.json: {broken}") from None
