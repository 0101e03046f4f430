"""What the cases and tables touch: each form, limit, condition and fact, each setting of a row, the rules of law they name.

`python -m tests.unit.coverage.report` writes the section "Cases" at the end of docs/coverage.md anew.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

from msgspec.structs import fields

from ecluse.coverage.facts import Basket, Equipment, Exemption, Facts, Pathway, Renewal, Scheme, Side
from ecluse.coverage.guarantee import Bound, Kind, Limit
from ecluse.coverage.notation import parse
from ecluse.coverage.product import Row, When, Year
from ecluse.coverage.responsible.obligations import breaches
from ecluse.coverage.responsible.trial import LAW
from ecluse.rights.model import Domain
from ecluse.rules.book import Rule, RuleBook
from tests.unit.coverage.cases import BOOK, Case, cases
from tests.unit.coverage.tables import tables

PAGE = Path(__file__).parents[3] / "docs" / "coverage.md"
# What the price of a line turns on; participations and franchises change no share, so no case is asked for them.
BRANCHES = ("amo_rates", "base_tariffs", "actes_lourds", "contrat_responsable", "hopital")
TITLE = "## Cases\n"
WORDS = """{total} cases in `tests/cases/coverage/`, one file a subject, written for jurists and computed by hand: {counted}.
Each is priced as a claim is, and its three amounts add up to the expense. The source of a case names the rules of the book
that it turns on; their values must be in the case. Guarantee tables that insurers published, each with what the notation
cannot say of it, are in `tests/cases/products/published/`. Beside the cases stand `published.csv` (worked cases of others)
and `forms.yaml` (the forms at their edges)."""
TABLES = """{total} tables in `tests/cases/responsable/` keep the responsible contract's law, or break it at the row they
blame: {counted}. The verdict on a table turns on each rule that its source names: moved by a cent, a month or a point (or taken
out, if it has no number), the rule gives the other verdict."""
UNREAD = """No code reads {names}: no table can make the computation pay what they forbid (steps 3 and 7), or no line says
which part of an excess they speak of."""
WRITTEN = "Written by `python -m tests.unit.coverage.report`:"

YES_NO = (True, False)
PLACES = ("on a part", "on the whole")
STATED = {"basket": Basket, "equipment": Equipment, "side": Side, "renewal": Renewal, "scheme": Scheme,
          "exemption": Exemption, "pathway": Pathway, "optam": YES_NO, "network": YES_NO}  # fmt: skip
ASKED = {name: STATED[name] for name in ("basket", "equipment", "renewal", "pathway", "optam", "network")}
SETTINGS = ("acts", "from", "to", "count", "each_side", "waiting_months, over", "waiting_months, not over")


def every() -> dict[str, tuple[str, ...]]:
    """All that there is to touch, by group."""
    return {
        "form": tuple(Kind),
        "limit": tuple(f"{bound}{period} {place}" for bound, period in _bounds() for place in PLACES),
        "condition": (*(f"{name} {value}" for name, values in ASKED.items() for value in values), "age_from", "age_to"),
        "fact": (*(f"{name} {value}" for name, values in STATED.items() for value in values), "age_years"),
        "row": SETTINGS,
        "contract": (*(f"year {year}" for year in Year), "responsible", "not responsible", "one of several"),
        "rule": tuple(name for name in BOOK.parameters if name.startswith(BRANCHES)),
    }


def _bounds() -> Iterator[tuple[Bound, str]]:
    for bound in Bound:
        if bound is not Bound.ACTS:
            yield bound, ""
        if bound is not Bound.BR_INCL:
            yield bound, " over a period"


@cache
def touched() -> Counter[tuple[str, str]]:
    """How many cases touch each thing."""
    found: Counter[tuple[str, str]] = Counter()
    for _, case in cases():
        found.update(set(_of_case(case)))
    for _, table in tables():
        found.update(("rule", name) for name in set(named(table.source)))
    return found


def untouched() -> list[tuple[str, str]]:
    """What no case touches."""
    return [(group, each) for group, names in every().items() for each in names if not touched()[group, each]]


def rules_named(case: Case) -> list[str]:
    """The parameters of the rule book that a case names in its source."""
    return named(case.written.source)


def named(source: str) -> list[str]:
    """The parameters of the rule book in the source of a case, or of a table."""
    return [name for name in re.findall(r"[a-z_]+/[a-z0-9_]+", source) if name.startswith(BRANCHES)]


class Watched(RuleBook):
    """A book that remembers which rules were asked for."""

    def find(self, day: date, name: str) -> Rule | None:
        _READ.add(name)
        return super().find(day, name)


_READ: set[str] = set()


@cache
def unread() -> tuple[str, ...]:
    """The rules of the responsible contract that its check asks for under none of the tables."""
    families = dict.fromkeys(family for domain in Domain for family in BOOK.families(domain, ""))
    book = Watched(BOOK.parameters.values(), BOOK.acts.values(), families)
    for _, table in tables():
        breaches(table.product, book, table.day)
    return tuple(name for name in BOOK.parameters if name.startswith(LAW) and name not in _READ)


def _of_case(case: Case) -> Iterator[tuple[str, str]]:
    yield from (("rule", name) for name in rules_named(case))
    for priced in case.priced():
        yield from (("fact", stated) for stated in _stated(priced.billed))
        for payer, paid in zip(case.payers, priced.paid, strict=True):
            yield "contract", f"year {payer.product.year}"
            yield "contract", "responsible" if payer.product.responsible else "not responsible"
            if len(case.payers) > 1:
                yield "contract", "one of several"
            yield from _of_guarantee(paid.guarantee)
            found = payer.product.find(
                case.domain, priced.billed.act, priced.billed.date, priced.billed, payer.covered.since
            )
            if found.row:
                yield from (("condition", asked) for asked in _asked(found.row.when))
                yield from (("row", setting) for setting in _settings(found.row))
            if found.waiting:
                yield "row", "waiting_months, not over"


def _of_guarantee(notation: str) -> Iterator[tuple[str, str]]:
    guarantee = parse(notation)
    for part in guarantee.parts:
        yield "form", part.kind
        yield from (("limit", f"{_bound(limit)} {PLACES[0]}") for limit in part.limits)
    yield from (("limit", f"{_bound(limit)} {PLACES[1]}") for limit in guarantee.limits)


def _bound(limit: Limit) -> str:
    return f"{limit.bound}{' over a period' if limit.period else ''}"


def _stated(facts: Facts) -> Iterator[str]:
    for field in fields(Facts):
        value = getattr(facts, field.name)
        if value is not None:
            yield field.name if field.name == "age_years" else f"{field.name} {value}"


def _asked(when: When | None) -> Iterator[str]:
    for field in fields(When) if when else ():
        value = getattr(when, field.name)
        if field.name.startswith("age_") and value is not None:
            yield field.name
        elif value is not None:
            yield from (f"{field.name} {each}" for each in (value if isinstance(value, tuple) else (value,)))


def _settings(row: Row) -> Iterator[str]:
    held = {
        "acts": row.acts, "from": row.first_day, "to": row.last_day, "count": row.count,
        "each_side": row.each_side, "waiting_months, over": row.waiting_months,
    }  # fmt: skip
    return (name for name, value in held.items() if value)


def section() -> str:
    """The section of docs/coverage.md."""
    words = [_paragraph(WORDS, cases()), "", _paragraph(TABLES, tables()), ""]
    last = textwrap.fill(UNREAD.format(names=", ".join(f"`{name}`" for name in unread())), 125)
    rows = [f"| {group} | {len(names)} | {_names(group, names)} |" for group, names in every().items()]
    return "\n".join(
        [TITLE, *words, WRITTEN, "", "| group | in all | touched by no case |", "|---|---|---|", *rows, "", last, ""]
    )


def _paragraph(words: str, of: Iterable[tuple[str, object]]) -> str:
    subjects = Counter(subject for subject, _ in of)
    counted = ", ".join(f"{subject} {count}" for subject, count in sorted(subjects.items()))
    return textwrap.fill(words.format(total=subjects.total(), counted=counted), 125)


def _names(group: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"`{each}`" for each in names if not touched()[group, each]) or "none"


def write_section() -> None:
    """Put the section at the end of the page, in the place of the one before."""
    words, _, _ = PAGE.read_text(encoding="utf-8").partition(TITLE)
    PAGE.write_text(f"{words.rstrip()}\n\n{section()}", encoding="utf-8")


if __name__ == "__main__":
    write_section()
