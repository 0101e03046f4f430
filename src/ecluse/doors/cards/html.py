"""An explanation as cards in HTML: a chart drawn in SVG, the same numbers as a table for those who cannot see it, the reasons.

A card needs nothing but `style()`, once on its page: no script, no other file. Light and dark, on a screen and on paper.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ecluse.app.explain import ExplainedLine, Explanation
from ecluse.doors.cards.reading import missing, placed, sentences, signed, title

_HERE = Path(__file__).parent
_LEFT, _RIGHT = (
    148,
    268,
)  # the chart inside the 368 units of a card: labels before it, amounts up to 999 999,99 € behind
_HYPHEN = re.compile(r"(?<=[0-9])-(?=[0-9])")


def page(explanation: Explanation) -> str:
    """A whole page with every line's card."""
    cards = [card(each, explanation.id) for each in explanation.explained]
    left_out = missing(explanation.left_out) if explanation.left_out else ""
    return _words().get_template("page.html").render(id=explanation.id, style=style(), cards=cards, left_out=left_out)


def card(line: ExplainedLine, of: str) -> Markup:
    """One line's card; `of` is the id of its claim or quote, and sets its ids apart from those of other cards."""
    drawn = (
        _words()
        .get_template("card.html")
        .render(
            key=f"{of or 'ligne'}-{line.line}",
            title=title(line),
            bars=[*placed(line.waterfall, _RIGHT - _LEFT)],
            asides=line.waterfall.asides,
            sentences=sentences(line.waterfall),
            left=_LEFT,
        )
    )
    return Markup(drawn)  # noqa: S704 - the template escapes what it is given


@cache
def style() -> Markup:
    """The sheet that cards need, once on a page."""
    return Markup((_HERE / "card.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


@cache
def _words() -> Environment:
    loader = FileSystemLoader(_HERE)
    words = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    words.filters |= {"eur": signed, "fine": fine}
    return words


def fine(text: str) -> str:
    """French typography of printed pages: curved apostrophes, and articles of law (L160-13) that no line end cuts."""
    return _HYPHEN.sub("\u2011", text.replace("'", "’"))
