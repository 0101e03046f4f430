"""Which files a shard's lake has: a pure function of its first entry kept and of its size, like the digits of a number.

Entries are cut where their index is a multiple of 2^24, 2^22, 2^20, 2^16, the widest that fits first; a tail ends it. So a file,
once as wide as it gets, is never written again, and a journal of a hundred million entries is a dozen files.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec

# The wider a file, the more of it the zone maps leave out for some accounts; each width more writes each entry once more. As many
# entries as the last width but one are taken from the journal, sorted and numbered in memory together: about 1 GiB.
WIDTHS = (1 << 24, 1 << 22, 1 << 20, 1 << 16)
ENTRIES, PERSONS = "entries", "persons"
COVERED = "covered.json"
FORMAT = 2  # 1 compressed every column


class Range(NamedTuple):
    """Entries from `start` until before `end`."""

    start: int
    end: int

    def holds(self, other: Range) -> bool:
        """Whether the other lies within."""
        return self.start <= other.start and other.end <= self.end

    def name(self, kind: str) -> str:
        """The name of its file."""
        return f"{kind}-{self.start:012d}-{self.end:012d}.parquet"


class File(msgspec.Struct, frozen=True):
    """Two Parquet files, of the entries of a range and of the persons first seen there; the times of the entries, in µs."""

    start: int
    end: int
    from_us: int
    to_us: int

    @property
    def range(self) -> Range:
        """The entries it holds."""
        return Range(self.start, self.end)


class State(msgspec.Struct, frozen=True):
    """What `covered.json` says of a shard. `checkpoint` is empty between two heads, while an export catches up."""

    shard: str
    size: int = 0
    pruned: int = 0
    persons: int = 0
    checkpoint: str = ""
    is_frozen: bool = False
    files: tuple[File, ...] = ()
    writer: str = ""  # the bytes are those of this version of pyarrow
    format: int = FORMAT


def place(url: str) -> tuple[str, dict[str, str]]:
    """The folder that the rest of a lake's URL names, and what else it says: `lake?master=local[2]`."""
    folder, _, options = url.partition("?")
    return folder, dict(parse_qsl(options))


def ranges(start: int, end: int, widths: tuple[int, ...] = WIDTHS) -> list[Range]:
    """The ranges of the files for entries `start` until before `end`."""
    found = []
    while start < end:
        found.append(Range(start, _stop(start, end, widths)))
        start = found[-1].end
    return found


def parts(whole: Range, widths: tuple[int, ...] = WIDTHS) -> list[Range]:
    """The ranges a merged file is made of: those there were just before its last entry came."""
    width = next(each for each in widths if each < whole.end - whole.start)
    return [Range(at, at + width) for at in range(whole.start, whole.end, width)]


def _stop(start: int, end: int, widths: tuple[int, ...]) -> int:
    for width in widths:
        if start % width == 0 and start + width <= end:
            return start + width
    return min(end, (start // widths[-1] + 1) * widths[-1])
