"""DORA: strict thresholds, articles 6 and 8, the template's fields, and one report for several only where article 7 holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.dora.answer import answer
from ecluse.breach.dora.incident import Dora
from ecluse.breach.dora.template import STAGES, as_duration, fill, mandatory, minutes, read_value, template
from ecluse.breach.facts import convert
from ecluse.kernel.days import parse_day
from tests.laws import examples

TODAY = parse_day("2026-11-29")
LEIS = ("969500TJ5KRTCJQWXH05", "5493001KJTIIGC8Y1R12")


def told(**sent: Any) -> dict[str, Any]:
    return answer(convert(sent, Dora), TODAY)


@pytest.mark.parametrize(
    ("sent", "threshold", "met"),
    [
        ({"clients": 100_000}, "art9_1_met", False),
        ({"clients": 100_001}, "art9_1_met", True),
        ({"clients": 50, "clients_total": 500}, "art9_1_met", False),
        ({"clients": 51, "clients_total": 500}, "art9_1_met", True),
        ({"counterparts_pct": 30}, "art9_1_met", False),
        ({"counterparts_pct": 30.1}, "art9_1_met", True),
        ({"transactions_pct": 10}, "art9_1_met", False),
        ({"transactions_amount_pct": 10.01}, "art9_1_met", True),
        ({"clients": 3, "relevant_clients": True}, "art9_1_met", True),
        ({"media": False}, "art9_2_met", False),
        ({"complaints": True}, "art9_2_met", True),
        ({"duration_h": 24.1}, "art9_3_met", True),
        ({"downtime_h": 2}, "art9_3_met", False),
        ({"downtime_h": 2.1}, "art9_3_met", True),
        ({"downtime_h": 3, "critical_function": False, "duration_h": 3}, "art9_3_met", False),
        ({"member_states": 1}, "art9_4_met", False),
        ({"member_states": ["FR", "FR"]}, "art9_4_met", False),
        ({"member_states": ["FR", "BE"]}, "art9_4_met", True),
        ({"data_losses": ["confidentiality"], "adverse_impact": True}, "art9_5_a_met", True),
        ({"data_losses": []}, "art9_5_a_met", False),
        ({"malicious_access": True}, "art9_5_b_met", True),
        ({"malicious_access": True, "may_cause_data_loss": False}, "art9_5_b_met", False),
        ({"costs_eur": 100_000}, "art9_6_met", False),
        ({"costs_eur": 100_000.01}, "art9_6_met", True),
    ],
)
def test_every_threshold_is_strict(sent: dict[str, Any], threshold: str, met: bool) -> None:
    assert told(**sent)[threshold] is met


@pytest.mark.parametrize(
    ("sent", "major"),
    [
        ({"malicious_access": True}, True),  # article 6(c) and threshold 9(5)(b) at once
        ({"malicious_access": True, "may_cause_data_loss": False}, None),
        ({"critical_services": False, "clients": 200_000, "media": True}, False),
        ({"critical_function": True, "clients": 200_000, "media": True}, True),
        ({"critical_function": True, "clients": 200_000}, None),
        ({"clients": 200_000, "media": True}, None),
        ({"critical_services": True, "thresholds": ["9(5)(b)"]}, True),
        ({"critical_services": True, "thresholds": []}, False),
        ({"critical_services": True, "thresholds": ["9(5)(a)", "9(6)"]}, True),
    ],
)
def test_major(sent: dict[str, Any], major: bool | None) -> None:
    found = told(**sent)
    assert found["major"] is major
    assert ("undecided" in found) == (major is None)


@pytest.mark.parametrize(
    ("change", "major"),
    [
        ({}, True),
        ({"count": 1}, False),
        ({"within_months": 6}, True),
        ({"within_months": 6.1}, False),
        ({"same_root_cause": False}, False),
        ({"collectively_meet": False}, False),
        ({"microenterprise": True}, False),
    ],
)
def test_recurring_incidents(change: dict[str, Any], major: bool) -> None:
    recurring = {"count": 2, "within_months": 5, "same_root_cause": True, "collectively_meet": True, **change}
    assert told(recurring=recurring)["major"] is major


@pytest.mark.parametrize(
    ("sent", "clients"),
    [
        ({"policyholders": 60_000, "covered_beneficiaries": 150_000}, 150_000),
        ({"policyholders": 60_000, "dependants": 50_000}, 110_000),
        ({"policyholders": 60_000}, 60_000),
    ],
)
def test_whoever_the_contract_covers_is_a_client(sent: dict[str, Any], clients: int) -> None:
    assert told(**sent)["clients"] == clients


amounts = st.one_of(st.none(), st.integers(0, 300_000))
incidents = st.fixed_dictionaries(
    {},
    optional={
        "clients": st.integers(0, 300_000),
        "media": st.booleans(),
        "duration_h": st.integers(0, 60),
        "member_states": st.integers(0, 4),
        "malicious_access": st.booleans(),
        "costs_eur": st.integers(0, 300_000),
        "critical_function": st.booleans(),
        "supervised_service": st.booleans(),
    },
)


@examples(150)
@given(incidents.filter(bool), st.data())
def test_what_is_decided_holds_whatever_is_learnt_next(sent: dict[str, Any], data: st.DataObject) -> None:
    found = told(**sent)["major"]
    more = data.draw(incidents)
    if found is not None:
        assert told(**{**more, **sent})["major"] is found


def test_deadlines_say_when_a_report_was_late() -> None:
    times = {
        "classified": "2026-03-03T08:00:00Z",
        "aware": "2026-03-03T07:00:00Z",
        "initial_submitted": "2026-03-03T13:00:00Z",
    }
    assert told(**times)["initial_late"] is True
    assert told(**{**times, "initial_submitted": "2026-03-03T12:00:00Z"})["initial_late"] is False


# ------------------------------------------------------------------------------------------------------------ the template

COMMON: dict[str, Any] = {
    "1.2": "Écluse",
    "1.3": LEIS[0],
    "1.4": ["insurance and reinsurance undertaking"],
    **dict.fromkeys(("1.7", "1.10"), "Ada Martin"),
    **dict.fromkeys(("1.8", "1.11"), "dpo@example.org"),
    **dict.fromkeys(("1.9", "1.12"), "+33 1 23 45 67 89"),
    "1.15": "EUR",
    "2.1": "INC-2026-1",
    "2.4": "Un compte volé a lu des droits.",
    "2.7": "monitoring systems",
    "2.9": False,
}


def test_the_template_is_the_one_of_the_regulation() -> None:
    fields = template().fields
    parts = [len([code for code in fields if code.startswith(f"{part}.")]) for part in (1, 2, 3, 4)]
    assert parts == [15, 10, 35, 16]
    assert all(row.choices or row.kind not in ("choice", "choices") for row in fields.values())
    for row in fields.values():
        if row.when and row.when.field:
            words = fields[row.when.field].choices or ("Yes", "No")
            assert set(row.when.has) <= set(words)


@pytest.mark.parametrize(
    ("code", "value", "read"),
    [
        ("1.1", "Final report", "final report"),
        ("1.6", f"{LEIS[0]}; {LEIS[1]}", ";".join(LEIS)),
        ("2.2", "2026-03-07T10:00:00+01:00", "2026-03-07T09:00:00Z"),
        ("2.6", ["FR", "BE"], ["FR", "BE"]),
        ("2.9", True, "Yes"),
        ("3.5", 12.25, 12.3),  # half up, says annex II
        ("3.15", "02:23:59", "02:23:59"),
        ("4.13", 2.5, 2.5),
    ],
)
def test_a_value_is_read(code: str, value: Any, read: Any) -> None:
    assert read_value(code, value) == read


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1.1", "report"),
        ("1.6", "969500TJ5KRTCJQWXH06"),
        ("1.8", "dpo"),
        ("1.9", "0123456789"),
        ("1.15", "euro"),
        ("2.2", "2026-03-07T10:00:00"),
        ("2.2", "yesterday"),
        ("2.5", []),
        ("2.5", "data losses"),
        ("2.6", ["France"]),
        ("2.9", "maybe"),
        ("3.4", 1.5),
        ("3.4", True),
        ("3.4", -1),
        ("3.5", 123456.7),
        ("3.15", "1:24:00"),
        ("4.13", -1),
        ("2.4", "  "),
        ("2.4", None),
    ],
)
def test_a_value_of_another_kind_is_wrong(code: str, value: Any) -> None:
    assert getattr(read_value(code, value), "code", None) == code


def test_a_report_says_what_is_missing_at_its_stage() -> None:
    times = {"aware": "2026-03-07T08:00:00Z", "classified": "2026-03-07T09:00:00Z"}
    incident = {"malicious_access": True, "covered_beneficiaries": 150_000, "clients_total": 1_000_000}
    found = told(**times, **incident, report={"stage": "initial", "fields": COMMON})["reports"][0]
    assert (found["complete"], found["missing"], found["wrong"]) == (True, [], [])
    assert found["fields"]["2.3"] == "2026-03-07T09:00:00Z"
    assert found["fields"]["3.5"] == 15.0
    later = told(**times, **incident, report={"stage": "intermediate", "fields": COMMON})["reports"][0]
    assert {"3.2", "3.20", "3.22", "3.23", "3.31"} <= {each["code"] for each in later["missing"]}
    assert "3.35" not in {each["code"] for each in later["missing"]}  # asked only of a cyber incident


@pytest.mark.parametrize(
    ("code", "values", "facts", "needed"),
    [
        ("2.6", {"2.5": ["geographical spread"]}, (), True),
        ("2.6", {"2.5": ["data losses"]}, (), False),
        ("3.3", {"3.16": "00:03:00"}, (), True),
        ("3.26", {"3.25": ["Other (please specify)"]}, (), True),
        ("3.35", {"3.23": ["Cybersecurity-related"]}, (), True),
        ("4.3", {"4.2": ["process failure: insufficient monitoring or failure of monitoring and control"]}, (), True),
        ("4.3", {"4.2": ["human error: mistake"]}, (), False),
        ("4.4", {"4.2": ["human error: other (please specify)"]}, (), True),
        ("1.13", {}, ("group",), True),
        ("1.13", {}, (), False),
        ("2.10", {"1.1": "major incident reclassified as non-major"}, (), True),
    ],
)
def test_conditions_of_annex_ii(code: str, values: dict[str, Any], facts: tuple[str, ...], needed: bool) -> None:
    assert mandatory(code, "final", values, frozenset(facts)) is needed


@given(st.sampled_from(STAGES))
def test_what_is_mandatory_stays_so_at_later_stages(stage: str) -> None:
    for code in template().fields:
        if mandatory(code, stage, {}, frozenset()):
            assert mandatory(code, "final", {}, frozenset())


def test_a_code_that_is_not_in_the_template_is_wrong() -> None:
    assert fill({"9.9": "x"}, "initial", frozenset()).wrong[0].code == "9.9"


@given(st.integers(0, 10_000_000))
def test_hours_as_days_hours_and_minutes(count: int) -> None:
    assert minutes(as_duration(count / 60)) - count in (0, 1)  # a minute that has begun counts


# ------------------------------------------------------------------------------------------- several insurers, one incident

ENTITIES = [
    {
        "name": "Mutuelle A",
        "lei": LEIS[0],
        "incident": {"malicious_access": True, "clients": 120_000, "clients_total": 400_000},
    },
    {
        "name": "Mutuelle B",
        "lei": LEIS[1],
        "incident": {"malicious_access": True, "clients": 30_000, "clients_total": 600_000},
    },
]
TERMS = {
    "from_third_party": True,
    "serves_several": True,
    "member_states": ["FR"],
    "authorities": ["ACPR"],
    "permitted_by_authority": True,
}


def together(entities: list[dict[str, Any]], **terms: Any) -> dict[str, Any]:
    report = {"stage": "initial", "fields": COMMON, "entities": entities, "aggregation": {**TERMS, **terms}}
    return told(aware="2026-03-07T08:00:00Z", classified="2026-03-07T09:00:00Z", report=report)


def test_each_insurer_has_its_own_report() -> None:
    found = together(ENTITIES)["reports"]
    assert [each["entity"]["name"] for each in found] == ["Mutuelle A", "Mutuelle B"]
    assert [each["fields"]["3.4"] for each in found] == [120_000, 30_000]
    assert [each["fields"]["1.6"] for each in found] == list(LEIS)
    assert all(each["major"] for each in found)


def test_one_report_for_all_adds_up_and_names_everybody_in_the_same_order() -> None:
    fields = together(ENTITIES)["aggregated"]["fields"]
    assert fields["1.5"] == "Mutuelle A;Mutuelle B"
    assert fields["1.6"] == ";".join(LEIS)
    assert (fields["3.4"], fields["3.5"]) == (150_000, 15.0)
    assert fields["2.5"] == [
        "clients, financial counterparts and transactions affected",
        "data losses",
        "critical services affected",
    ]


def test_a_sum_with_a_part_missing_is_no_total() -> None:
    without = [ENTITIES[0], {**ENTITIES[1], "incident": {"malicious_access": True}}]
    assert "3.4" not in together(without)["aggregated"]["fields"]


@pytest.mark.parametrize(
    ("terms", "point"),
    [
        ({"permitted_by_authority": False}, "(e)"),
        ({"from_third_party": False}, "(a)"),
        ({"serves_several": False}, "(b)"),
        ({"member_states": ["FR", "BE"]}, "(d)"),
        ({"authorities": []}, "(d)"),
        ({"excluded_entity": True}, "7(2)"),
    ],
)
def test_without_a_condition_of_article_7_each_reports_alone(terms: dict[str, Any], point: str) -> None:
    found = together(ENTITIES, **terms)
    assert "aggregated" not in found
    assert point in " ".join(found["aggregated_not_allowed"])


def test_one_insurer_for_whom_it_is_not_major_stops_the_common_report() -> None:
    minor = {**ENTITIES[1], "incident": {"critical_services": False, "clients": 3}}
    assert "(c)" in " ".join(together([ENTITIES[0], minor])["aggregated_not_allowed"])


def test_the_answer_is_json() -> None:
    assert json.loads(json.dumps(together(ENTITIES)))
