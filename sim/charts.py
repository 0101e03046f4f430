"""Small charts as SVG text: columns stacked by kind, bars, and ranges of latency. No script, no style of their own.

Colours are classes (`k1` to `k6`) that the page defines, so that light and dark pages both keep their contrast. Each chart
has a title and a description for those who do not see it, and the page puts a table of the same numbers beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 940
HALF = 540  # of a chart that has its table beside it
BAR = 22
GAP = 10


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its parts (one for each kind of the chart) and what is written at its end."""

    label: str
    parts: tuple[int, ...]
    said: str = ""


def spaced(number: int) -> str:
    """A whole number as French readers write it: 12 345, with a narrow no-break space."""
    return f"{number:,}".replace(",", "\u202f")


def columns(name: str, title: str, kinds: Sequence[str], bars: Sequence[Bar], height: int = 300) -> str:
    """Vertical bars stacked by kind, with a scale of round numbers."""
    left, bottom, top = 52, 30, 14
    high = max((sum(bar.parts) for bar in bars), default=0)
    step = round_step(high)
    ceiling = step * max(1, -(-high // step))
    inner = height - bottom - top
    parts = []
    for mark in range(0, ceiling + 1, step):
        y = top + inner - inner * mark / ceiling
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{spaced(mark)}</text>')
    wide = (WIDTH - left) / max(1, len(bars))
    for place, bar in enumerate(bars):
        x, y = left + place * wide + wide * 0.14, float(top + inner)
        for kind, value in _drawn(bar):
            tall = inner * value / ceiling
            y -= tall
            parts.append(rect(kind, x, y, wide * 0.72, tall, tip(bar, kinds[kind], spaced(value))))
        middle = left + (place + 0.5) * wide
        parts.append(
            f'<text class="axis" x="{middle:.1f}" y="{height - 8}" text-anchor="middle">{escape(bar.label)}</text>'
        )
    total = sum(sum(bar.parts) for bar in bars)
    return drawing(
        name, title, f"{len(bars)} colonnes, {spaced(total)} en tout, au plus {spaced(high)}.", height, parts
    )


def bars(
    name: str, title: str, kinds: Sequence[str], rows: Sequence[Bar], width: int = WIDTH, label_width: int = 290,
    said: Callable[[int], str] = spaced,
) -> str:  # fmt: skip
    """Horizontal bars stacked by kind, the label on the left and the number at the end; `said` says a number in its unit."""
    room = 110
    high = max((sum(row.parts) for row in rows), default=0) or 1
    parts = []
    for place, row in enumerate(rows):
        y = place * (BAR + GAP) + GAP / 2
        x = float(label_width)
        baseline = y + BAR * 0.72
        parts.append(
            f'<text class="label" x="{label_width - 10}" y="{baseline:.1f}" text-anchor="end">{escape(row.label)}</text>'
        )
        for kind, value in _drawn(row):
            wide = (width - label_width - room) * value / high
            parts.append(rect(kind, x, y, wide, BAR, tip(row, kinds[kind], said(value))))
            x += wide
        end = row.said or said(sum(row.parts))
        parts.append(f'<text class="value" x="{x + 8:.1f}" y="{baseline:.1f}">{escape(end)}</text>')
    height = len(rows) * (BAR + GAP) + 4
    words = "; ".join(f"{row.label} : {row.said or said(sum(row.parts))}" for row in rows)
    return drawing(name, title, words, height, parts, width)


@dataclass(frozen=True)
class Range:
    """The latencies of one call, in milliseconds."""

    label: str
    p50: float
    p95: float
    p99: float


def ranges(name: str, title: str, rows: Sequence[Range]) -> str:
    """One line a call: from the median to the 99th percentile, with a mark at the 95th."""
    left, right, tall, width = 190, 34, 44, HALF
    high = max((row.p99 for row in rows), default=1.0) or 1.0
    step = round_step(int(high) + 1)
    ceiling = step * -(-(int(high) + 1) // step)
    height = len(rows) * tall + 30

    def at(value: float) -> float:
        return left + (width - left - right) * value / ceiling

    parts = []
    for mark in range(0, ceiling + 1, step):
        x = at(mark)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 24}"/>')
        parts.append(
            f'<text class="axis" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{spaced(mark)}\u00a0ms</text>'
        )
    for place, row in enumerate(rows):
        y = place * tall + tall / 2
        parts.append(
            f'<text class="label" x="{left - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(row.label)}</text>'
        )
        parts.append(f'<line class="span" x1="{at(row.p50):.1f}" x2="{at(row.p99):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        for kind, (value, said) in enumerate(((row.p50, "médiane"), (row.p95, "95 %"), (row.p99, "99 %"))):
            tip = f"<title>{escape(row.label)} : {said}, {milliseconds(value)}</title>"
            parts.append(f'<circle class="k{kind + 1}" cx="{at(value):.1f}" cy="{y:.1f}" r="7">{tip}</circle>')
    words = "; ".join(f"{row.label} : médiane {milliseconds(row.p50)}, 99 % {milliseconds(row.p99)}" for row in rows)
    return drawing(name, title, words, height, parts, width)


def _drawn(bar: Bar) -> list[tuple[int, int]]:
    """The parts of a bar that are something, each with the place of its kind."""
    return [(kind, value) for kind, value in enumerate(bar.parts) if value]


def tip(bar: Bar, kind: str, said: str) -> str:
    """What is shown where a part is pointed at."""
    return f"{bar.label} : {said}" if kind == bar.label else f"{bar.label} : {kind}, {said}"


def rect(kind: int, x: float, y: float, wide: float, tall: float, tip: str) -> str:
    """One part of a bar, with the words shown when it is pointed at."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
    return f'<rect class="k{kind + 1}" {place}><title>{escape(tip)}</title></rect>'


def drawing(name: str, title: str, description: str, height: int, parts: Sequence[str], width: int = WIDTH) -> str:
    """The SVG around the parts, with what a screen reader says."""
    size = f'viewBox="0 0 {width} {height}" style="max-width:{width * 4 // 3}px"'
    head = f'<svg {size} role="img" aria-labelledby="{name}-t {name}-d">'
    words = f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
    return head + words + "".join(parts) + "</svg>"


def round_step(high: int) -> int:
    """A round step that puts three to six marks under `high`."""
    step = 1
    while True:
        for times in (1, 2, 5):
            if high <= step * times * 5:
                return step * times
        step *= 10


def milliseconds(value: float) -> str:
    """A latency as French readers write it."""
    return f"{value:.1f}".replace(".", ",") + "\u00a0ms"
