"""An exposure as one French page: no script, no other file, light and dark, on a screen and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ecluse.doors.exposures.charts import bars, columns, tiles
from ecluse.doors.exposures.words import CATEGORIES, UNKNOWN_PLACE, between, field_label, figure, moment
from ecluse.exposure.answer import Exposure
from ecluse.exposure.categories import Category
from ecluse.exposure.places import UNKNOWN
from ecluse.kernel.days import instant

BARS_MAX = 12  # more is not read as a picture; the table has them all

_HERE = Path(__file__).parent


class Section(msgspec.Struct, frozen=True):
    """A chart with its words and the table of its numbers."""

    key: str
    title: str
    of: str
    words: str
    chart: Markup
    rows: list[tuple[str, int]]


def page(exposure: Exposure) -> str:
    """The whole page."""
    shown = exposure.displayed
    narrowed = (
        ("Assureurs", exposure.narrowed_to_insurers),
        ("Connexions", exposure.sessions),
        ("Réseaux", exposure.networks),
    )
    categories = [
        (label, meaning.format(days=exposure.billed_within_days), shown.categories[name])
        for name, (label, meaning) in CATEGORIES.items()
    ]
    drawn = bars(
        "categories", "Personnes affichées, par catégorie", [(label, people) for label, _, people in categories]
    )
    return _words().get_template("page.html").render(
        exposure=exposure,
        style=_style(),
        narrowed=[(label, values) for label, values in narrowed if values],
        categories=categories,
        charts={"categories": drawn},
        sections=_sections(exposure),
    )  # fmt: skip


def _sections(exposure: Exposure) -> list[Section]:
    shown = exposure.displayed
    insurers = {part.insurer: part.displayed.people.at_least for part in exposure.insurers}
    seen = {insurer: people for insurer, people in sorted(insurers.items(), key=lambda each: -each[1]) if people}
    days = Section(
        "jours",
        "Jour après jour",
        "Jour",
        "",
        columns("jours", "Personnes affichées par jour", shown.days),
        [*shown.days.items()],
    )
    return [
        days,
        _barred("donnees", "Quelles données", "Donnée", {field_label(name): n for name, n in shown.fields.items()}),
        _barred("assureurs", "Quels assureurs", "Assureur", seen),
        _barred("comptes", "Par quels comptes", "Compte", shown.accounts),
        _placed(shown.departements),
    ]


def _barred(key: str, title: str, of: str, counts: Mapping[str, int]) -> Section:
    rows = [*counts.items()]
    words = f"Les {BARS_MAX} premiers sur {figure(len(rows))}." if len(rows) > BARS_MAX else ""
    return Section(key, title, of, words, bars(key, f"{title} : personnes affichées", rows[:BARS_MAX]), rows)


def _placed(places: Mapping[str, int]) -> Section:
    words = (
        "Le département est celui du lieu de soin qui a demandé, d’après son numéro FINESS. "
        "Une personne affichée par deux lieux compte deux fois."
    )
    if people := places.get(UNKNOWN):
        words += f" Lieu inconnu pour {figure(people)} : un numéro SIRET ne le dit pas."
    chart = tiles("lieux", "Personnes affichées par département du lieu de soin", places)
    rows = [(code or UNKNOWN_PLACE, people) for code, people in places.items()]
    return Section("lieux", "D’où", "Département", words, chart, rows)


@cache
def _style() -> Markup:
    return Markup((_HERE / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


@cache
def _words() -> Environment:
    loader = FileSystemLoader(_HERE)
    words = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    words.filters |= {
        "figure": figure,
        "between": between,
        "moment": moment,
        "at": instant,
        "known": lambda people: "inconnu" if people is None else figure(people),
    }
    return words


assert CATEGORIES.keys() == set(Category), "every category has its words"
