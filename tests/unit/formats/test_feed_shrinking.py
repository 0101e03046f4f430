"""When a file leaves too few people with rights: by the days of its rows, and by how many were held."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.formats.feed.file import Mode, Standing
from ecluse.formats.feed.header import CHANGE
from ecluse.formats.feed.shrinking import HELD_MIN, shrinks
from tests.unit.formats.test_feed_checks import GOOD, check, lines

FULL, DELTA = Mode.FULL, Mode.DELTA
MANY = 100_000


@pytest.mark.parametrize(
    ("valid", "standing"),
    [
        (("2026-01-01", ""), (1, 1, 0)),
        (("2026-01-01", "9999-12-31"), (1, 1, 0)),
        (("2026-06-01", "2026-06-08"), (1, 1, 0)),  # read on 1 June: a week later is the 8th
        (("2026-06-01", "2026-06-07"), (1, 0, 1)),
        (("2026-01-01", "2026-05-31"), (0, 0, 1)),
        (("2026-06-02", ""), (0, 1, 0)),
        (("2026-06-09", ""), (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("mode", [FULL, DELTA])
def test_rows_are_counted_by_their_days(
    tmp_path: Path, mode: Mode, valid: tuple[str, str], standing: tuple[int, int, int]
) -> None:
    start, end = valid
    row = GOOD | {"valid_from": start, "valid_to": end} | ({CHANGE: "set"} if mode is DELTA else {})
    assert check(tmp_path, lines(row), mode).standing == Standing(*standing)


@pytest.mark.parametrize(
    ("mode", "persons", "rows", "refused"),
    [
        (FULL, MANY, (MANY, MANY, 0), False),
        (FULL, MANY // 2, (MANY // 2, MANY // 2, 0), False),
        (FULL, MANY // 2 - 1, (MANY // 2 - 1, MANY // 2 - 1, 0), True),
        (FULL, 1, (1, 1, 0), True),
        (FULL, 40_000, (MANY, MANY, 0), True),  # two or three contracts a person make no people
        (FULL, MANY, (MANY, 0, MANY), True),  # all over next week
        (FULL, MANY, (0, MANY, 0), True),  # all begin next week: today nobody has a right
        (FULL, MANY, (MANY, MANY, MANY), False),  # this year's, which ends next week, and next year's
        (DELTA, MANY, (0, 0, 0), False),
        (DELTA, MANY, (0, 0, MANY), True),
        (DELTA, MANY, (MANY, MANY, MANY), False),  # every right replaced by another
        (DELTA, MANY, (0, 0, MANY // 2), False),
        (DELTA, MANY, (0, 0, MANY // 2 + 1), True),
    ],
)
def test_a_file_leaves_half_of_the_people_or_is_refused(
    mode: Mode, persons: int, rows: tuple[int, int, int], *, refused: bool
) -> None:
    assert shrinks(mode, MANY, persons, Standing(*rows)) is refused


def test_a_small_insurer_may_lose_everybody() -> None:
    assert not shrinks(FULL, HELD_MIN - 1, 1, Standing(1, 1, 0))
    assert shrinks(FULL, HELD_MIN, 1, Standing(1, 1, 0))
