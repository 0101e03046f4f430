"""The local journal searched by time: for one request, by what its id begins with, or for all from an instant on. Some dozens of
entries are read to find the place.

Entries of a shard stand in the order of time but for the minutes a clock may be set back.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

from ecluse.engines.clock import made_at_us
from ecluse.engines.local.reading import LocalShards, size_of
from ecluse.engines.local.registry import Record, read_records
from ecluse.gate.admission import Admission
from ecluse.journal.entry import Entry, decode
from ecluse.journal.tiles import WIDTH
from ecluse.journal.verify import NEAR_US


class JournalSearch:
    """The `JournalReader` port on the shards of `directory`, which others may be writing to."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def entry(self, admission: Admission) -> Entry | None:
        """The entry of the request the admission names; None when there is none near the time its id begins with."""
        assert isinstance(admission.about, str)
        entries = map(decode, self._naming(admission.about))
        return next((entry for entry in entries if entry.request == admission.about), None)

    def entries(self, admission: Admission, since_us: int, text: str) -> Iterator[Entry]:
        """Entries from an instant on in which `text` stands."""
        wanted = text.encode()
        for record in read_records(self._directory).values():
            for encoded in self._between(record, since_us - NEAR_US, None):
                if wanted in encoded and (entry := decode(encoded)).ts_us >= since_us:
                    yield entry

    def _naming(self, request: str) -> Iterator[bytes]:
        made_us, wanted = made_at_us(request), request.encode()
        if made_us is None:
            return
        for record in read_records(self._directory).values():
            for entry in self._between(record, made_us - NEAR_US, made_us + NEAR_US):
                if wanted in entry:
                    yield entry

    def _between(self, record: Record, first_us: int, last_us: int | None) -> Iterator[bytes]:
        """The entries of a shard that can be of these instants; to its end where the last is not said."""
        shards = LocalShards(self._directory)
        size = size_of(self._directory, record.name)

        def begins_us(bundle: int) -> int:
            return next(decode(each).ts_us for each in shards.entries(record.name, bundle * WIDTH, bundle * WIDTH + 1))

        bundles = range(-(-record.pruned // WIDTH), -(-size // WIDTH))
        first = max(bundles.start, bundles.start + bisect_left(bundles, first_us, key=begins_us) - 1)
        last = bundles.stop if last_us is None else bundles.start + bisect_right(bundles, last_us, key=begins_us)
        return shards.entries(record.name, min(first * WIDTH, size), min(last * WIDTH, size))
