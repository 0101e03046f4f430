"""The journal carried into the lake, shard by shard, a step of a million entries at a time; broken off anywhere, it goes on.

Files appear by rename, and `covered.json`, which names them, last: a reader sees the whole state before or the whole state after.
Files that a state no longer names stay until the next export, and those written lately longer, for those who are still reading
them: whoever asks exports, so that exports may follow one another closely.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ecluse.app.ports.journal import Head, Shards
from ecluse.app.ports.lake import Covered, LakeTold
from ecluse.engines.durable import sync, write_whole
from ecluse.engines.lake.columns import PERSONS as PERSONS_SCHEMA
from ecluse.engines.lake.columns import SCHEMA, fresh_tables
from ecluse.engines.lake.layout import COVERED, ENTRIES, FORMAT, PERSONS, WIDTHS, File, Range, State, parts, ranges
from ecluse.engines.lake.numbers import Numbers, numbers
from ecluse.engines.lake.parquet import WRITER, write_entries, write_persons
from ecluse.engines.turn import taken
from ecluse.kernel.errors import refusal

KEPT_S = 20  # a file written since is not removed: a tail is 4 MB at most, a question of it takes seconds
LOOK_S = 0.02  # between two looks whether the lake is free

LAKE_BUSY = refusal(
    "lake_busy",
    409,
    "Another process writes the lake",
    fix="Wait for it: a hub that serves exports by itself.",
    retry_s=60,
)


def export(
    shards: Shards, lake: Path, told: LakeTold = lambda *_: None, widths: tuple[int, ...] = WIDTHS
) -> list[State]:
    """Bring every shard's lake to its head, and drop shards the journal no longer has.

    Raises `lake_busy`, `journal_damaged`, `OSError`.
    """
    with locked(lake):
        return bring(shards, lake, told, widths)


def bring(shards: Shards, lake: Path, told: LakeTold, widths: tuple[int, ...] = WIDTHS) -> list[State]:
    """The same, for a caller that already holds the lake (`locked`)."""
    heads = shards.heads()
    for gone in {each.name for each in lake.iterdir() if each.is_dir()} - {head.shard for head in heads}:
        shutil.rmtree(lake / gone)
    return [carry(shards, head, lake, told, widths) for head in heads]


def carry(shards: Shards, head: Head, lake: Path, told: LakeTold, widths: tuple[int, ...] = WIDTHS) -> State:
    """Bring one shard's lake to this head; `told` after each step."""
    folder = lake / head.shard
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = _begun(folder, head)
    while state.size < head.size:
        target = min(head.size, (state.size // widths[-2] + 1) * widths[-2])
        with numbers(folder) as work:
            state = _Step(shards, folder, state, target, work, widths).taken()
        if target < head.size:
            commit(folder, state)
        told(head.shard, target, head.size)
    if head.is_frozen and not state.is_frozen:
        state = _closed(folder, state, ranges(state.pruned, state.size, widths[:1]))
    whole = msgspec.structs.replace(state, checkpoint=head.checkpoint, is_frozen=head.is_frozen)
    if whole != read_state(folder):
        commit(folder, whole)
    return whole


def read_state(folder: Path) -> State:
    """What the lake has of the shard whose folder this is; nothing, when it was never exported."""
    try:
        return msgspec.json.decode((folder / COVERED).read_bytes(), type=State)
    except FileNotFoundError:
        return State(folder.name)


def covered(lake: Path) -> list[Covered]:
    """How far each shard of the lake goes, by name."""
    found = []
    for place in sorted(lake.glob(f"*/{COVERED}")):
        state = read_state(place.parent)
        begins = min((each.from_us for each in state.files), default=0)
        ends = max((each.to_us for each in state.files), default=0)
        found.append(Covered(state.shard, state.size, state.checkpoint, begins, ends, state.is_frozen, state.pruned))
    return found


@contextmanager
def locked(lake: Path, wait_s: float = 0) -> Iterator[None]:
    """Be the only one who writes this lake, once whoever does has ended. Raises `lake_busy` when that lasts past `wait_s`."""
    lake.mkdir(mode=0o700, parents=True, exist_ok=True)
    until_s = time.monotonic() + wait_s
    while (lock := taken(lake / "lock")) is None:
        if time.monotonic() >= until_s:
            raise LAKE_BUSY()
        time.sleep(LOOK_S)
    try:
        yield
    finally:
        os.close(lock)


class _Step:
    """One step of a shard, from a state to a size that is at most the next multiple of the last width but one."""

    def __init__(
        self, shards: Shards, folder: Path, state: State, target: int, work: Numbers, widths: tuple[int, ...]
    ) -> None:
        self._widths = widths
        self._folder = folder
        self._state = state
        self._target = target
        self._work = work
        self._files = {each.range: each for each in state.files}
        entries = fresh_tables(shards.entries(state.shard, state.size, target), state.size)
        kept = [folder / each.range.name(PERSONS) for each in state.files]
        self._entries, self._persons = work.number(pa.concat_tables(entries).combine_chunks(), kept, state.persons)
        self._numbered = max(state.persons, pc.max(self._entries["person"]).as_py())

    def taken(self) -> State:
        """The state once its files are on disk."""
        wanted = ranges(self._state.pruned, self._target, self._widths)
        for each in wanted:
            self._make(each)
        files = tuple(self._files[each] for each in wanted)
        return msgspec.structs.replace(
            self._state, size=self._target, persons=self._numbered, checkpoint="", files=files, writer=WRITER
        )

    def _make(self, wanted: Range) -> None:
        """Write the files of a range, from those within it and from the fresh entries; first the parts of a wide one."""
        if wanted in self._files:
            return
        if wanted.end - wanted.start > self._widths[-2]:
            for part in parts(wanted, self._widths):
                self._make(part)
        inside = [each for each in self._files if wanted.holds(each)]
        end = max((each.end for each in inside), default=wanted.start)
        entries = _between(self._entries, "index", end, wanted.end)
        persons = _between(self._persons, "at", end, wanted.end)
        _write(self._folder, wanted, inside, self._work, entries, persons)
        made = _file(wanted, [self._files.pop(each) for each in inside], entries)
        self._files[wanted] = made


def _closed(folder: Path, state: State, wanted: list[Range]) -> State:
    """The state of a shard that is over: no entry will come, so that what is left is merged too."""
    kept, files = {each.range: each for each in state.files}, []
    with numbers(folder) as work:
        for each in wanted:
            inside = [file for file in state.files if each.holds(file.range)]
            if each not in kept:
                _write(
                    folder,
                    each,
                    [file.range for file in inside],
                    work,
                    SCHEMA.empty_table(),
                    PERSONS_SCHEMA.empty_table(),
                )
            files.append(kept.get(each) or _file(each, inside, SCHEMA.empty_table()))
    return msgspec.structs.replace(state, files=tuple(files), writer=WRITER)


def _write(folder: Path, made: Range, inside: list[Range], work: Numbers, entries: pa.Table, persons: pa.Table) -> None:
    """Write the two files of a range, of those within it and of more rows."""
    write_entries(folder / made.name(ENTRIES), work.sorted([folder / each.name(ENTRIES) for each in inside], entries))
    write_persons(folder / made.name(PERSONS), work.merged([folder / each.name(PERSONS) for each in inside], persons))


def _between(table: pa.Table, column: str, start: int, end: int) -> pa.Table:
    at = table[column]
    return table.filter(pc.and_(pc.greater_equal(at, start), pc.less(at, end)))


def _file(made: Range, inside: list[File], entries: pa.Table) -> File:
    """The file of this range, with the times of the entries of its parts and of the fresh ones."""
    fresh = pc.min_max(entries["ts_us"]).as_py()
    begins = [each.from_us for each in inside] + [fresh["min"]] * bool(entries.num_rows)
    ends = [each.to_us for each in inside] + [fresh["max"]] * bool(entries.num_rows)
    return File(made.start, made.end, min(begins), max(ends))


def _begun(folder: Path, head: Head) -> State:
    """Where the lake is; its beginning, and no file, when it was made of other entries or in another format."""
    state = read_state(folder)
    if not goes_on(state, head):
        (folder / COVERED).unlink(missing_ok=True)  # first: what is under its names is about to change
        sync(folder)
        state = State(folder.name, head.pruned, head.pruned)
    _sweep(folder, state)
    return state


def goes_on(state: State, head: Head) -> bool:
    """Whether a shard's lake is brought to this head by adding to it; else it is made anew."""
    return state.format == FORMAT and state.pruned == head.pruned and not differs(state, head)


def differs(state: State, head: Head) -> bool:
    """Whether a shard's lake tells of more than this head signs, or of as much under another one: it is of another journal."""
    return state.size > head.size or (state.size == head.size and state.checkpoint not in ("", head.checkpoint))


def commit(folder: Path, state: State) -> None:
    """Say durably what the folder has: its files are on disk."""
    write_whole(folder / COVERED, msgspec.json.format(msgspec.json.encode(state)) + b"\n")


def _sweep(folder: Path, state: State) -> None:
    """Remove what no state names: replaced by an export before the last, or left by one that was killed."""
    before_s = time.time() - KEPT_S
    named = {COVERED} | {each.range.name(kind) for each in state.files for kind in (ENTRIES, PERSONS)}
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name not in named and each.stat().st_mtime < before_s:
            each.unlink()
