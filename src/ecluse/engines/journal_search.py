"""The local journal searched for one request, by the time its id begins with: some dozens of entries are read to find the place.

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

    def _naming(self, request: str) -> Iterator[bytes]:
        made_us, wanted = made_at_us(request), request.encode()
        for record in read_records(self._directory).values() if made_us is not None else ():
            for entry in self._near(record, made_us or 0):
                if wanted in entry:
                    yield entry

    def _near(self, record: Record, at_us: int) -> Iterator[bytes]:
        """The entries of a shard that can be of that instant."""
        shards = LocalShards(self._directory)
        size = size_of(self._directory, record.name)

        def begins_us(bundle: int) -> int:
            return next(decode(each).ts_us for each in shards.entries(record.name, bundle * WIDTH, bundle * WIDTH + 1))

        bundles = range(-(-record.pruned // WIDTH), -(-size // WIDTH))
        first = max(bundles.start, bundles.start + bisect_left(bundles, at_us - NEAR_US, key=begins_us) - 1)
        last = bundles.start + bisect_right(bundles, at_us + NEAR_US, key=begins_us)
        return shards.entries(record.name, min(first * WIDTH, size), min(last * WIDTH, size))
