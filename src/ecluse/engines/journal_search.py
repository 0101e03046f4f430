"""The local journal searched for one request, by the time its id begins with: a segment or two are read, not the journal.

Segments of a slot begin in the order of time, so the first entries of a few say which ones can hold it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

from ecluse.engines.clock import made_at_us
from ecluse.engines.local import records, segments, slots
from ecluse.gate.admission import Admission
from ecluse.journal.entry import ENTRY_BYTES_MAX, Entry, decode

NEAR_US = 600 * 1_000_000  # ten minutes: no request lives that long, and clocks are rarely set back by more
_FIRST_BYTES = ENTRY_BYTES_MAX + 8  # the longest record
_LATER = 1 << 62  # an empty segment begins after everything


class JournalSearch:
    """The `JournalReader` port on the segments of `directory`, which others may be writing to."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def entry(self, admission: Admission) -> Entry | None:
        """The entry of the request the admission names; None when there is none near the time its id begins with."""
        assert isinstance(admission.about, str)
        entries = map(decode, self._naming(admission.about))
        return next((entry for entry in entries if entry.request == admission.about), None)

    def _naming(self, request: str) -> Iterator[bytes]:
        made_us, wanted = made_at_us(request), request.encode()
        for slot in slots(self._directory) if made_us is not None else ():
            for segment in _near(segments(slot), made_us or 0):
                content = segment.read_bytes()
                if wanted in content:  # a look of some milliseconds; walking the records takes far longer
                    yield from (entry for entry, _ in records(content) if wanted in entry)


def _near(parts: list[Path], at_us: int) -> list[Path]:
    """The segments that can hold an entry of that instant."""
    first = bisect_left(parts, at_us - NEAR_US, key=_begins_us) - 1
    return parts[max(0, first) : bisect_right(parts, at_us + NEAR_US, key=_begins_us)]


def _begins_us(segment: Path) -> int:
    with segment.open("rb") as opened:
        head = opened.read(_FIRST_BYTES)
    return next((decode(entry).ts_us for entry, _ in records(head)), _LATER)
