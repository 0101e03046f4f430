"""Crossings: January 2024 concludes as we do; shares are shares; a leak more never makes a harm rarer."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.crossing.answer import Crossing, cross
from ecluse.breach.crossing.catalogue import Crossed, catalogue, known_fields, leak_of
from ecluse.breach.crossing.simulate import Seen, simulate
from ecluse.breach.facts import convert
from ecluse.doors.crossings.page import page
from ecluse.kernel.errors import Refused
from tests.laws import examples

IDS = [each.id for each in catalogue().leaks]
SMALL = {"runs": 10, "people": 50}


@pytest.fixture(scope="module")
def january() -> Crossing:
    return cross(convert({"leak": "tiers-payant-2024"}, Crossed))


def test_in_january_2024_phishing_is_low_and_impersonation_real_once_crossed(january: Crossing) -> None:
    harms = january.harms
    for name in ("callable", "reachable", "payable"):
        assert not harms[name].alone
        assert harms[name].switched_on.high == 0
    assert harms["loginable"].alone
    assert harms["loginable"].after.low == 1
    assert not harms["impersonable"].alone
    assert harms["impersonable"].switched_on.low > 0.05
    assert harms["impersonable"].before.high < harms["impersonable"].after.low
    assert january.conclusion[0] == "Sur ces seules données, le hameçonnage est faible : ni téléphone, ni adresse."
    assert any("Peut être usurpé" in each and "réel une fois croisé" in each for each in january.conclusion)


def test_its_page_names_fields_and_leaks_in_french(january: Crossing) -> None:
    text = page(january)
    assert "date de naissance" in text
    assert "Facebook (2021), " in text
    assert not [each for each in (*IDS, "birth_date", "national_number") if each in text]
    asked = {"fields": sorted(known_fields()), "on": "2026-01-01", "name": "Fuite de test", **SMALL}
    text = page(cross(convert(asked, Crossed)))
    assert "Fuite de test (2026)" in text
    assert not [each for each in known_fields() if f" {each}, " in text or ("_" in each and each in text)]


def test_france_travail_then_makes_them_callable_and_free_payable(january: Crossing) -> None:
    later = {each.leak: each for each in january.later}
    assert later["france-travail-2024"].added["callable"].low > 0.15
    assert later["france-travail-2024"].added["impersonable"].low > 0.15
    assert later["free-2024"].added["payable"].low > 0.02
    assert [each.on for each in january.later] == sorted(each.on for each in january.later)


def test_children_are_in_it_and_are_reached_less(january: Crossing) -> None:
    by_age = january.harms["impersonable"].by_age
    assert by_age["child"].mid < by_age["adult"].mid


def test_the_same_seed_gives_the_same_answer_and_another_one_nearly() -> None:
    first, again = (cross(convert({"leak": "free-2024", **SMALL}, Crossed)) for _ in range(2))
    assert first == again
    assert first != cross(convert({"leak": "free-2024", **SMALL, "seed": 2}, Crossed))


def ran(others: list[str], this: str, seed: int) -> list[Seen]:
    table = catalogue()
    leaks = {each.id: each for each in table.leaks}
    chosen = [leaks[each] for each in IDS if each in others and each != this]
    return [*simulate(table, chosen, leaks[this], seed, runs=3, people=40)]


@examples(25)
@given(st.lists(st.sampled_from(IDS), unique=True), st.sampled_from(IDS), st.sampled_from(IDS), st.integers(0, 1000))
def test_a_leak_more_never_makes_a_harm_rarer_and_shares_are_shares(
    others: list[str], more: str, this: str, seed: int
) -> None:
    for less, with_more in zip(ran(others, this, seed), ran([*others, more], this, seed), strict=True):
        assert less.people == with_more.people
        for stages in (less.stages, with_more.stages):
            every = [share for stage in stages for shares in stage.values() for share in shares]
            assert all(0 <= share <= 1 for share in every)
            for earlier, later in pairwise(stages):
                assert all(a <= b for group in earlier for a, b in zip(earlier[group], later[group], strict=True))
        for at in (0, 1, -1):
            low, high = less.stages[at], with_more.stages[at]
            assert all(a <= b for group in low for a, b in zip(low[group], high[group], strict=True))


@examples(20)
@given(
    st.lists(st.sampled_from(sorted(known_fields())), min_size=1, unique=True),
    st.dates(date(2021, 1, 1), date(2026, 12, 31)),
)
def test_any_fields_have_an_answer_and_a_page(fields: list[str], on: date) -> None:
    found = cross(convert({"fields": fields, "on": on.isoformat(), "name": "<b>", **SMALL}, Crossed))
    for harm in found.harms.values():
        for span in (harm.before, harm.after, harm.switched_on, *harm.by_age.values()):
            assert 0 <= span.low <= span.mid <= span.high <= 1
        assert not harm.alone or harm.after.low == 1
    html = page(found)
    assert "&lt;b&gt;" in html
    assert "<b>" not in html.partition("<main>")[2]


def test_every_leak_has_its_source_and_makes_sense() -> None:
    table = catalogue()
    assert abs(sum(table.population.groups.values()) - 1) < 1e-9
    for each in table.leaks:
        assert len(each.source) > 10
        assert 0 < each.people[0] <= each.people[1]
        assert all(0 <= low <= high <= 1 for low, high in (each.valid, *each.some.values()))


WRONG: list[dict[str, Any]] = [
    {},
    {"leak": "x"},
    {"leak": "free-2024", "runs": 1},
    {"fields": ["phone"]},
    {"fields": ["colour"], "on": "2024-01-01"},
    {"fields": ["phone"], "on": "2024-01-01", "reach": {"child": 0, "adult": 0, "senior": 0}},
]


@pytest.mark.parametrize("facts", WRONG)
def test_what_cannot_be_crossed_is_refused_by_name(facts: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="facts_invalid"):
        leak_of(convert(facts, Crossed))
