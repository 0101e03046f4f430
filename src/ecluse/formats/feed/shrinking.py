"""How far one file may empty an insurer's rights before somebody says that it is meant.

An export that stopped half-way, or a stolen token with a file of one row, would end the care of a million people at once, and
nothing else shows it: each row is good. What a file leaves is counted in people who have a right today and next week, so that
rights dated into the past or the future count like rows left out.
"""

from __future__ import annotations

from ecluse.formats.feed.file import Mode, Standing
from ecluse.kernel.errors import refusal

HELD_MIN = (
    10_000  # people: one collective contract is half of a smaller insurer, and a file of that size is read by somebody
)
KEPT_PART = 2  # one in two: insurers that merge move so many, and their operator knows of it
AHEAD_DAYS = 7  # a right that is over by then counts as gone: time to look, before care stops

FEED_SHRINKS = refusal(
    "feed_shrinks",
    422,
    "The file would leave most of the insurer's members without rights",
    fix="Send the whole file. If they did leave, the operator of the hub loads it: ecluse feed load FILE --shrink.",
)


def shrinks(mode: Mode, held: int, persons: int, rows: Standing) -> bool:
    """Whether a file leaves less than half of the people `held` before it with a right; `persons` are held after it, of any day.

    People with several rows are counted once at most, so that one row of theirs which ends takes nobody away.
    """
    left = persons - rows.over + rows.then if mode is Mode.DELTA else min(rows.now, rows.then)
    return held >= HELD_MIN and min(persons, left) * KEPT_PART < held
