"""The book: the value of the day and its text, no default outside the dates, and a version that names the contents."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import Refused
from ecluse.rules.book import RuleBook, read_book

EXAMPLE = {
    "exemple/plafond": """\
description: Un plafond d'exemple
unit: cents
values:
  2020-01-01: {value: 100, reference: "article A"}
  2024-07-01: {value: 200, reference: "article B"}
  2026-01-01: {value: null, reference: "article C"}
  2026-03-01: {value: 300, reference: "article D"}
checked_on: 2025-08-01
""",
    "exemple/autre": """\
description: Un autre plafond
unit: cents
values:
  2025-01-01: {value: 250, reference: "article E"}
checked_on: 2026-08-01
""",
    "amo_rates/exemple": """\
description: Un taux
unit: rate
values:
  2024-01-01: {value: 70%, reference: "article F"}
  2025-01-01: {value: null, reference: "article G"}
checked_on: 2026-08-01
""",
    "acts": "EX: {label: Exemple, tariffs: [exemple/plafond, exemple/autre]}\n",
}


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return read_book(EXAMPLE)


@pytest.mark.parametrize(
    ("day", "value", "since", "reference"),
    [
        ("2020-01-01", 100, "2020-01-01", "article A"),
        ("2024-06-30", 100, "2020-01-01", "article A"),
        ("2024-07-01", 200, "2024-07-01", "article B"),
        ("2025-12-31", 200, "2024-07-01", "article B"),
        ("2026-03-01", 300, "2026-03-01", "article D"),
        ("2999-12-31", 300, "2026-03-01", "article D"),
    ],
)
def test_the_value_of_the_day(book: RuleBook, day: str, value: int, since: str, reference: str) -> None:
    rule = book.on(parse_day(day), "exemple/plafond")
    assert (rule.cents, rule.since, rule.reference) == (value, parse_day(since), reference)
    assert (rule.name, rule.unit) == ("exemple/plafond", "cents")


@pytest.mark.parametrize("day", ["2019-12-31", "2026-01-01", "2026-02-28", "0001-01-01"])
def test_no_default_outside_the_dates(book: RuleBook, day: str) -> None:
    with pytest.raises(Refused) as refused:
        book.on(parse_day(day), "exemple/plafond")
    assert refused.value.code == "rule_not_in_force"
    assert day in refused.value.detail


def test_an_unknown_name_is_another_refusal(book: RuleBook) -> None:
    with pytest.raises(Refused, match="rule_unknown"):
        book.on(date(2025, 1, 1), "exemple/inconnu")


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2020-06-01", "exemple/plafond"),  # 100, alone
        ("2025-06-01", "exemple/autre"),  # 250 against 200
        ("2026-02-01", "exemple/autre"),  # the other is abrogated
        ("2026-06-01", "exemple/plafond"),  # 300 against 250
        ("2019-06-01", None),
    ],
)
def test_the_highest_base_tariff_of_an_act(book: RuleBook, day: str, name: str | None) -> None:
    rule = book.highest_base_cents("EX", parse_day(day))
    assert (rule.name if rule else None) == name


def test_an_act_that_is_not_in_the_book(book: RuleBook) -> None:
    assert book.highest_base_cents("INCONNU", date(2025, 1, 1)) is None
    assert "INCONNU" not in book.acts
    assert book.acts["EX"].label == "Exemple"


def test_the_rates_of_a_day(book: RuleBook) -> None:
    assert book.amo_rates(date(2024, 1, 1)) == {Fraction(7, 10)}
    assert book.amo_rates(date(2023, 12, 31)) == frozenset()
    assert book.amo_rates(date(2025, 1, 1)) == frozenset()


def test_what_was_not_checked_for_long(book: RuleBook) -> None:
    assert [each.name for each in book.stale(date(2026, 1, 1))] == ["exemple/plafond"]
    assert book.stale(date(2025, 8, 1)) == []


def test_the_version_names_the_contents(book: RuleBook) -> None:
    assert read_book(dict(reversed(EXAMPLE.items()))).version == book.version
    for name, text in EXAMPLE.items():
        assert read_book(EXAMPLE | {name: text + "# a comment\n"}).version != book.version


@pytest.mark.parametrize(
    ("acts", "words"),
    [
        ("EX: {label: Exemple, tariffs: [exemple/inconnu]}", "exemple/inconnu is not a parameter in cents"),
        ("EX: {label: Exemple, tariffs: [amo_rates/exemple]}", "amo_rates/exemple is not a parameter in cents"),
        ("EX: {label: Exemple, tariffs: []}", "expected a list"),
        ("EX: {tariffs: [exemple/autre]}", "label is missing"),
    ],
)
def test_acts_name_tariffs_that_exist(acts: str, words: str) -> None:
    with pytest.raises(Refused, match=f"rule_invalid: acts.yaml line 1: {words}"):
        read_book(EXAMPLE | {"acts": acts})


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 9) | st.none()), min_size=1, max_size=8, unique_by=lambda x: x[0]
    )
)
def test_the_book_agrees_with_reading_the_file_from_the_top(values: list[tuple[int, int | None]]) -> None:
    origin = date(2026, 1, 1)
    dated = [(origin + timedelta(days=offset), value) for offset, value in sorted(values)]
    lines = "".join(f"  {day}: {{value: {'null' if v is None else v}, reference: A}}\n" for day, v in dated)
    book = read_book({"x/y": f"description: x\nunit: cents\nvalues:\n{lines}checked_on: 2026-01-01\n"})
    for offset in range(-1, 62):
        day = origin + timedelta(days=offset)
        expected = None
        for since, value in dated:
            expected = value if since <= day else expected
        found = book.find(day, "x/y")
        assert (found.cents if found else None) == expected
