"""What an insurer is handed is filled from what is known, in the form's order and words, and says what is left to a person."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.incident.cnil import FILL, Form, case_of, form, table
from ecluse.breach.incident.events import Decided, FactAdded, Notified, Signed
from ecluse.breach.incident.follows import follows
from ecluse.breach.incident.own import Own
from ecluse.breach.incident.papers import dora_reports_of, letters_of, register_of
from ecluse.breach.incident.state import Incident, fold
from ecluse.breach.letter import rules
from ecluse.breach.shown import categories, letter_fields, sentences, whose_account
from ecluse.breach.shown import table as fields_table
from ecluse.breach.tables import category_table
from ecluse.journal.entry import Field
from tests.unit.breach.test_incident import BY, FOUND_US, MUTUELLE, OTHER, SPARED, TODAY, happened

ALL_FACTS: dict[str, Any] = {
    "organisation": "Mutuelle de Touraine",
    "siren": "123456782",
    "sector": "Assurance",
    "dpo_contact": "dpo@mutuelle.example",
    "contact": "Jean Petit",
    "hub_name": "Écluse",
    "ended": "2026-11-19T18:00:00+01:00",
    "measures_before": ["Plafonds par compte."],
    "measures_taken": ["Compte fermé."],
    "measures_planned": ["Carte exigée."],
    "persons_informed": {"state": "will", "at": "2026-12-01T09:00:00+01:00", "means": "Courrier"},
    "member_states": 1,
    "complaint_reference": "BL2C 2026/1",
    "phone": "01 23 45 67 89",
}


def known(insurer: str = MUTUELLE, *, told: bool = True, **facts: Any) -> Incident:
    """An incident with these facts, decided for an insurer, which was told."""
    said = tuple(FactAdded(by=BY, name=name, value=value, known_us=FOUND_US) for name, value in facts.items())
    events = happened("opened", "fact", "scoped", more=said)
    found = follows(fold(events), insurer, TODAY)
    decided = Decided(by=BY, insurer=insurer, knew=3, signed=found.signed, answer=found.answer, dora=found.dora)
    sent = (Notified(by=BY, deadline="gdpr_controllers", at_us=FOUND_US, insurer=insurer),) if told else ()
    return fold(happened("opened", "fact", "scoped", more=(*said, decided, *sent)))


def values(filled: Form) -> dict[str, Any]:
    return {each.id: each.value for section in filled.sections for each in section.fields}


def test_every_field_of_the_form_is_filled_by_something() -> None:
    ids = [each.id for section in table().sections for each in section.fields]
    assert len(ids) == len({*ids})
    assert {*ids} <= FILL.keys() | {*Own.__struct_fields__}
    assert FILL.keys() <= {*ids}


def test_nothing_is_left_to_fill_but_what_nobody_can_know_here() -> None:
    filled = form("inc_1", case_of(known(**ALL_FACTS), MUTUELLE, minors=2))
    assert filled.to_fill == ("size",)
    assert {"description", "consequences", "harm", "informed"} <= {*filled.to_confirm}
    told = values(filled)
    assert told["persons_kind"] == ["Adhérents", "Mineurs"]
    assert (told["ongoing"], told["informed"], told["cross_border"]) == ("Non", "Non, mais elles le seront", "Non")
    assert told["other_authorities"] == ["Plainte : BL2C 2026/1"]
    assert told["discovered"] == "2026-11-20T10:00:00+01:00"


def test_every_choice_is_one_of_the_forms() -> None:
    for facts in ({}, ALL_FACTS, {"cause": "internal_accidental", "vulnerable_persons": True}):
        for section in form("inc_1", case_of(known(OTHER, **facts), OTHER, minors=1)).sections:
            for each in section.fields:
                given_ = each.value if isinstance(each.value, list) else [each.value]
                assert not each.choices or each.value is None or {*given_} <= {*each.choices}, each


def test_a_claim_shown_is_health_and_a_display_is_not() -> None:
    assert values(form("inc_1", case_of(known(OTHER), OTHER)))["sensitive"] == ["Santé"]
    assert values(form("inc_1", case_of(known(), MUTUELLE)))["sensitive"] is None


def test_an_insurer_that_was_not_told_has_not_discovered_anything() -> None:
    filled = form("inc_1", case_of(known(told=False), MUTUELLE))
    assert {"discovered", "told_by_processor"} <= {*filled.to_fill}


def test_the_register_keeps_a_no_with_its_reason() -> None:
    entry = register_of("inc_1", case_of(known(SPARED), SPARED))
    assert entry["decision"]["cnil"] is False
    assert "n'a été affichée" in entry["decision"]["raisons"][0]
    assert register_of("inc_1", case_of(fold(happened("opened", "scoped")), SPARED))["decision"] is None


def test_dora_has_what_is_known_and_names_what_is_missing() -> None:
    told = dora_reports_of("inc_1", case_of(known(dora_fields={"1.7": "Jean Petit"}), MUTUELLE), TODAY)
    assert told["classification"]["major"] is True
    assert told["intermediate"]["fields"]["1.7"] == "Jean Petit"
    assert told["intermediate"]["fields"]["3.4"] == 1_800
    assert told["intermediate"]["wrong"] == []
    assert {"1.2", "2.7"} <= {each["code"] for each in told["initial"]["missing"]}


def test_what_letters_share_says_what_is_left_to_fill() -> None:
    bare, full = (letters_of("inc_1", case_of(known(**facts), MUTUELLE), 3) for facts in ({}, ALL_FACTS))
    assert {"dpo_contact", "phone", "measures_taken", "sent_by"} <= {*bare["to_fill"]}
    assert full["to_fill"] == ["nature"]


def test_the_table_of_fields_speaks_of_every_field_in_known_words() -> None:
    assert fields_table().fields.keys() == {each.name.lower() for each in Field if each.name}
    for each in fields_table().fields.values():
        assert {*each.categories} <= category_table().keys()
        assert {*each.letter} <= rules().fields.keys()


@given(st.integers(1, (1 << 16) - 1))
def test_what_was_shown_is_never_denied_and_the_rest_always_is(bits: int) -> None:
    shown, not_shown = letter_fields(bits)
    assert not {*shown} & {*not_shown}
    assert {*shown, *not_shown, *fields_table().typed.letter} == {*rules().fields}
    assert len(sentences(bits)) == bits.bit_count()
    assert categories(bits)


@pytest.mark.parametrize(
    ("profession", "departement", "words"),
    [
        ("opticien", "37", "un compte d'opticien, dans le département 37"),
        ("pharmacy", "", "un compte de pharmacie"),
        ("", "2A", "un compte de professionnel de santé, dans le département 2A"),
        ("astrologer", "", "un compte de professionnel de santé"),
    ],
)
def test_whose_account_it_was_is_said_in_words(profession: str, departement: str, words: str) -> None:
    assert whose_account(profession, departement) == words


def test_a_person_who_decides_otherwise_is_what_the_form_says() -> None:
    incident = known()
    decided = incident.decisions[MUTUELLE].decided
    otherwise = Decided(
        by=BY, insurer=MUTUELLE, knew=3, answer=decided.answer, dora=None,
        signed=Signed(register=True, authority=True, persons=False, motive="Art. 34(3)(b)"),
    )  # fmt: skip
    events = happened("opened", "fact", "scoped", more=(otherwise,))
    told = values(form("inc_1", case_of(fold(events), MUTUELLE)))
    assert told["informed"] == "Non ils ne le seront pas"
