"""A crossing as one French page: charts with a table of the same numbers beside each; no script, no other file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ecluse.breach.crossing.answer import Crossing, Span, percent
from ecluse.breach.crossing.catalogue import catalogue
from ecluse.breach.letters.compose import day
from ecluse.breach.tables import category_table
from ecluse.doors.exposures.charts import bars

SHEET = Path(__file__).parents[1] / "exposures" / "page.css"  # the same look as an exposure's page
OWN_FIELDS = {
    "insurer": "nom de la mutuelle",
    "guarantee": "garantie du contrat",
}  # of leaks, and no category of their own
FOLLOWED = ("impersonable", "payable")  # harms whose growth, leak after leak, is drawn


def page(crossing: Crossing) -> str:
    """The whole page."""
    gained = [(each.label, _hundredths(each.switched_on)) for each in crossing.harms.values()]
    chart = bars("gagne", "Dommages que cette fuite rend possibles, en % des personnes", gained)
    grown = {name: _growth(crossing, name) for name in FOLLOWED if crossing.later}
    named = {
        "fields": [_field(each) for each in crossing.fields],
        "earlier": [_leak(crossing, each) for each in crossing.earlier],
        "sources": [(_leak(crossing, each), source) for each, source in crossing.sources.items()],
    }
    template = _words().get_template("page.html")
    return template.render(crossing=crossing, style=_style(), chart=chart, grown=grown, **named)


def _field(name: str) -> str:
    return OWN_FIELDS.get(name) or category_table()[name].label


def _leak(crossing: Crossing, id_: str) -> str:
    """A leak as it is called, and its year: one of the catalogue, or the one that is asked about."""
    known = {each.id: (each.name, each.on) for each in catalogue().leaks}
    name, on = known.get(id_, (crossing.name, crossing.on))
    return f"{name} ({on.year})"


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
