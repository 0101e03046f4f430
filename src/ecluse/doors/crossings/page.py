"""A crossing as one French page: charts with a table of the same numbers beside each; no script, no other file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ecluse.breach.crossing.answer import Crossing, Span, percent
from ecluse.breach.letters.compose import day
from ecluse.doors.exposures.charts import bars

SHEET = Path(__file__).parents[1] / "exposures" / "page.css"  # the same look as an exposure's page
FOLLOWED = ("impersonable", "payable")  # harms whose growth, leak after leak, is drawn


def page(crossing: Crossing) -> str:
    """The whole page."""
    gained = [(each.label, _hundredths(each.switched_on)) for each in crossing.harms.values()]
    chart = bars("gagne", "Dommages que cette fuite rend possibles, en % des personnes", gained)
    grown = {name: _growth(crossing, name) for name in FOLLOWED if crossing.later}
    return _words().get_template("page.html").render(crossing=crossing, style=_style(), chart=chart, grown=grown)


def _growth(crossing: Crossing, name: str) -> Markup:
    harm = crossing.harms[name]
    rows = [("Avant", _hundredths(harm.before)), (crossing.name, _hundredths(harm.after))]
    rows += [(each.name, _hundredths(each.harms[name])) for each in crossing.later]
    return bars(f"suite-{name}", f"{harm.label}, fuite après fuite, en % des mêmes personnes", rows)


def _hundredths(span: Span) -> int:
    return round(100 * span.mid)


@cache
def _style() -> Markup:
    return Markup(SHEET.read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


@cache
def _words() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent)
    words = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    words.filters |= {"percent": percent, "day": day}
    return words
