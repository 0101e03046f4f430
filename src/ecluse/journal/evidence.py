"""What is handed out to prove what a journal has about a person in a window, or that it has nothing; checked without any hub.

For each shard: its head, each entry found with its own proof, and, where completeness is proved, every entry of the window in
one run. A log of plain entries shows that one is absent by showing all that are there, and in no other way: their contents are
sealed, but who looked at whom, as references, is not. Such evidence is for auditors; proofs of entries alone are for the insured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.entry import Entry, decode
from ecluse.journal.merkle import leaf_hash
from ecluse.journal.note import read_note
from ecluse.journal.policy import Policy
from ecluse.journal.proof import Proof, verify_proof
from ecluse.journal.ranges import proves_range
from ecluse.journal.verify import NEAR_US, opening_heads


class Statement(msgspec.Struct, frozen=True):
    """What the evidence is about: a reference (and its insurer, if told), from an instant until before another, in µs.

    `complete`: it shows that there are no other entries, if entries stand in the order of time; `whole`: whatever their order.
    """

    person: bytes
    insurer: str
    from_ts_us: int
    to_ts_us: int
    made_ts_us: int
    complete: bool
    whole: bool = False

    def holds(self, entry: Entry) -> bool:
        """Whether the entry is one of those asked about."""
        about = entry.person == self.person and (not self.insurer or entry.insurer == self.insurer)
        return about and self.from_ts_us <= entry.ts_us < self.to_ts_us


class Run(msgspec.Struct, frozen=True):
    """Every entry of a shard that can be of the window, from index `start` on, and what proves that they are all."""

    start: int
    hashes: tuple[bytes, ...]
    entries: tuple[bytes, ...]


class Found(msgspec.Struct, frozen=True):
    """An entry, and the proof that a log has it."""

    entry: bytes
    proof: Proof


class ShardEvidence(msgspec.Struct, frozen=True):
    """One shard: its head (a note), the entries found, the run where completeness is proved, its first entry."""

    shard: str
    note: str
    found: tuple[Found, ...] = ()
    run: Run | None = None
    opening: Found | None = None


class Checked(msgspec.Struct, frozen=True):
    """What the evidence proves: entries by shard and index, until when which witness vouches that there are no others, faults."""

    entries: tuple[tuple[str, int, Entry], ...]
    shards: tuple[tuple[str, int, str], ...]
    faults: tuple[str, ...]
    complete: bool


def months_of(from_ts_us: int, to_ts_us: int) -> list[str]:
    """The months (UTC) whose shards can hold entries of the window, as `2026-11`."""
    first, last = (datetime.fromtimestamp(at // 1_000_000, UTC) for at in (from_ts_us, to_ts_us + NEAR_US))
    count = (last.year - first.year) * 12 + last.month - first.month
    return [
        f"{first.year + (first.month - 1 + n) // 12}-{(first.month - 1 + n) % 12 + 1:02d}" for n in range(count + 1)
    ]


def check_evidence(
    statement: Statement, shards: Sequence[ShardEvidence], policy: Policy, heads: Sequence[str] = ()
) -> Checked:
    """Check all of it against whom one believes; what is wrong is told, nothing is raised.

    `heads`: notes of the same journal that the checker has from elsewhere, from witnesses: no shard may be missing or shorter.
    """
    entries: list[tuple[str, int, Entry]] = []
    told: list[tuple[str, int, str]] = []
    faults: list[str] = []
    for each in shards:
        try:
            entries += [(each.shard, found.proof.index, _proved(each.shard, found, policy)) for found in each.found]
            told.append((each.shard, *_head(each, policy)))
            faults += [f"{each.shard}: {fault}" for fault in _run_faults(statement, each)]
        except (ValueError, msgspec.MsgspecError) as wrong:
            faults.append(f"{each.shard}: {wrong}")
    others = [(shard, index) for shard, index, entry in entries if not statement.holds(entry)]
    faults += [f"{shard}, entry {index}: not what the statement asks" for shard, index in others]
    if statement.complete and not faults:
        faults += _missing(statement, shards, policy, heads)
    return Checked(tuple(entries), tuple(told), tuple(faults), statement.complete and not faults)


def _proved(shard: str, found: Found, policy: Policy) -> Entry:
    head = verify_proof(found.proof, leaf_hash(found.entry), policy)
    if not head.origin.endswith(f"/{shard}"):
        raise ValueError(f"a proof of {head.origin}")
    return decode(found.entry)


def _head(each: ShardEvidence, policy: Policy) -> tuple[int, str]:
    """The size of the head, and until when witnesses vouch that nothing later was left out."""
    note = read_note(each.note)
    signed = policy.accept(note)
    head = read_checkpoint(note.text)
    if not head.origin.endswith(f"/{each.shard}"):
        raise ValueError(f"a head of {head.origin}")
    until_s = max((one.time_s for one in signed), default=0)
    return head.size, datetime.fromtimestamp(until_s, UTC).isoformat() if until_s else ""


def _run_faults(statement: Statement, each: ShardEvidence) -> Iterator[str]:
    if not statement.complete:
        return
    if each.run is None:
        yield "no run of entries, and completeness is claimed"
        return
    head, run = read_checkpoint(read_note(each.note).text), each.run
    if head.size == 0:
        return
    if not proves_range(run.hashes, [leaf_hash(one) for one in run.entries], run.start, head.size, head.root):
        yield "the run of entries is not the log's: one was left out, added or changed"
        return
    if statement.whole and (run.start, len(run.entries)) != (0, head.size):
        yield "not every entry of the log is shown"
        return
    entries = [decode(one) for one in run.entries]
    if run.start and entries[0].ts_us >= statement.from_ts_us - NEAR_US:
        yield "the run begins after the window does"
    if run.start + len(entries) < head.size and entries[-1].ts_us < statement.to_ts_us + NEAR_US:
        yield "the run ends before the window does"
    here = {run.start + at for at, entry in enumerate(entries) if statement.holds(entry)}
    if here != {one.proof.index for one in each.found}:
        yield "the run has other entries about the person than those shown"


def _missing(
    statement: Statement, shards: Sequence[ShardEvidence], policy: Policy, kept: Sequence[str]
) -> Iterator[str]:
    """Logs that others saw when they began, or witnesses, and that are not in the evidence or are shorter in it."""
    heads = [read_checkpoint(read_note(each.note).text) for each in shards]
    origins = {head.origin.rpartition("/")[0] for head in heads}
    sizes = {each.shard: head.size for each, head in zip(shards, heads, strict=True)}
    months = months_of(statement.from_ts_us, statement.to_ts_us)
    if len(origins) != 1 or not any(name[:7] in months for name in sizes):
        yield "not the logs of one journal, or none of that time"
        return
    begins = f"{origins.pop()}/"
    seen = [("a head kept elsewhere", *_kept(note, policy, begins)) for note in kept]
    for each in shards:
        try:
            seen += [(each.shard, name, size) for name, size, _ in _seen_at_opening(each, policy)]
        except (ValueError, msgspec.MsgspecError) as wrong:
            yield f"{each.shard}: its first entry: {wrong}"
    for who, name, size in seen:
        if name[:7] in months and sizes.get(name, -1) < size:
            yield f"{name}: {who} saw {size} entries there, the evidence has {sizes.get(name, 'no such shard')}"


def _kept(content: str, policy: Policy, begins: str) -> tuple[str, int]:
    """Shard and size of a head; nobody's shard, when it is not one of the journal's whose origins begin so."""
    try:
        note = read_note(content)
        policy.accept(note)
    except ValueError:
        return "", 0
    head = read_checkpoint(note.text)
    return (head.origin.removeprefix(begins), head.size) if head.origin.startswith(begins) else ("", 0)


def _seen_at_opening(each: ShardEvidence, policy: Policy) -> Iterable[tuple[str, int, bytes]]:
    if each.opening is None:
        return ()
    if each.opening.proof.index:
        raise ValueError("not the first one")
    _proved(each.shard, each.opening, policy)
    return opening_heads(each.opening.entry)
