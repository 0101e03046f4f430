"""Proofs made for others: of one entry, or of all there is about a person in a window. Journalled before anything is shown.

Staff goes through the same gate as everybody: who looked for whom is an entry of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from ecluse.app.access import Disclosure
from ecluse.app.hub import Hub
from ecluse.app.ports.journal import Head
from ecluse.app.ports.proving import Provable
from ecluse.gate.admission import Request
from ecluse.gate.identity import Account
from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.entry import Entry, Operation, decode
from ecluse.journal.evidence import Found, Run, ShardEvidence, Statement, months_of
from ecluse.journal.merkle import inclusion_proof
from ecluse.journal.note import read_note
from ecluse.journal.proof import Proof
from ecluse.journal.ranges import range_proof
from ecluse.journal.tiles import WIDTH
from ecluse.journal.verify import NEAR_US
from ecluse.kernel.errors import refusal

SCOPE = "journal"
OPERATOR = Account("operator", scopes=frozenset({SCOPE}))

ENTRY_UNKNOWN = refusal(
    "entry_unknown",
    404,
    "The journal has no such entry",
    fix="Give the id an answer had (chk_…, clm_…), or SHARD/INDEX: `ecluse journal checkpoint` prints shards and sizes.",
)
WINDOW_INVALID = refusal(
    "window_invalid", 400, "This window cannot be proved", fix="End it now at the latest, and after it begins."
)


class ProvingAsked(msgspec.Struct, frozen=True):
    """What the journal keeps of the asking: nothing left the hub yet."""

    asked: str


async def prove_entry(hub: Hub, journal: Provable, named: str) -> Found:
    """The entry of a request (`chk_…`), or at `SHARD/INDEX`, with its proof under the newest head witnesses signed, if they did.

    Raises `entry_unknown`, `journal_unpublished`, `journal_pruned`.
    """
    admission = hub.desk.admit(Request(OPERATOR, hub.ids.new("prf_")), SCOPE, Operation.JOURNAL_PROVED, named)
    shard, index, encoded = _at(journal, named) if "/" in named else _of_request(journal, hub.recall.entry(admission))
    entry = decode(encoded)
    await hub.desk.release(
        admission, Disclosure(ProvingAsked(named), "entry", insurer=entry.insurer, person=entry.person)
    )
    return Prover(journal, shard, covering(journal, shard, index)).found(index, encoded)


class Prover:
    """Makes proofs of a shard's entries under one of its heads (a note); hashes that are near one another are read once."""

    def __init__(self, journal: Provable, shard: str, note: str) -> None:
        self.shard = shard
        self.note = note
        self.size = read_checkpoint(read_note(note).text).size
        self.hashes = journal.hashes(shard, self.size)

    def found(self, index: int, encoded: bytes) -> Found:
        """The entry at `index`, which the head covers, with its proof."""
        return Found(encoded, Proof(index, tuple(inclusion_proof(self.hashes, index, self.size)), self.note))


def covering(journal: Provable, shard: str, index: int) -> str:
    """A head that covers the entry: signed by witnesses, if one is. Raises `journal_unpublished`."""
    cosigned = journal.cosigned(shard)
    return cosigned if read_checkpoint(read_note(cosigned).text).size > index else journal.note(shard)


async def prove_person(
    hub: Hub,
    journal: Provable,
    insurer: str,
    person: bytes,
    from_ts_us: int,
    to_ts_us: int,
    *,
    complete: bool,
    whole: bool,
) -> tuple[Statement, list[ShardEvidence]]:
    """All entries about a person in a window with their proofs; `complete`: and everything that shows that there are no others,
    if entries stand in the order of time; `whole`: whatever their order, which takes all entries of those months.

    Raises `window_invalid`, `journal_unpublished`, `journal_pruned`.
    """
    now_ts_us = hub.now_ts_us
    if not from_ts_us < to_ts_us <= now_ts_us:
        raise WINDOW_INVALID()
    about = f"{from_ts_us}-{to_ts_us}"
    admission = hub.desk.admit(Request(OPERATOR, hub.ids.new("prf_")), SCOPE, Operation.JOURNAL_PROVED, about)
    asked = Disclosure(
        ProvingAsked(about), "complete" if complete or whole else "found", insurer=insurer, person=person
    )
    await hub.desk.release(admission, asked)
    statement = Statement(person, insurer, from_ts_us, to_ts_us, now_ts_us, complete or whole, whole)
    return statement, list(_evidence(journal, statement))


