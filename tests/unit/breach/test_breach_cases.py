"""Every worked case, from tests/cases/breach: `published.csv` as the project's references have it (each row has its source),
and `guidelines.csv`, the other examples of the EDPB's two guidelines, paraphrased in the same vocabulary.
"""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ecluse.breach.assess import assess
from ecluse.breach.decide import decide
from ecluse.breach.dora.answer import answer
from ecluse.breach.dora.incident import Dora
from ecluse.breach.facts import Facts, convert, read
from ecluse.breach.tables import risk_table
from ecluse.kernel.days import parse_day

FOLDER = Path(__file__).parents[2] / "cases" / "breach"
TODAY = parse_day("2026-11-29")


def rows() -> list[Any]:
    texts = ((FOLDER / name).read_text(encoding="utf-8") for name in ("published.csv", "guidelines.csv"))
    return [pytest.param(row, id=row["case_id"]) for text in texts for row in csv.DictReader(text.splitlines())]


def told(command: str, sent: str) -> dict[str, Any]:
    if command == "dora":
        return answer(read(sent.encode(), Dora), TODAY)
    return assess(read(sent.encode(), Facts), TODAY)


@pytest.mark.parametrize("row", rows())
def test_the_case_comes_out_as_it_was_decided(row: dict[str, str]) -> None:
    found = told(row["command"], row["inputs_json"])
    assert {key: found.get(key) for key in json.loads(row["expected_json"])} == json.loads(row["expected_json"])


@pytest.mark.parametrize("row", rows())
def test_every_sentence_names_its_source(row: dict[str, str]) -> None:
    for sentence in told(row["command"], row["inputs_json"])["why"]:
        assert sentence.endswith((").", ")")) or "À joindre" in sentence or "Il manque" in sentence, sentence


def test_all_published_rows_are_tried() -> None:
    assert len(rows()) == 85 + 21


def decided(**sent: Any) -> tuple[bool, bool | None, list[str]]:
    found = assess(convert(sent, Facts), TODAY)
    return found["notify_authority"], found["communicate_persons"], found.get("undecided", [])


ATTACK = {"cause": "external_malicious", "nature": ["confidentiality"], "persons": 40}
OUTAGE = {"cause": "external_accidental", "nature": ["availability"], "persons": 40}
SLIP = {"cause": "internal_accidental", "nature": ["confidentiality"], "persons": 1}


@pytest.mark.parametrize(
    ("sent", "authority", "persons"),
    [
        ({**ATTACK, "data": ["identity", "birth_date"], "encrypted_at_rest": True, "key_safe": False}, True, True),
        ({**ATTACK, "data": ["identity", "birth_date"], "encrypted_at_rest": True, "key_safe": True}, False, False),
        ({**ATTACK, "data": ["health"], "accounts_opened": 3, "encrypted_at_rest": True, "key_safe": True}, True, True),
        ({**ATTACK, "data": ["pseudonym", "password_hash"], "hash": "unsalted", "unintelligible": True}, True, True),
        ({**ATTACK, "data": ["pseudonym", "password_hash"], "hash": "unsalted", "forced_reset": True}, True, False),
        ({**ATTACK, "data": ["email", "password_hash"], "hash": "strong_salted"}, True, False),
        ({**ATTACK, "data": ["national_number"], "hash": "strong_salted", "unintelligible": True}, True, True),
        ({**SLIP, "data": ["identity", "health"], "recipient": "wrong_person"}, True, True),
        ({**SLIP, "data": ["identity", "health"], "recipient": "trusted_bound_by_secrecy"}, True, False),
        ({**SLIP, "data": ["identity", "insurance_contract"], "recipient": "wrong_person_cooperative"}, False, False),
        ({**SLIP, "data": ["identity"], "recipient": "wrong_person", "special_category_certain": True}, True, True),
        ({**SLIP, "data": ["children_identity"], "recipient": "wrong_person"}, True, True),
        ({**SLIP, "data": ["identity", "photo"], "recipient": "wrong_person"}, True, False),
        ({**SLIP, "data": ["identity", "photo"], "recipient": "wrong_person", "vulnerable_persons": True}, True, True),
        ({**SLIP, "data": ["email"], "recipient": "many_wrong_persons", "persons": "quelques douzaines"}, False, False),
        ({**SLIP, "data": ["email"], "recipient": "many_wrong_persons", "persons": "environ 1 200"}, True, False),
        ({**SLIP, "data": ["identity", "photo"], "recipient": "wrong_person", "persons": 6000}, True, True),
        ({**SLIP, "data": ["customer_contact"], "exfiltration": "possible", "duration_days": 60}, True, False),
        ({**SLIP, "data": ["customer_contact"], "exfiltration": "possible", "duration_days": 1}, False, False),
        ({**SLIP, "data": ["bank"], "device": "lost", "encrypted_at_rest": False}, True, True),
        ({**SLIP, "data": ["bank"], "device": "lost", "encrypted_at_rest": False, "remote_wiped": True}, True, False),
        ({**ATTACK, "cause": "internal_malicious", "data": ["customer_contact"]}, True, False),
        ({**ATTACK, "cause": "internal_malicious", "data": ["identity", "health"]}, True, True),
        ({**ATTACK, "data": ["customer_contact"]}, True, True),
        ({**OUTAGE, "data": ["health"], "restored_within_h": 0.2}, False, False),
        ({**OUTAGE, "data": ["health"], "restored_within_h": 6}, True, False),
        ({**OUTAGE, "data": ["health"], "restored_within_h": 30}, True, True),
        ({**OUTAGE, "data": ["email"], "restored_within_h": 30}, True, False),
        ({"cause": "external_accidental", "data": ["email"], "restored_within_h": 3, "persons": 5}, False, False),
        ({**OUTAGE, "data": ["email"], "backup": False, "consequence_on_persons": "harm_possible"}, True, True),
        (
            {**OUTAGE, "nature": ["integrity"], "data": ["bank"], "restored_within_h": 0.5},
            False,
            False,
        ),  # found by the laws
        ({**OUTAGE, "nature": ["integrity"], "data": ["bank", "health"], "restored_within_h": 0.5}, False, False),
    ],
)
def test_each_fact_counts(sent: dict[str, Any], authority: bool, persons: bool) -> None:
    assert decided(**sent) == (authority, persons, [])


