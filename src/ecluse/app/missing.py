"""What the journal has and the databases lack: after a restore to an earlier time the journal is ahead, by design.

The journal is read once from its beginning, some thousands of entries together; the store is asked about each of them. Only ids
of our own and instants are told. What is sent again gets a new id: the old one stays lacking for ever, `Window` leaves it out.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

import msgspec

from ecluse.app.lost_runs import RUNS_MAX, lost_runs
from ecluse.app.ports import PaymentStore, Post, Upkeep
from ecluse.app.ports.upkeep import Kept
from ecluse.journal.entry import Entry, Operation, decode

ASKED_TOGETHER = 5_000  # entries: tenths of a second between two steps of the bar, some megabytes
LISTED_MAX = 100_000  # of one kind, some 30 MB; the rest is counted, and listed by a narrower window
RECENT_US = (
    60_000_000  # a hub that answers writes engagements and feeds a moment after the journal: such entries are asked
)
SETTLED_S = 1.0  # about once more, this much later

_OF_INSURERS = ("engagements", "products")  # kept on the insurer's own server
Told = Callable[[int, int], None]  # entries of the journal read, and in all

_KIND: dict[Operation, Kept] = {
    Operation.CLAIM: "claims",
    Operation.CLAIM_CANCELLED: "cancellations",
    Operation.RIGHTS_CHECK: "engagements",
    Operation.FEED_LOADED: "feeds",
    Operation.PRODUCT_LOADED: "products",
}  # and runs, of which the store tells all it knows at once
_REMEDIES: dict[str, str] = {
    "claims": "Ask those practices (--practices) to send them again: the same invoice is taken as new, under another id.",
    "cancellations": "Ask those practices to cancel again; a claim that is lost too is simply not sent again.",
    "engagements": "Start the hub: it copies them from the journal.",
    "feeds": "Load those member files again.",
    "products": "Load those guarantee tables again.",
    "runs": "Before any payment: docs/availability.md, point 5.",
}


class Journal(msgspec.Struct, frozen=True):
    """A journal to be read: how many entries it keeps, and each with how many were read with it."""

    size: int
    entries: Iterator[tuple[bytes, int]]


class Window(msgspec.Struct, frozen=True):
    """The instants looked at, in µs: from the first until before the last."""

    since_ts_us: int = 0
    until_ts_us: int = 2**63 - 1

    def holds(self, entry: Entry) -> bool:
        """Whether the entry was written then."""
        return self.since_ts_us <= entry.ts_us < self.until_ts_us


class Lost(msgspec.Struct, frozen=True):
    """One thing the store lacks: the id it was answered under, when, and the practice that was answered."""

    id: str
    at: datetime
    practice: str = ""


class Lacking(msgspec.Struct, frozen=True):
    """One kind: entries of the journal, how many things of theirs the store lacks, the first of those, and what to do."""

    journalled: int
    lacking: int
    listed: tuple[Lost, ...]
    todo: str


class Missing(msgspec.Struct, frozen=True):
    """Everything that lacks, by kind, and the payment runs that the journal or their files know, and the store does not."""

    kinds: dict[Kept, Lacking]
    runs: tuple[str, ...]
    runs_todo: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing lacks."""
        return not self.runs and not any(each.lacking for each in self.kinds.values())


async def missing(
    journal: Journal, upkeep: Upkeep, payments: PaymentStore, post: Post, window: Window, now_ts_us: int, told: Told
) -> Missing:
    """Compare the journal, and the files for the bank, with what the store knows. Raises `database_unavailable`."""
    ordered = set[str]()
    found: dict[Kept, _Found] = {kind: _Found() for kind in _KIND.values()}
    read = iter(journal.entries)
    while some := list(islice(read, ASKED_TOGETHER)):
        entries = [entry for encoded, _ in some if window.holds(entry := decode(encoded))]
        ordered.update(entry.request for entry in entries if entry.operation is Operation.RUN_ORDERED)
        await _compare(upkeep, entries, found, now_ts_us - RECENT_US)
        told(some[-1][1], journal.size)
    kinds = {kind: each.told(_REMEDIES[kind]) for kind, each in found.items()}
    if ordered:  # asked for after the journal was read: a run it tells of is in the store first
        ordered -= {run.id for run in await payments.runs(limit=RUNS_MAX)}
    runs = sorted(ordered | set(await lost_runs(payments, post)))
    return Missing(kinds, tuple(runs), _REMEDIES["runs"])


class _Found:
    """What was found of one kind so far: by key, so that what the journal tells twice is one."""

    def __init__(self) -> None:
        self.journalled = self.more = 0
        self.lost: dict[str, Lost] = {}

    def add(self, key: str, lost: Lost) -> None:
        """One more that lacks; past `LISTED_MAX` it is only counted."""
        if len(self.lost) < LISTED_MAX:
            self.lost.setdefault(key, lost)
        elif key not in self.lost:
            self.more += 1

    def told(self, todo: str) -> Lacking:
        """As it is told, the oldest first."""
        listed = tuple(sorted(self.lost.values(), key=lambda each: each.at))
        return Lacking(self.journalled, len(listed) + self.more, listed, todo if listed else "")


Asked = dict[tuple[Kept, str], dict[str, Entry]]  # by kind and insurer: what an entry tells of, by its key


async def _compare(upkeep: Upkeep, entries: Iterable[Entry], found: dict[Kept, _Found], recent_ts_us: int) -> None:
    asked: Asked = defaultdict(dict)
    for entry in entries:
        kind = _KIND.get(entry.operation)
        if kind and (key := _key(kind, entry)):
            found[kind].journalled += 1
            asked[kind, entry.insurer if kind in _OF_INSURERS else ""][key] = entry
    lacking = await _lacking(upkeep, asked)
    if any(entry.ts_us > recent_ts_us for some in lacking.values() for entry in some.values()):
        await asyncio.sleep(SETTLED_S)
        lacking = await _lacking(upkeep, lacking)
    for (kind, _), some in lacking.items():
        for key, entry in some.items():
            found[kind].add(key, _lost(kind, entry))


async def _lacking(upkeep: Upkeep, asked: Asked) -> Asked:
    lacking = {}
    for (kind, insurer), some in asked.items():
        keys = await upkeep.lacking(kind, insurer, list(some)) if some else set()
        lacking[kind, insurer] = {key: some[key] for key in some if key in keys}
    return lacking


def _key(kind: Kept, entry: Entry) -> str:
    """What the store knows it by; empty when the entry tells of nothing that is kept."""
    if kind == "engagements":
        return entry.engagement if entry.sealed else ""
    if kind == "cancellations":
        return entry.engagement  # where an entry says what it is about
    return f"{entry.insurer} {entry.outcome}" if kind == "products" else entry.request


def _lost(kind: Kept, entry: Entry) -> Lost:
    """An engagement is told by the id of its check: its number is the practice's."""
    id_ = entry.engagement if kind == "cancellations" else entry.request
    return Lost(id_, datetime.fromtimestamp(entry.ts_us // 1_000_000, UTC), entry.practice)