def _evidence(journal: Provable, statement: Statement) -> Iterator[ShardEvidence]:
    months = months_of(statement.from_ts_us, statement.to_ts_us)
    for head in journal.heads():
        if head.shard[:7] in months:
            yield _of_shard(journal, head, statement)
        elif head.shard[:7] > months[-1] and statement.complete and not head.pruned:
            note = journal.note(head.shard)  # what it saw of the window's shards when it began
            run, opening = _whole(journal, head.shard, note, 0, 1), _opening(journal, head, note)
            yield ShardEvidence(head.shard, note, run=run, opening=opening)


def _of_shard(journal: Provable, head: Head, statement: Statement) -> ShardEvidence:
    note = journal.note(head.shard)
    size = read_checkpoint(read_note(note).text).size
    if head.pruned:  # refuses, and says so: what is gone can be neither shown nor said to be absent
        list(journal.entries(head.shard, 0, 1))
    start = _first_at(journal, head, size, statement.from_ts_us - NEAR_US)
    end = min(
        size, _first_at(journal, head, size, statement.to_ts_us + NEAR_US) + WIDTH + 1
    )  # the 1 shows that it is past
    if statement.whole:
        start, end = head.pruned, size
    entries, prover = (
        list(journal.entries(head.shard, start, end)) if end > start else [],
        Prover(journal, head.shard, note),
    )
    found = tuple(
        prover.found(index, each) for index, each in enumerate(entries, start) if statement.holds(decode(each))
    )
    if not statement.complete:
        return ShardEvidence(head.shard, note, found)
    opening = None if head.pruned or not size else _opening(journal, head, note)
    return ShardEvidence(head.shard, note, found, _whole(journal, head.shard, note, start, end), opening)


def _first_at(journal: Provable, head: Head, size: int, at_us: int) -> int:
    """The first entry of the last bundle that begins before that instant: by halving, a dozen entries are read."""
    bundles = range(-(-head.pruned // WIDTH), -(-size // WIDTH))

    def begins_us(number: int) -> int:
        return next(decode(each).ts_us for each in journal.entries(head.shard, number * WIDTH, number * WIDTH + 1))

    at = bundles.start + bisect_left(bundles, at_us, key=begins_us) - 1
    return max(at * WIDTH, head.pruned)


def _whole(journal: Provable, shard: str, note: str, start: int, end: int) -> Run:
    size = read_checkpoint(read_note(note).text).size
    if end <= start:
        return Run(start, (), ())
    proof = range_proof(journal.hashes(shard, size), start, end, size)
    return Run(start, tuple(proof), tuple(journal.entries(shard, start, end)))


def _opening(journal: Provable, head: Head, note: str) -> Found:
    return Prover(journal, head.shard, note).found(0, next(journal.entries(head.shard, 0, 1)))


def _at(journal: Provable, named: str) -> tuple[str, int, bytes]:
    shard, _, index = named.partition("/")
    head = next((each for each in journal.heads() if each.shard == shard), None)
    if head is None or not index.isascii() or not index.isdigit() or int(index[:19]) >= head.size:
        raise ENTRY_UNKNOWN()
    return shard, int(index), next(journal.entries(shard, int(index), int(index) + 1))


def _of_request(journal: Provable, entry: Entry | None) -> tuple[str, int, bytes]:
    for head in journal.heads() if entry else ():
        assert entry
        start = _first_at(journal, head, head.size, entry.ts_us - NEAR_US)
        end = min(head.size, _first_at(journal, head, head.size, entry.ts_us + NEAR_US) + WIDTH)
        for index, encoded in enumerate(journal.entries(head.shard, start, end) if end > start else (), start):
            if entry.request.encode() in encoded and decode(encoded) == entry:
                return head.shard, index, encoded
    raise ENTRY_UNKNOWN()
