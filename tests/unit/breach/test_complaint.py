"""A victim's complaint: to the right place, for what happened, with blanks where nothing is known; never sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.complaint import BLANK, Complaint, Prepared, prepare
from ecluse.breach.facts import convert
from ecluse.breach.letter import rules
from ecluse.breach.readability import reading
from ecluse.kernel.errors import Refused

MARTIN = {
    "last_name": "Martin",
    "first_name": "Jeanne",
    "birth_date": "4 mars 1971",
    "address": ["12 rue des Lilas", "37000 Tours"],
}


def prepared(**facts: Any) -> Prepared:
    return prepare(convert(facts, Complaint))[0]


def test_that_of_february_2024_goes_where_the_form_of_then_went() -> None:
    found = prepared(
        inquiry="tiers-payant-2024",
        person=MARTIN,
        insurer="MGP",
        fields=["national_number", "birth_date"],
        **{"from": "2024-01-28", "to": "2024-02-01", "told_on": "2024-02-08", "on": "2024-02-12"},
    )
    assert found.to == (
        "Direction de la police judiciaire de la préfecture de police",
        "BL2C 2024/30",
        "36 rue du Bastion",
        "75017 PARIS",
    )
    assert "- mon numéro de sécurité sociale\n- ma date de naissance" in found.text
    assert "entre le 28 janvier 2024 et le 1er février 2024" in found.text
    assert [each.article for each in found.articles] == ["323-1", "323-3", "226-18", "321-1"]
    assert all(each.source for each in found.articles)
    assert (found.to_fill, found.sent) == ((), False)


def test_another_goes_to_the_prosecutor_or_where_the_facts_say() -> None:
    assert "procureur" in prepared().to[0]
    assert prepared(addressee=["OFAC", "Paris"]).to == ("OFAC", "Paris")


def test_what_is_not_known_is_a_blank_and_is_listed() -> None:
    found = prepared()
    assert found.text.count(BLANK) > 5
    assert found.to_fill == ("last_name", "first_name", "birth_date", "address", "insurer", "fields", "from")


def test_more_harm_more_articles() -> None:
    found = prepared(identity_used=True, money_lost=True)
    assert {"226-4-1", "313-1"} <= {each.article for each in found.articles}


@pytest.mark.parametrize(
    "facts", [{"inquiry": "x"}, {"fields": ["colour"]}, {"sent": True}, {"person": {"last_name": "a\nb"}}]
)
def test_what_is_not_known_is_refused_by_name(facts: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="facts_invalid"):
        prepared(**facts)


@given(st.lists(st.sampled_from(sorted(rules().fields)), max_size=8, unique=True), st.booleans(), st.booleans())
def test_it_can_be_read_by_whoever_signs_it(fields: list[str], used: bool, lost: bool) -> None:
    found = prepared(fields=fields, identity_used=used, money_lost=lost, person=MARTIN)
    assert reading(found.text).kandel_moles >= 60
    assert reading(found.text).longest_sentence_words <= 30
