"""The index of openings follows the journal: what is an opening in it, and what was said of one.

Nothing of a person is in the index; whoever wants to know reads the entry that it points to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.ports import HUB, Keys
from ecluse.app.ports.journal import Head
from ecluse.app.ports.openings import Denial, Opening
from ecluse.gate.allowance import opens
from ecluse.gate.openings import opening_message
from ecluse.journal.entry import Entry, Operation, decode
from ecluse.journal.tiles import WIDTH

FOLLOWED_MAX = 20_000  # entries read in one call: a tenth of a second
TOGETHER = 5_000  # entries whose openings are kept in one transaction

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Denial).decode


def follow(hub: Hub, entries_max: int = FOLLOWED_MAX) -> bool:
    """Bring the index nearer to the journal's signed heads; whether entries are left to read. Blocks."""
    store, read = hub.openings, 0
    marks = store.marks()
    for head in hub.exposure.shards.heads():
        at = max(marks.get(head.shard, 0), head.pruned)
        while at < head.size and read < entries_max:
            upto = min(head.size, at + TOGETHER, at + entries_max - read)
            store.follow(head.shard, upto, *_found(hub, head.shard, at, upto))
            read, at = read + upto - at, upto
    return read >= entries_max


def follow_if_asked(hub: Hub) -> bool:
    """The same where an insurer ever asked: a hub that tells nobody pays nothing."""
    return hub.openings.has_begun and follow(hub)


def entries_at(hub: Hub, openings: Sequence[Opening], heads: Mapping[str, Head]) -> Iterator[tuple[Opening, Entry]]:
    """Each opening that is still kept with its entry: a bundle of the journal is read once for all that stand in it. Blocks."""
    kept = [each for each in openings if each.place >= heads[each.shard].pruned]
    for (shard, _), some in groupby(kept, lambda each: (each.shard, each.place // WIDTH)):
        wanted = list(some)
        first, last = wanted[0].place, wanted[-1].place
        entries = list(hub.exposure.shards.entries(shard, first, last + 1))
        yield from ((each, decode(entries[each.place - first])) for each in wanted)


def heads_by_name(hub: Hub) -> dict[str, Head]:
    """The journal's shards. Blocks."""
    return {each.shard: each for each in hub.exposure.shards.heads()}


def seal_denial(keys: Keys, denial: Denial, request: str) -> bytes:
    """A denial as its entry in the journal holds it, under the hub's own key."""
    return keys.seal(HUB, _encode(denial), _about(request))


def read_denial(keys: Keys, entry: Entry) -> Denial:
    """What an entry of the journal says was denied."""
    return _decode(keys.open(HUB, entry.sealed, _about(entry.request)))


def _found(hub: Hub, shard: str, start: int, end: int) -> tuple[list[Opening], list[Denial]]:
    """The openings and the denials among some entries of a shard."""
    openings, denials = [], []
    for place, encoded in enumerate(hub.exposure.shards.entries(shard, start, end), start):
        entry = decode(encoded)
        if opens(entry) and hub.keys.has(entry.insurer):  # of an insurer that is gone nobody is left to be told
            id_ = hub.keys.digest(entry.insurer, opening_message(entry.account, entry.person))
            openings.append(Opening(id_, entry.insurer, shard, place, entry.ts_us))
        elif entry.operation is Operation.OPENING_DENIED:
            denials.append(read_denial(hub.keys, entry))
    return openings, denials


def _about(request: str) -> bytes:
    """What the seal of a denial is bound to."""
    return b"denied|1|" + request.encode()
