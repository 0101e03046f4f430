"""A history as a step chart in plain characters: a line for each value, time from left to right, within 80 columns.

    30.00 € |                                      +----
    25.00 € |            +-------------------------+
    23.00 € |------------+
            +-------------------------------------------
             2011-01-01  2017-05-01                2024-12-22

Rows are the values, not a scale: every value can be read off. A day without a value is a gap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction

WIDTH = 80  # columns of the narrowest terminal in use
DAY_WIDTH = len("2024-12-22") + 1  # a label of the axis, and the space after it

Value = int | Fraction
Step = tuple[date, Value | None]


def step_chart(steps: Sequence[Step], until: date, said: Callable[[Value], str]) -> list[str]:
    """The lines of the chart of `steps` (days going up) until `until`; `said` writes a value. None at all: no lines."""
    levels = sorted({value for _, value in steps if value is not None}, reverse=True)
    if not levels:
        return []
    labels = [said(level) for level in levels]
    margin = max(len(label) for label in labels)
    days = _columns(steps[0][0], until, WIDTH - margin - 2)
    rows = _rows(steps, levels, days)
    drawn = [f"{label:>{margin}} |{row}".rstrip() for label, row in zip(labels, rows, strict=True)]
    axis = _axis([since for since, _ in steps], days)
    return [*drawn, " " * margin + " +" + "-" * len(days), " " * (margin + 2) + axis]


def _columns(first: date, until: date, count: int) -> list[int]:
    """The day, as an ordinal, that each column stands for."""
    span = max(until.toordinal() - first.toordinal(), 1)
    return [first.toordinal() + span * column // (count - 1) for column in range(count)]


def _rows(steps: Sequence[Step], levels: list[Value], days: list[int]) -> list[str]:
    """The line of each level: `-` while it is in force, `+` where it begins or ends, `|` where another step passes."""
    starts = [since.toordinal() for since, _ in steps]
    rows = [[" "] * len(days) for _ in levels]
    before: int | None = None
    for column, day in enumerate(days):
        value = steps[bisect_right(starts, day) - 1][1]
        here = None if value is None else levels.index(value)
        if here is not None:
            rows[here][column] = "-"
        if here is not None and before is not None and here != before:
            for row in range(min(here, before), max(here, before) + 1):
                rows[row][column] = "+" if row in (here, before) else "|"
        before = here
    return ["".join(row) for row in rows]


def _axis(changes: list[date], days: list[int]) -> str:
    """The days of change under their columns, those that find room; the last one always does."""
    columns = {each: min(bisect_right(days, each.toordinal() - 1), len(days) - DAY_WIDTH + 1) for each in changes}
    last, line = changes[-1], ""
    for each in changes:
        column = columns[each]
        fits = each is last or (column >= len(line) and column + DAY_WIDTH <= columns[last])
        if fits:
            line = f"{line[:column]:<{column}}{each} "
    return line.rstrip()
