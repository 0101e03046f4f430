"""What an insurer's account hears of its delta, where it depends on what the hub holds.

The rows are the insurer's own, but whoever stole its token sends guesses: which of them do not fit what is held says who is a
member. An insurer needs a few of them to find its mistake, the operator sees them all, and a full file always fits.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ecluse.formats.feed.checks import BESIDE, Check
from ecluse.formats.feed.file import Mode, RowRefusal

UNFIT = frozenset({"nothing_to_end", "period_overlaps"})  # codes of a delta's rows that may depend on what is held
UNFIT_TOLD = 100  # of a file: past that it is the file that does not fit, not its rows
UNFIT_FILES_MAX = 24  # refused so in a day: a delta an hour, not one of which fits

MORE = Check(
    "",
    "more_not_told",
    "",
    "other rows cannot be applied to what is held: they are not told",
    "Send a full file, or ask the operator of the hub for the rows (ecluse feed show).",
)


class Told(msgspec.Struct, frozen=True):
    """Of a refused feed: the rows that are told, how many were refused, and how many refusals there are."""

    refusals: tuple[RowRefusal, ...]
    refused_rows: int
    total: int


def unfit(codes: Sequence[str], mode: str) -> int:
    """How many refusals may depend on what is held, by their codes."""
    return sum(code in UNFIT for code in codes) if mode == Mode.DELTA else 0


def told(refusals: Sequence[RowRefusal], refused_rows: int, total: int, mode: str) -> Told:
    """What the insurer is told of a feed whose refusals kept in detail are these, in order. Counts tell of guesses as lines do:
    they are those of the rows that are told."""
    if mode != Mode.DELTA or not any(each.code in BESIDE for each in refusals):
        return Told(tuple(refusals), refused_rows, total)
    listed, left = [], UNFIT_TOLD
    for each in refusals:
        if each.code not in UNFIT:
            listed.append(each)
        elif left:
            listed.append(each)
            left -= 1
    if len(listed) < total:
        listed.append(MORE.refusal(1))
    return Told(tuple(listed), len({each.line for each in listed if each.line > 1}), len(listed))
