"""Where each line of a letter stands on its pages, for a press that prints the body once and each letter's own lines over it.

Letters of one shape whose own lines take as many lines on paper share a `Plan`: what is the same in all of them, page by page,
and the places of what is not. All measures are points (1/72 inch), from the lower left corner of an A4 page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from ecluse.breach.letters.compose import PLACES, Block

MM = 72 / 25.4
WIDTH, HEIGHT = 210 * MM, 297 * MM
LEFT, TOP, BOTTOM = 24 * MM, 18 * MM, 18 * MM
COLUMN = WIDTH - 2 * LEFT
WINDOW_LEFT, WINDOW_TOP, WINDOW_HEIGHT = (
    104 * MM,
    45 * MM,
    34 * MM,
)  # as `letter.typ` has it: French C5 and DL envelopes
LEADING = 1.36  # of the size: lines of 60 to 90 letters are read without losing one's way from here on
INDENT = 14.0
PADDING = 8.0
CODE_BOX = 0.64  # of the column

Measure = Callable[[str, str, float], float]  # text, font, size → width


class Style(msgspec.Struct, frozen=True):
    """A font (`regular`, `bold`), its size, the room before."""

    font: str
    size: float
    before: float = 0.0


STYLES = {
    "p": Style("regular", 9.5, 5),
    "ul": Style("regular", 9.5, 3),
    "ol": Style("regular", 9.5, 3),
    "h": Style("bold", 10.5, 10),
    "code": Style("bold", 12, 10),
}
SMALL, TITLE, DATE = Style("regular", 9), Style("bold", 11.5, 14), Style("regular", 9.5)


class Printed(msgspec.Struct, frozen=True):
    """A line on paper; its words, or which part of which of the letter's own lines."""

    x: float
    y: float
    style: Style
    text: str
    own: tuple[int, int] | None = None


class Plan(msgspec.Struct, frozen=True, eq=False):
    """Pages of what is shared, boxes around codes (page, left, bottom, width, height), places of what is not by page."""

    shared: tuple[tuple[Printed, ...], ...]
    boxes: tuple[tuple[int, float, float, float, float], ...]
    own: tuple[tuple[Printed, ...], ...]


class Own(msgspec.Struct, frozen=True):
    """A line of the body in which something is each person's own: with its places, its style, the room it has."""

    text: str
    style: Style
    width: float


class _Row(msgspec.Struct, frozen=True):
    text: str
    style: Style
    before: float
    indent: float
    mark: str = ""
    own: tuple[int, int] | None = None
    keeps: bool = False  # stands on the same page as the next one
    boxed: bool = False


def own_lines(blocks: Sequence[Block]) -> tuple[Own, ...]:
    """The lines with places, in order."""
    return tuple(
        Own(line, STYLES[block.kind], COLUMN - _indent(block) - (2 * PADDING if block.kind == "code" else 0))
        for block in blocks
        for line in block.lines
        if _has_place(line)
    )


def wrapped(text: str, style: Style, width: float, measure: Measure) -> tuple[str, ...]:
    """The text cut at spaces into lines that are no wider; a word that is wider stands alone."""
    if measure(text, style.font, style.size) <= width:
        return (text,)
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and measure(longer, style.font, style.size) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return (*lines, line)


def lay(
    title: str, sender: Sequence[str], on: str, blocks: Sequence[Block], counts: Sequence[int], measure: Measure
) -> Plan:
    """The plan of letters whose own lines take `counts` lines on paper."""
    shared: list[list[Printed]] = [_head(sender, on, measure)]
    own: list[list[Printed]] = [[]]
    boxes: list[tuple[int, float, float, float, float]] = []
    lines = wrapped(title, TITLE, COLUMN, measure)
    rows = [_Row(each, TITLE, 0 if at else TITLE.before, 0) for at, each in enumerate(lines)]
    rows += _rows(blocks, counts, measure)
    y = HEIGHT - WINDOW_TOP - WINDOW_HEIGHT - 2 * DATE.size * LEADING
    for at, row in enumerate(rows):
        needed = sum(_height(each) for each in rows[at : at + 1 + row.keeps])
        if y - needed < BOTTOM:
            shared.append([])
            own.append([])
            y = HEIGHT - TOP
        y -= _height(row)
        x = LEFT + row.indent + (PADDING if row.boxed else 0)
        line = Printed(x, y + (PADDING + 2 if row.boxed else 0), row.style, row.text, row.own)
        (own if row.own else shared)[-1].append(line)
        if row.mark:
            shared[-1].append(Printed(LEFT, y, row.style, row.mark))
        if row.boxed:
            boxes.append((len(shared) - 1, LEFT, y, CODE_BOX * COLUMN, row.style.size * LEADING + 2 * PADDING))
    return Plan(tuple(map(tuple, shared)), tuple(boxes), tuple(map(tuple, own)))


def _head(sender: Sequence[str], on: str, measure: Measure) -> list[Printed]:
    """What stands above the body of the first page: who writes, and the day."""
    step = SMALL.size * LEADING
    lines = [Printed(LEFT, HEIGHT - TOP - (at + 1) * step, SMALL, each) for at, each in enumerate(sender)]
    right = WIDTH - LEFT - measure(on, DATE.font, DATE.size)
    return [*lines, Printed(right, HEIGHT - WINDOW_TOP - WINDOW_HEIGHT - DATE.size * LEADING, DATE, on)]


def _rows(blocks: Sequence[Block], counts: Sequence[int], measure: Measure) -> Iterator[_Row]:
    number = 0
    for block in blocks:
        style, indent = STYLES[block.kind], _indent(block)
        for at, line in enumerate(block.lines):
            before = style.before if at == 0 or block.kind in ("ul", "ol") else 0.0
            mark = {"ul": "•", "ol": f"{at + 1}."}.get(block.kind, "")
            if _has_place(line):
                parts, owner = [""] * counts[number], number
                number += 1
            else:
                parts, owner = [*wrapped(line, style, COLUMN - indent, measure)], -1
            for part, text in enumerate(parts):
                yield _Row(
                    text,
                    style,
                    before if part == 0 else 0.0,
                    indent,
                    mark if part == 0 else "",
                    (owner, part) if owner >= 0 else None,
                    keeps=block.kind == "h" or part < len(parts) - 1,
                    boxed=block.kind == "code",
                )


def _height(row: _Row) -> float:
    return row.before + row.style.size * LEADING + (2 * PADDING if row.boxed else 0)


def _indent(block: Block) -> float:
    return INDENT if block.kind in ("ul", "ol") else 0.0


def _has_place(line: str) -> bool:
    return any(place in line for place in PLACES.values())
