"""Tables that call themselves responsible: each obligation of the law kept to the last cent, and broken by the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec.structs import replace

from ecluse.app.products import check_product
from ecluse.coverage.responsible.obligations import OBLIGATIONS, breaches
from ecluse.coverage.responsible.trial import Trial
from ecluse.rights.model import Domain
from ecluse.rules.book import RuleBook, open_book
from tests.unit.coverage.report import named
from tests.unit.coverage.tables import Table, tables

BOOK, DAY = open_book(), date(2026, 11, 25)
PRODUCTS = Path(__file__).parents[2] / "cases" / "products"
FILES = sorted(PRODUCTS.glob("**/*.yaml"))
OF_OLD = {  # published tables that are held against the law from their own year on
    "greffiers_2016": date(2016, 1, 1),
    "mgen_integrale_2018": date(2018, 1, 1),
    "mgen_efficience_extension_2024": date(2024, 1, 1),
}
ALL = [pytest.param(table, id=f"{subject}: {table.name}") for subject, table in tables()]
BROKEN = [table for _, table in tables() if table.blame]
SPACES = {0x202F: " ", 0xA0: " "}  # amounts are written with spaces that do not break
# How far a value is moved, by its unit; a method has no number, and is taken out.
STEPS = {"cents": 1, "months": 1, "rate": Fraction(1, 100)}


@pytest.mark.parametrize("table", ALL)
def test_a_table_keeps_the_law_or_the_row_that_does_not_is_blamed(table: Table) -> None:
    found = breaches(table.product, BOOK, table.day)
    blame = table.blame
    assert {each.row for each in found} == ({blame.place} if blame else set()), (table.because, found)
    if blame:
        assert any(
            blame.what in each.what.translate(SPACES) and blame.article in each.reference and each.fix for each in found
        ), found
        assert breaches(table.said(responsible=False), BOOK, table.day) == (), "it claims nothing"


@pytest.mark.parametrize("table", [each for each in ALL if named(each.values[0].source)])  # type: ignore[attr-defined]
def test_the_verdict_turns_on_the_rules_that_the_source_names(table: Table) -> None:
    for name in named(table.source):
        verdicts = {bool(breaches(table.product, book, table.day)) for book in moved(name)}
        assert (table.blame is None) in verdicts, f"{name}: another value, the same verdict"


def moved(name: str) -> Iterator[RuleBook]:
    """The book with a rule a cent, a month or a point lower and higher; without it, where it has no number."""
    families = dict.fromkeys(family for domain in Domain for family in BOOK.families(domain, ""))
    rule = BOOK.parameters[name]
    step = STEPS.get(rule.unit)
    for by in (-step, step) if step else ():
        values = tuple(replace(each, value=each.value + by) for each in rule.values)
        others = BOOK.parameters | {name: replace(rule, values=values)}
        yield RuleBook(others.values(), BOOK.acts.values(), families)
    if not step:
        others = BOOK.parameters | {name: replace(rule, values=())}
        yield RuleBook(others.values(), BOOK.acts.values(), families)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_example_and_published_tables_keep_what_they_claim(path: Path) -> None:
    checked = check_product(BOOK, path.read_bytes(), OF_OLD.get(path.stem, DAY))
    assert checked.breaches == ()


def test_names_are_told_apart() -> None:
    names = [each.id for each in ALL]
    assert len(set(names)) == len(names)


def test_each_obligation_is_broken_by_some_table() -> None:
    broken = {
        name
        for table in BROKEN
        for name, obligation in OBLIGATIONS.items()
        if any(obligation(Trial(table.product, BOOK, table.day)))
    }
    assert broken == set(OBLIGATIONS)


def test_a_row_that_breaks_the_law_later_is_found_with_its_day() -> None:
    later = b"""{product: P, label: P, responsible: true, guarantees: [
        {domains: [MED], guarantee: "NONE", from: 2027-03-01, label: Plus tard},
        {domains: [MED], guarantee: "TM:100", label: TM}]}"""
    (found,) = check_product(BOOK, later, DAY).breaches
    assert (found.since, found.row, found.label) == (date(2027, 3, 1), 1, "Plus tard")
