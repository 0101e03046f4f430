"""What an insurer hears of a refused delta: a few of the rows that depend on what is held, and no count of the others."""

from __future__ import annotations

import pytest

from ecluse.formats.feed.checks import BESIDE, checks
from ecluse.formats.feed.file import Mode, RowRefusal
from ecluse.formats.feed.told import MORE, UNFIT_TOLD, told, unfit

ALL = BESIDE | {check.code: check for check in checks(Mode.DELTA)}
N = UNFIT_TOLD


def refusals(*codes: str) -> list[RowRefusal]:
    return [ALL[code].refusal(line) for line, code in enumerate(codes, 2)]


# Mode, codes in order of their lines, how many refusals there are → the codes told, the rows counted, the refusals counted.
CASES = [
    (Mode.DELTA, ["nothing_to_end"] * N, N, ["nothing_to_end"] * N, N, N),
    (Mode.DELTA, ["nothing_to_end"] * (N + 35), N + 35, ["nothing_to_end"] * N + [MORE.code], N, N + 1),
    (Mode.DELTA, ["period_overlaps", "nothing_to_end"] * N, 2 * N, [*(["period_overlaps", "nothing_to_end"] * N)[:N], MORE.code],
     N, N + 1),
    (Mode.DELTA, ["row_twice"] * 9, 9, ["row_twice"] * 9, 9, 9),
    (Mode.DELTA, ["row_twice"] * 9, 12_000, ["row_twice"] * 9 + [MORE.code], 9, 10),  # more than are kept: guesses among them
    (Mode.DELTA, [*["nothing_to_end"] * (N + 4), "row_twice"], N + 5, [*["nothing_to_end"] * N, "row_twice", MORE.code],
     N + 1, N + 2),
    (Mode.DELTA, ["nir_invalid"] * 9, 12_000, ["nir_invalid"] * 9, 12_000, 12_000),
    (Mode.FULL, ["period_overlaps"] * 40, 12_000, ["period_overlaps"] * 40, 12_000, 12_000),
    ("", ["nothing_to_end"] * 40, 40, ["nothing_to_end"] * 40, 40, 40),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "codes", "total", "said", "rows", "counted"), CASES)
def test_what_is_told(mode: str, codes: list[str], total: int, said: list[str], rows: int, counted: int) -> None:
    heard = told(refusals(*codes), total, total, mode)
    assert ([each.code for each in heard.refusals], heard.refused_rows, heard.total) == (said, rows, counted)


def test_what_does_not_fit_is_counted_in_deltas_only() -> None:
    codes = ["nothing_to_end", "row_twice", "period_overlaps"]
    assert (unfit(codes, Mode.DELTA), unfit(codes, Mode.FULL)) == (2, 0)
