"""`ecluse rules`, as its users see it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from ecluse.doors.cli.rules import app
from ecluse.kernel.errors import Refused
from ecluse.rules.book import open_book


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_law_of_a_day() -> None:
    shown = json.loads(run("list", "--on", "2024-12-21", "--json"))
    values = {each["name"]: each["value"] for each in shown["rules"]}
    assert shown["version"] == open_book().version
    assert values.keys() == open_book().parameters.keys()
    assert values["base_tariffs/g"] == 2650
    assert values["amo_rates/actes_dentaires"] == "3/5"
    assert values["amo_rates/soutien_psychologique"] == "3/5"
    assert values["actes_lourds/participation"] == 2400


def test_one_rule_with_its_history() -> None:
    shown = json.loads(run("show", "base_tariffs/gs", "--json"))
    assert [each["value"] for each in shown["values"]] == [2500, 2650, None]
    assert "30.00 €" in run("show", "base_tariffs/g")


def test_one_rule_on_a_day() -> None:
    assert json.loads(run("show", "base_tariffs/g", "--on", "2024-12-21", "--json"))["value"] == 2650
    assert "base_tariffs/g (cents) = 26.50 €, since 2023-11-01" in run("show", "base_tariffs/g", "--on", "2024-12-21")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "base_tariffs/inconnu"), "rule_unknown"),
        (("show", "base_tariffs/gs", "--on", "2026-01-01"), "rule_not_in_force"),
        (("show", "base_tariffs/g", "--on", "tomorrow"), "day_invalid"),
    ],
)
def test_refusals(words: tuple[str, ...], code: str) -> None:
    with pytest.raises(Refused) as refused:
        run(*words)
    assert refused.value.code == code


def test_a_history_is_a_table_and_a_chart() -> None:
    shown = run("show", "base_tariffs/g")
    assert "since" in shown
    assert "23.00 € |-----" in shown
    assert "2024-12-22" in shown.splitlines()[-1]
    assert max(len(line) for line in shown.splitlines()[-6:]) <= 80


def test_a_method_has_no_chart() -> None:
    assert "|---" not in run("show", "contrat_responsable/forfait_journalier")


def test_a_rule_is_stale_a_year_after_its_last_check() -> None:
    book = open_book()
    last = max(each.checked_on for each in book.parameters.values())
    everything = json.loads(run("stale", "--on", str(last + timedelta(days=366)), "--json"))
    assert {each["name"] for each in everything} == book.parameters.keys()
    assert "rules to read again." in run("stale", "--on", str(last + timedelta(days=366)))
    first = min(each.checked_on for each in book.parameters.values())
    assert "within a year" in run("stale", "--on", str(first + timedelta(days=365)))


def test_what_is_stale_is_a_list_of_known_rules() -> None:
    assert {each["name"] for each in json.loads(run("stale", "--json"))} <= open_book().parameters.keys()
