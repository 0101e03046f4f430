"""The page's charts as SVG text: columns by day, bars by value, the map of tiles. No script; colours are classes of the sheet.

Each has a title and a description for those who do not see it, and stands beside a table of the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape

from markupsafe import Markup

from ecluse.doors.exposures.france import COLUMNS, ROWS, TILES
from ecluse.doors.exposures.words import figure, short_day

WIDE, HIGH = 720, 220
LEFT, BOTTOM, TOP = 56, 26, 12
BAR, GAP, LABEL, ROOM = 20, 10, 265, 80
TILE, SPACE = 40, 4
SHADES = 5
MARKS = 8  # labels under the columns: more would touch each other


def columns(key: str, title: str, days: Mapping[str, int]) -> Markup:
    """People by day, every day from the first to the last, the empty ones too."""
    every = _filled(days)
    high = max(every.values(), default=0)
    step = round_step(high)
    ceiling = step * max(1, -(-high // step))
    inner, wide = HIGH - BOTTOM - TOP, (WIDE - LEFT) / max(1, len(every))
    parts = []
    for mark in range(0, ceiling + 1, step):
        y = TOP + inner - inner * mark / ceiling
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis end" x="{LEFT - 8}" y="{y + 4:.1f}">{figure(mark)}</text>')
    every_nth = -(-len(every) // MARKS) or 1
    for place, (day, people) in enumerate(every.items()):
        tall = inner * people / ceiling
        x, slim = LEFT + place * wide, min(wide * 0.74, 46)
        middle = x + wide / 2
        if people:
            box = _box(middle - slim / 2, TOP + inner - tall, slim, tall)
            parts.append(f'<rect class="bar" {box}><title>{short_day(day)} : {figure(people)}</title></rect>')
        if place % every_nth == 0:
            parts.append(f'<text class="axis mid" x="{middle:.1f}" y="{HIGH - 6}">{short_day(day)}</text>')
    said = f"{len(every)} jours, au plus {figure(high)} personnes en un jour."
    return drawing(key, title, said, WIDE, HIGH, parts)


def bars(key: str, title: str, rows: Sequence[tuple[str, int]]) -> Markup:
    """One bar a value, its label before it and its number after it."""
    high = max((value for _, value in rows), default=0) or 1
    parts = []
    for place, (label, value) in enumerate(rows):
        y = place * (BAR + GAP) + GAP / 2
        wide = (WIDE - LABEL - ROOM) * value / high
        baseline = y + BAR * 0.72
        parts.append(f'<text class="label end" x="{LABEL - 10}" y="{baseline:.1f}">{escape(label)}</text>')
        parts.append(f'<rect class="bar" {_box(LABEL, y, max(wide, 1), BAR)}/>')
        parts.append(f'<text class="value" x="{LABEL + wide + 8:.1f}" y="{baseline:.1f}">{figure(value)}</text>')
    said = " ; ".join(f"{label} : {figure(value)}" for label, value in rows)
    return drawing(key, title, said, WIDE, len(rows) * (BAR + GAP) + 4, parts)


def tiles(key: str, title: str, places: Mapping[str, int]) -> Markup:
    """Départements as tiles, the darker the more people were displayed from there; five shades between none and the most."""
    high = max((places.get(code, 0) for code in TILES), default=0)
    parts = []
    for code, (column, row) in TILES.items():
        people = places.get(code, 0)
        x, y = column * (TILE + SPACE) + SPACE, row * (TILE + SPACE) + SPACE
        tip = f"<title>{code} : {figure(people)}</title>"
        shade = shade_of(people, high)
        parts.append(f'<g class="s{shade}"><rect rx="4" {_box(x, y, TILE, TILE)}>{tip}</rect>')
        parts.append(f'<text class="tile mid" x="{x + TILE / 2}" y="{y + (17 if people else 25)}">{code}</text>')
        if people:
            parts.append(f'<text class="count mid" x="{x + TILE / 2}" y="{y + 32}">{compact(people)}</text>')
        parts.append("</g>")
    known = {code: people for code, people in places.items() if code in TILES}
    said = " ; ".join(f"{code} : {figure(people)}" for code, people in known.items()) or "aucun département connu"
    return drawing(key, title, said, COLUMNS * (TILE + SPACE) + SPACE, ROWS * (TILE + SPACE) + SPACE, parts)


def shade_of(people: int, high: int) -> int:
    """0 for nobody, else 1 to `SHADES`, in equal steps up to the highest."""
    return -(-people * SHADES // high) if people else 0


def compact(people: int) -> str:
    """A number that fits in a tile: 12 345 is 12 k."""
    return figure(people) if people < 10_000 else f"{people // 1000}\u202fk"


def round_step(high: int) -> int:
    """A round step that puts at most five marks under `high`."""
    step = 1
    while True:
        for times in (1, 2, 5):
            if high <= step * times * 5:
                return step * times
        step *= 10


def drawing(key: str, title: str, said: str, wide: int, high: int, parts: Sequence[str]) -> Markup:
    """The SVG around the parts, with what a screen reader says."""
    head = f'<svg viewBox="0 0 {wide} {high}" role="img" aria-labelledby="{key}-t {key}-d">'
    words = f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(said)}</desc>'
    return Markup(head + words + "".join(parts) + "</svg>")  # noqa: S704 - whatever came from outside was escaped


def _box(x: float, y: float, wide: float, high: float) -> str:
    return f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"'


def _filled(days: Mapping[str, int]) -> dict[str, int]:
    if not days:
        return {}
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return {day.isoformat(): days.get(day.isoformat(), 0) for day in every}
