"""The columns of the lake, and entries turned into them a batch at a time: lists, never an object an entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
import pyarrow as pa

from ecluse.journal.entry import Entry

BATCH = 512  # entries decoded together: they fit in the processor's cache; 16 384 took three times as long
REFERENCE = pa.binary(16)

SCHEMA = pa.schema(
    {
        "index": pa.int64(),
        "ts_us": pa.int64(),
        "account": pa.string(),
        "practice": pa.string(),
        "insurer": pa.string(),
        "person": pa.uint32(),  # number in the shard by first appearance; 0 is nobody
        "reference": REFERENCE,  # null is nobody
        "operation": pa.string(),
        "presence": pa.uint8(),
        "fields": pa.uint32(),
        "outcome": pa.string(),
        "engagement": pa.string(),
        "request": pa.string(),
        "network": pa.string(),
        "software": pa.string(),
        "session": pa.string(),
    }
)
PERSONS = pa.schema(
    {
        "person": pa.uint32(),
        "insurer": pa.string(),
        "reference": REFERENCE,
        "who": pa.binary(),  # sealed; of the first entry that has one
        "has_who": pa.bool_(),
        "first_ts_us": pa.int64(),  # null in a row that only brings the `who` of somebody seen before
    }
)
ORDER = ("account", "ts_us", "index")

_PLACES = {name: place for place, name in enumerate(Entry.__struct_fields__)}
_DEFAULTS = (*(None for _ in range(len(_PLACES) - len(Entry.__struct_defaults__))), *Entry.__struct_defaults__)
_TAKEN = [each for each in SCHEMA if each.name in _PLACES and each.name != "person"]
_decode = msgspec.msgpack.Decoder(tuple).decode


def fresh_tables(entries: Iterable[bytes], first: int) -> Iterator[pa.Table]:
    """Entries from index `first` on, as tables of `SCHEMA` where `who` is in the place of `person`, which is not known yet."""
    read = iter(entries)
    while rows := [_whole(_decode(each)) for each in islice(read, BATCH)]:
        lists = list(zip(*rows, strict=True))
        columns = {each.name: pa.array(lists[_PLACES[each.name]], each.type) for each in _TAKEN}
        columns["index"] = pa.array(range(first, first + len(rows)), pa.int64())
        columns["reference"] = pa.array([each or None for each in lists[_PLACES["person"]]], REFERENCE)
        columns["who"] = pa.array([each or None for each in lists[_PLACES["who"]]], pa.binary())
        yield pa.table(columns)
        first += len(rows)


def _whole(values: tuple[object, ...]) -> tuple[object, ...]:
    """The values of an entry, with those that came after it was written: earlier formats are shorter."""
    return values + _DEFAULTS[len(values) :]
