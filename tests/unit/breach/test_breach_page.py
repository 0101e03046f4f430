"""docs/breach.md names every key, category, deadline and level there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecluse.breach import facts
from ecluse.breach.clocks import rules
from ecluse.breach.dora import incident
from ecluse.breach.letter import Letter
from ecluse.breach.letter import rules as letter_rules
from ecluse.breach.tables import category_table, risk_table
from ecluse.breach.times import Times

PAGE = (Path(__file__).parents[3] / "docs" / "breach.md").read_text(encoding="utf-8")
SENT = (
    *(facts.Facts, facts.Enisa, facts.Context, facts.Identification, facts.Circumstances, facts.Clock, facts.Article34),
    *(facts.LetterContents, facts.CnilBand, facts.Login, facts.Logging, Times),
    *(Letter, incident.Dora, incident.Recurring, incident.Entity, incident.Asked),
)


@pytest.mark.parametrize("key", sorted({key for kind in SENT for key in kind.__struct_encode_fields__}))
def test_every_key_is_named(key: str) -> None:
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("name", [*category_table()])
def test_every_category_is_there_with_its_harm(name: str) -> None:
    assert f"`{name}` {category_table()[name].harm}" in PAGE


def test_every_deadline_recipient_and_effect_is_named() -> None:
    assert all(f"`{name}`" in PAGE for name in (*rules(), *risk_table().recipients, *risk_table().consequences))


def test_every_rule_and_field_of_a_letter_is_named() -> None:
    rules_of_letters = (
        *(f"missing_{part}" for part in letter_rules().parts),
        *letter_rules().banned,
        *letter_rules().fields,
    )
    assert all(f"`{name}`" in PAGE for name in rules_of_letters)


def test_the_table_of_risk_is_the_one_applied() -> None:
    rows = re.findall(r"^\| \d \w+ \|(.*)\|$", PAGE, re.M)
    words = {"–": "none", "risk": "risk", "**high**": "high"}
    assert [tuple(words[cell.strip()] for cell in row.split("|")) for row in rows] == list(risk_table().table.levels)
