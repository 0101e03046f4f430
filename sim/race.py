"""The chart of an attack: people told of, on a logarithmic scale, over the questions asked; the hub against an open portal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

from sim.charts import WIDTH, drawing, round_step, spaced

TALL = 300
LEFT, RIGHT, TOP, BOTTOM = 74, 210, 14, 34  # room for the scale, and for the name of each line at its end
ROW = 17  # between two names that would be on each other


@dataclass(frozen=True)
class Line:
    """One line: its name, and people told of by questions asked, in order; it begins at (0, 0)."""

    label: str
    points: Sequence[tuple[int, int]]


def race(name: str, title: str, lines: Sequence[Line]) -> str:
    """Every line as steps; nobody stands just below one person, as a logarithm has no zero."""
    asked = max((line.points[-1][0] for line in lines), default=1) or 1
    decades = len(str(max((line.points[-1][1] for line in lines), default=1)))
    parts = [*_scale(decades), *_asked(asked)]
    for kind, (line, label_y) in enumerate(
        zip(lines, _apart([_y(each.points[-1][1], decades) for each in lines]), strict=True)
    ):
        path, last = [f"M{_x(0, asked):.1f} {_y(0, decades):.1f}"], 0
        for x, people in line.points:
            if people != last or x == asked:
                path.append(f"H{_x(x, asked):.1f}V{_y(people, decades):.1f}")
            last = people
        said = f"{escape(line.label)} : {spaced(last)}"
        parts.append(f'<path class="line l{kind + 1}" d="{"".join(path)}"><title>{said}</title></path>')
        parts.append(f'<text class="value" x="{WIDTH - RIGHT + 8}" y="{label_y + 4:.1f}">{said}</text>')
    words = "; ".join(f"{line.label} : {spaced(line.points[-1][1])} personnes" for line in lines)
    return drawing(name, title, words, TALL, parts)


def _scale(decades: int) -> list[str]:
    parts = []
    for power in range(decades + 1):
        y = _y(10**power, decades)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{spaced(10**power)}</text>')
    nobody = _y(0, decades)
    return [*parts, f'<text class="axis" x="{LEFT - 8}" y="{nobody + 4:.1f}" text-anchor="end">personne</text>']


def _asked(asked: int) -> list[str]:
    step = round_step(asked)
    marks = range(step, asked + 1, step)
    return [
        f'<text class="axis" x="{_x(mark, asked):.1f}" y="{TALL - 8}" text-anchor="middle">{spaced(mark)} questions</text>'
        for mark in marks
    ]


def _x(asked: int, of: int) -> float:
    return LEFT + (WIDTH - RIGHT - LEFT) * asked / of


def _y(people: int, decades: int) -> float:
    high = TALL - TOP - BOTTOM
    return TOP + high - high * ((log10(people) + 0.6) / (decades + 0.6) if people else 0.0)


def _apart(ys: Sequence[float]) -> list[float]:
    """The same heights, moved down or up just so far that names do not cover each other."""
    placed: dict[int, float] = {}
    below = float(TALL)
    for place in sorted(range(len(ys)), key=lambda place: -ys[place]):
        placed[place] = below = min(ys[place], below - ROW)
    return [placed[place] for place in range(len(ys))]