@pytest.mark.parametrize(
    ("sent", "authority", "persons", "names"),
    [
        ({**ATTACK, "data": ["identity", "birth_date"], "encrypted_at_rest": True}, True, None, ["key_safe"]),
        (
            {**ATTACK, "nature": ["availability"], "data": ["health"], "restored_within_h": 0.5},
            True,
            None,
            ["exfiltration"],
        ),
        ({**SLIP, "data": ["identity", "bank"]}, True, None, ["recipient"]),
        (
            {**SLIP, "data": ["identity", "photo"], "recipient": "wrong_person", "persons": "clients"},
            True,
            None,
            ["persons"],
        ),
        ({**SLIP, "data": ["unknown"], "recipient": "wrong_person"}, True, None, ["data"]),
        (
            {"nature": ["availability"], "cause": "external_accidental", "data": ["health"]},
            True,
            None,
            ["restored_within_h"],
        ),
        ({"recipient": "wrong_person", "data": ["email"], "persons": 1}, True, False, ["cause"]),
    ],
)
def test_what_is_missing_is_named(
    sent: dict[str, Any], authority: bool, persons: bool | None, names: list[str]
) -> None:
    *found, undecided = decided(**sent)
    assert found == [authority, persons]
    assert [each.partition(" : ")[0] for each in undecided] == names


def test_a_score_raises_a_decision_and_never_lowers_one() -> None:
    slip = {**SLIP, "data": ["identity", "insurance_contract"], "recipient": "wrong_person"}
    assert decided(**slip)[:2] == (True, False)
    assert decided(**slip, enisa={"se": 0.25})[:2] == (True, False)
    assert decided(**slip, enisa={"se": 3.25})[:2] == (True, True)


def test_hard_rules_stand_above_the_score() -> None:
    theft = {
        **ATTACK,
        "data": ["civil_status", "national_number"],
        "recipient": "former_employee",
        "enisa": {"se": 0.5},
    }
    found = assess(convert({**theft, "recipient_confirmed_deletion": True}, Facts), TODAY)
    assert found["band"] == "low"
    assert found["communicate_persons"]
    assert any("quel que soit le score" in sentence for sentence in found["why"])


def test_a_later_law_is_one_more_row_of_data() -> None:
    now = risk_table().duties[-1]
    later = replace(now, since=parse_day("2027-07-01"), notify_authority_from="high", source="COM(2025) 837")
    letter = convert({**SLIP, "data": ["identity", "insurance_contract"], "recipient": "wrong_person"}, Facts)
    days = ("2027-06-30", "2027-07-01")
    assert [decide(letter, parse_day(day), duties=(now, later)).notify_authority for day in days] == [True, False]


def test_before_the_law_there_is_no_decision() -> None:
    with pytest.raises(Exception, match="breach_day_invalid"):
        assess(convert({**SLIP, "data": ["email"], "recipient": "public"}, Facts), date.min)
