"""The chart of a rule's history: drawn as people read it, never wider than a terminal, with every value on it."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ecluse.doors.cli.step_chart import WIDTH, Step, step_chart

FIRST, UNTIL = date(2011, 1, 1), date(2026, 11, 25)
DRAWN = """\
30 |                                                                  +---------
26 |                              +----------------------------+      |
23 |------------------------------+                            +------+
   +----------------------------------------------------------------------------
    2011-01-01                    2017-05-01                          2024-12-22
"""


def test_a_history_that_goes_down_and_up_again() -> None:
    steps: list[Step] = [(FIRST, 23), (date(2017, 5, 1), 26), (date(2023, 7, 1), 23), (date(2024, 12, 22), 30)]
    assert step_chart(steps, UNTIL, str) == DRAWN.splitlines()


def test_an_abrogated_value_is_a_gap() -> None:
    before, after = date(2019, 1, 1), date(2020, 1, 1)
    row, *_ = step_chart([(FIRST, 5), (before, None), (after, 5)], UNTIL, str)
    assert row.count(" ") > 2, "the year without a value"
    assert row.rstrip().endswith("-")


def test_nothing_to_draw() -> None:
    assert step_chart([(FIRST, None)], UNTIL, str) == []


def test_one_value_on_its_first_day() -> None:
    row, *_ = step_chart([(UNTIL, 5)], UNTIL, str)
    assert row == "5 |" + "-" * (WIDTH - 3)


STEPS = st.dictionaries(st.dates(FIRST, UNTIL), st.none() | st.integers(0, 10**8), min_size=1, max_size=12)


@given(STEPS, st.integers(0, 400))
def test_it_fits_a_terminal_and_names_every_value(found: dict[date, int | None], more_days: int) -> None:
    lines = step_chart(sorted(found.items()), UNTIL + timedelta(days=more_days), str)
    assert all(len(line) <= WIDTH for line in lines)
    assert set("".join(lines)) <= set("0123456789 |+-")
    values = {value for value in found.values() if value is not None}
    assert [int(line.split("|")[0]) for line in lines[:-2]] == sorted(values, reverse=True)
    assert not lines or str(max(found)) in lines[-1]
