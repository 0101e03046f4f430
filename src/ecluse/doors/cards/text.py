"""An explanation as plain characters, for a terminal: bars of blocks, then the sentences, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ecluse.app.explain import ExplainedLine, Explanation
from ecluse.coverage.waterfall import Bar, BarKind
from ecluse.doors.cards.reading import Placed, missing, placed, sentences, signed, title

COLUMNS = 80
_LABEL, _AMOUNT = 24, 15  # the longest label has 22 characters; a million euros with its sign has 14
_CHART = COLUMNS - _LABEL - _AMOUNT - 1
_BLOCKS = {BarKind.EXPENSE: "█", BarKind.AMO: "▓", BarKind.OTHERS: "░", BarKind.CONTRACT: "▒", BarKind.LEFT: "█"}


def as_text(explanation: Explanation) -> str:
    """The whole explanation, each line of it at most `COLUMNS` wide and ended."""
    lines = [line for each in explanation.explained for line in (*_line(each), "")]
    if explanation.left_out:
        lines += [missing(explanation.left_out), ""]
    return "\n".join(lines)


def _line(line: ExplainedLine) -> Iterator[str]:
    shown = line.waterfall
    yield title(line)
    yield ""
    yield from map(_drawn, placed(shown, _CHART))
    yield from (f"{_head(each)} (à part)" for each in shown.asides)
    yield ""
    for said in sentences(shown):
        yield from textwrap.wrap(said, COLUMNS, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _drawn(one: Placed) -> str:
    start, end = min(round(one.start), _CHART - 1), round(one.start + one.length)
    end = max(end, start + (one.bar.cents != 0))  # a cent is seen
    return f"{_head(one.bar)} {' ' * start}{_BLOCKS[one.bar.kind] * (end - start)}".rstrip()


def _head(bar: Bar) -> str:
    return f"{bar.label:<{_LABEL}}{signed(bar.cents):>{_AMOUNT}}"
