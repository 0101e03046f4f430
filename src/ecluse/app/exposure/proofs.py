"""The proof of each display, beside the numbers: that its entry is in the journal, to be checked without the hub.

Entries are proved shard by shard in the order they stand, some at a time: what is in memory is eight bytes an entry and the
hashes near the last one. What the folder has already is not made again, so a work that was stopped goes on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import BinaryIO, Protocol

import msgspec

from ecluse.app.access import Disclosure
from ecluse.app.aside import aside
from ecluse.app.exposure.evidence import Told, window
from ecluse.app.hub import Hub
from ecluse.app.ports.lake import Lake
from ecluse.app.ports.proving import Provable
from ecluse.app.proving import Prover, covering
from ecluse.exposure.answer import Exposure, ProofsWritten
from ecluse.exposure.question import Question
from ecluse.gate.admission import Admission, Request
from ecluse.journal.entry import Operation, decode
from ecluse.journal.tiles import WIDTH

ROWS = 1 << 16  # of the lake's answer, looked at together
SOME = 1 << 10  # proofs made before others get their turn: a fraction of a second

Places = Mapping[str, Sequence[int]]  # shard → the indexes of its displayed entries, in order
Seal = Callable[[BinaryIO, BinaryIO], None]  # reads what is in clear from the first, writes it encrypted to the second


class Place(msgspec.Struct, frozen=True):
    """A displayed entry: whose insurer and person (their reference), and where it stands."""

    insurer: str
    person: bytes
    shard: str
    index: int


class ProofFolder(Protocol):
    """Where the proofs of one question go. Blocks. Raises what `OSError` stands for there."""

    def has(self, place: Place) -> bool:
        """Whether the proof of this entry is there, whole."""
        ...

    def put(self, place: Place, entry: bytes, prover: Prover) -> None:
        """Write an entry and its proof: whole, or `has` does not say so."""
        ...

    def over(self, prover: Prover) -> None:
        """The last entry of this shard was put."""
        ...

    def pack(self, insurer: str, name: str, seal: Seal) -> str:
        """Write one insurer's proofs as one encrypted file, not yet under its name; its SHA-256, hexadecimal."""
        ...

    def hand_over(self, name: str) -> None:
        """Give the packed file its name."""
        ...


class Proofs(msgspec.Struct, frozen=True):
    """What proofs are made from, and where they go; `packed`: also as a file for each insurer that gets a list."""

    journal: Provable
    folder: ProofFolder
    packed: bool


def places_of(lake: Lake, admission: Admission, question: Question, told: Told) -> Places:
    """Where the entries are that displayed somebody, by shard. Blocks. Raises `lake_behind`, `lake_differs`."""
    told("displayed_places", 0, 1)
    found: dict[str, array[int]] = {}
    for batch in lake.ask(admission, "displayed_places", window(question)).to_batches(ROWS):
        columns = batch.to_pydict()
        for shard, index in zip(columns["shard"], columns["index"], strict=True):
            found.setdefault(shard, array("q")).append(index)
    return found


def to_be_proved(exposure: Exposure, proofs: Proofs) -> tuple[ProofsWritten, ...]:
    """Whose entries are going to be proved, and in which file an insurer gets them: in none without its public key."""
    files = {each.insurer: bool(each.recipient) for each in exposure.lists if proofs.packed}
    return tuple(
        ProofsWritten(
            part.insurer,
            part.displayed.times,
            f"{exposure.exposure_id}-{part.insurer}.proofs.tar.age" if files.get(part.insurer) else "",
        )
        for part in exposure.insurers
        if part.displayed.times
    )


async def write_proofs(
    hub: Hub, asked: Request, scope: str, exposure: Exposure, places: Places, proofs: Proofs, told: Told
) -> None:
    """Prove each displayed entry. That is in the journal first, insurer by insurer; so is each packed file before it is there.

    Raises `journal_unpublished`, `journal_pruned`.
    """
    for each in exposure.proofs:
        await _record(hub, asked, scope, Operation.JOURNAL_PROVED, each, f"{each.entries} entries")
    done, of = 0, sum(map(len, places.values()))
    for shard, indexes in places.items():
        prover = await aside(Prover, proofs.journal, shard, covering(proofs.journal, shard, indexes[-1]))
        for start in range(0, len(indexes), SOME):
            told("proofs", done, of)
            some = indexes[start : start + SOME]
            await aside(_prove, prover, some, proofs)
            done += len(some)
        await aside(proofs.folder.over, prover)
    recipients = {each.insurer: each.recipient for each in exposure.lists}
    for place, each in enumerate(exposure.proofs):
        if each.file:
            told("proofs packed", place, len(exposure.proofs))
            recipient = recipients[each.insurer]
            digest = await aside(proofs.folder.pack, each.insurer, each.file, _sealing(hub, recipient))
            outcome = f"{each.file} {digest} {each.entries} entries"
            await _record(hub, asked, scope, Operation.JOURNAL_EXPORTED, each, outcome)
            proofs.folder.hand_over(each.file)


async def _record(
    hub: Hub, asked: Request, scope: str, operation: Operation, written: ProofsWritten, outcome: str
) -> None:
    admission = hub.desk.admit(asked, scope, operation, asked.id)
    await hub.desk.release(admission, Disclosure(written, outcome, insurer=written.insurer))


def _sealing(hub: Hub, recipient: str) -> Seal:
    return lambda clear, sealed: hub.exposure.envelopes.seal_stream(recipient, clear, sealed)


def _prove(prover: Prover, indexes: Sequence[int], proofs: Proofs) -> None:
    for index, encoded in entries_at(proofs.journal, prover.shard, indexes):
        entry = decode(encoded)
        place = Place(entry.insurer, entry.person, prover.shard, index)
        if not proofs.folder.has(place):
            proofs.folder.put(place, encoded, prover)


def entries_at(journal: Provable, shard: str, indexes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The entries at these indexes, each bundle read once."""
    for _, near in groupby(indexes, key=lambda index: index // WIDTH):
        wanted = {*near}
        first, end = min(wanted), max(wanted) + 1
        for index, encoded in enumerate(journal.entries(shard, first, end), first):
            if index in wanted:
                yield index, encoded
