"""Laws of the decisions, on facts drawn at random: what is worse is never decided more mildly, and what is decided stays."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from ecluse.breach.assess import assess
from ecluse.breach.facts import Facts, convert
from ecluse.breach.known import known, readings
from ecluse.breach.score import derived
from ecluse.breach.tables import category_table
from ecluse.kernel.days import parse_day
from tests.laws import examples

TODAY = parse_day("2026-11-29")
CATEGORIES = sorted(category_table())
# Each ladder goes from what is best for people to what is worst.
LADDERS: dict[str, list[Any]] = {
    "cause": ["internal_accidental", "internal_malicious", "external_malicious"],
    "exfiltration": ["none_proved", "possible", "proved"],
    "consequence_on_persons": ["none", "minor", "unwanted_marketing", "harm_possible", "care_delayed"],
    "persons": [1, 101, 5001, 33_000_000],
    "restored_within_h": [0.5, 6, 30, 200],
    "systemic": [False, "possible"],
    "vulnerable_persons": [False, True],
    "impersonation": [False, True],
    "accounts_opened": [0, 5],
    "special_category_certain": [False, True],
    "key_safe": [True, False],
    "backup": [True, False],
    "remote_wiped": [True, False],
    "recipient_confirmed_deletion": [True, False],
    "forced_reset": [True, False],
    "hash": ["strong_salted", "unsalted"],
    "duration_days": [0, 30],
}
RECIPIENTS = [
    [
        "trusted_bound_by_secrecy",
        "wrong_person_cooperative",
        "wrong_person",
        "many_wrong_persons",
        "public",
        "criminal",
    ],
    ["wrong_person", "former_employee", "public", "criminal"],
]

FIXED = ("cause", "persons", "exfiltration", "restored_within_h")  # always there in what is drawn
CAUSES = ["internal_accidental", "external_accidental", "internal_malicious", "external_malicious"]
facts = st.fixed_dictionaries(
    {
        "cause": st.sampled_from(
            ["internal_accidental", "external_accidental", "internal_malicious", "external_malicious"]
        ),
        "nature": st.lists(st.sampled_from(["confidentiality", "integrity", "availability"]), min_size=1, unique=True),
        "data": st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=4, unique=True),
        "persons": st.sampled_from(LADDERS["persons"]),
        "exfiltration": st.sampled_from(LADDERS["exfiltration"]),
        "restored_within_h": st.sampled_from(LADDERS["restored_within_h"]),
    },
    optional={
        "recipient": st.sampled_from(RECIPIENTS[0] + ["former_employee"]),
        "device": st.sampled_from(["stolen", "lost", "paper"]),
        "encrypted_at_rest": st.just(True),
        "unintelligible": st.booleans(),
        **{name: st.sampled_from(steps) for name, steps in LADDERS.items() if name not in FIXED},
    },
)


def decided(sent: dict[str, Any]) -> tuple[int, int]:
    """Both decisions as ranks: no 0, not decided 1, yes 2."""
    found = assess(convert(sent, Facts), TODAY)
    rank = {False: 0, None: 1, True: 2}
    return rank[found["notify_authority"]], rank[found["communicate_persons"]]


def no_milder(better: dict[str, Any], worse: dict[str, Any]) -> None:
    assert all(now >= before for before, now in zip(decided(better), decided(worse), strict=True)), (better, worse)


@examples(150)
@given(facts, st.sampled_from(sorted(LADDERS)), st.data())
def test_a_worse_fact_never_gives_a_milder_decision(sent: dict[str, Any], name: str, data: st.DataObject) -> None:
    steps = LADDERS[name]
    at = data.draw(st.integers(0, len(steps) - 2))
    no_milder({**sent, name: steps[at]}, {**sent, name: steps[at + 1]})


@examples(100)
@given(facts, st.sampled_from(RECIPIENTS), st.data())
def test_a_worse_recipient_never_gives_a_milder_decision(
    sent: dict[str, Any], steps: list[str], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(steps) - 2))
    no_milder({**sent, "recipient": steps[at]}, {**sent, "recipient": steps[at + 1]})


@examples(100)
@given(facts, st.sampled_from(CATEGORIES))
def test_more_data_never_gives_a_milder_decision(sent: dict[str, Any], category: str) -> None:
    no_milder(sent, {**sent, "data": [*sent["data"], category]})


@examples(60)
@given(facts, st.sampled_from(["confidentiality", "integrity", "availability"]))
def test_one_more_loss_never_gives_a_milder_decision(sent: dict[str, Any], nature: str) -> None:
    no_milder(sent, {**sent, "nature": sorted({*sent["nature"], nature})})


@examples(100)
@given(facts, st.sampled_from(["cause", "persons", "restored_within_h", "key_safe"]), st.data())
def test_what_is_decided_without_a_fact_holds_whatever_it_is(
    sent: dict[str, Any], name: str, data: st.DataObject
) -> None:
    values = LADDERS[name] if name != "cause" else CAUSES
    assume(name != "cause" or sent.get("device") != "stolen")  # somebody stole it: that says the cause
    assume(name != "key_safe" or not sent.get("unintelligible"))  # nobody can read it: that says the key is safe
    without = {key: value for key, value in sent.items() if key != name}
    persons = decided(without)[1]
    if persons != 1:
        assert decided({**without, name: data.draw(st.sampled_from(values))})[1] == persons


@examples(60)
@given(facts)
def test_persons_are_never_told_where_the_authority_is_not(sent: dict[str, Any]) -> None:
    authority, persons = decided(sent)
    assert authority >= persons


@examples(60)
@given(facts)
def test_the_derived_score_stays_in_the_method_and_adds_up(sent: dict[str, Any]) -> None:
    score = derived(readings(*known(convert(sent, Facts)))[1])
    assert score.dpc is not None
    assert score.ei is not None
    assert score.cb is not None
    assert 1 <= score.dpc <= 4
    assert 0.25 <= score.ei <= 1
    assert 0 <= score.cb <= 2
    assert score.se == score.dpc * score.ei + score.cb
