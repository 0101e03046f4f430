"""The compulsory side: which rates the stated facts leave, on the law of the day."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.claims.claim import Billed
from ecluse.claims.obligatory import contradictions, possible_rates, rate_fault
from ecluse.coverage.facts import Exemption, Facts, Pathway, Scheme
from ecluse.kernel.money import rate
from ecluse.rights.model import Domain
from ecluse.rules.book import open_book

BOOK = open_book()
DAY = date(2026, 1, 10)
PLAIN = {"scheme": "general", "exemption": "none", "pathway": "inside"}
LOCAL = PLAIN | {"scheme": "alsace_moselle"}

# Domain, act, what is stated, the rates that can be right: on 10 January 2026 unless another day is named.
LAW: list[tuple[str, str, dict[str, str], str]] = [
    ("DENT", "HBLD038", PLAIN, "60%"),
    ("DENT", "HBLD038", LOCAL, "90%"),
    ("DENT", "HBLD038", PLAIN | {"pathway": "outside"}, "60%"),
    ("DENT", "HBLD038", {}, "60% 90% 100%"),
    ("MED", "G", PLAIN, "70%"),
    ("MED", "G", LOCAL, "90%"),
    ("MED", "G", PLAIN | {"pathway": "outside"}, "30%"),
    ("MED", "G", LOCAL | {"pathway": "outside"}, "50%"),
    ("MED", "G", PLAIN | {"exemption": "ald"}, "100%"),
    ("MED", "G", PLAIN | {"exemption": "ald", "pathway": "outside"}, "60% 100%"),
    ("MED", "G", PLAIN | {"exemption": "maternity"}, "100%"),
    ("MED", "G", PLAIN | {"exemption": "at_mp"}, "100%"),
    ("MED", "G", PLAIN | {"exemption": "c2s"}, "70% 100%"),
    ("MED", "ZCQM008", PLAIN | {"exemption": "heavy_act"}, "100%"),
    ("MED", "ZZ", PLAIN, "60% 70%"),
    ("MED", "C", PLAIN, "60% 70%"),  # of a dentist, and an old letter of doctors
    ("AUXM", "AMK", PLAIN, "60%"),
    ("LABO", "B", PLAIN, "60%"),
    ("LABO", "P999", PLAIN, "60% 70%"),
    ("RADI", "ADI", PLAIN, "70%"),
    ("OPTI", "MON", PLAIN, "60%"),
    ("AUDI", "PAU", PLAIN, "60%"),
    ("TRAN", "AMB", PLAIN, "55%"),
    ("HOSP", "GHS", LOCAL, "90% 100%"),
    ("PHAR", "PH7", PLAIN, "65%"),
    ("PHAR", "PH4", PLAIN, "30%"),
    ("PHAR", "PH2", PLAIN, "15%"),
    ("PHAR", "PH1", PLAIN, "100%"),
    ("PHAR", "PH7", LOCAL, "90%"),
    ("PHAR", "PH4", LOCAL, "80%"),
    ("PHAR", "PH2", LOCAL, "15%"),
    ("PHAR", "HDR", PLAIN, "65% 70%"),
    ("PHAR", "3400930000000", PLAIN, "15% 30% 60% 65% 70% 100%"),
]  # fmt: skip


def rates(domain: str, act: str, day: date, stated: Facts) -> set[Fraction]:
    return set(possible_rates(BOOK, Domain(domain), act, day, stated))


def facts(stated: dict[str, str]) -> Facts:
    kinds: dict[str, Any] = {"scheme": Scheme, "exemption": Exemption, "pathway": Pathway}
    return Facts(**{name: kinds[name](value) for name, value in stated.items()})


@pytest.mark.parametrize(("domain", "act", "stated", "expected"), LAW)
def test_the_rates_that_the_facts_leave(domain: str, act: str, stated: dict[str, str], expected: str) -> None:
    assert rates(domain, act, DAY, facts(stated)) == {rate(text) for text in expected.split()}


def test_the_law_is_that_of_the_day() -> None:
    plain = facts(PLAIN)
    assert rates("DENT", "C", date(2023, 10, 14), plain) == {rate("70%")}
    assert rates("DENT", "C", date(2023, 10, 15), plain) == {rate("60%")}


def billed(**stated: Any) -> Billed:
    fields = {"line": 1, "act": "G", "date": DAY, "expense_cents": 20_000, "base_cents": 3000, "amo_rate": "70%"}
    return Billed(**fields | stated)


STATED: dict[str, Any] = {
    "scheme": st.none() | st.sampled_from(Scheme),
    "exemption": st.none() | st.sampled_from(Exemption),
    "pathway": st.none() | st.sampled_from(Pathway),
    "age_years": st.none() | st.integers(0, 130),
    "base_cents": st.integers(0, 20_000),
    "act": st.sampled_from(["G", "SDE", "PH2", "B", "ZZ"]),
    "date": st.dates(date(2024, 7, 1), date(2026, 11, 25)),
}


@given(st.sampled_from(Domain), st.builds(billed, **STATED))
def test_stated_facts_leave_a_rate_or_are_named_as_contradictory(domain: Domain, line: Billed) -> None:
    found = possible_rates(BOOK, domain, line.act, line.date, line)
    assert found or list(contradictions(BOOK, line))
    assert all(0 <= paid <= 1 for paid in found)
    assert all(rate_fault(BOOK, domain, line, paid) is None for paid in found)


@given(st.sampled_from(Domain), st.builds(billed, **STATED), st.sampled_from(["scheme", "exemption", "pathway"]))
def test_a_fact_left_out_refuses_nothing_that_passed(domain: Domain, line: Billed, name: str) -> None:
    fields = {each: getattr(line, each) for each in ("scheme", "exemption", "pathway")}
    narrow = rates(domain, line.act, line.date, Facts(**fields))
    assert narrow <= rates(domain, line.act, line.date, Facts(**fields | {name: None}))


def test_the_refusal_says_rate_day_act_what_is_possible_and_the_text() -> None:
    stated = {"scheme": Scheme.GENERAL, "exemption": Exemption.NONE, "pathway": Pathway.INSIDE}
    fault = rate_fault(BOOK, Domain.MED, billed(**stated), rate("65%"))
    assert fault is not None
    assert fault.code == "amo_rate_impossible"
    for said in ("70%", "G", "10/01/2026", "70\u00a0%", "art. L. 160-13"):
        assert said in fault.detail


def test_a_rate_no_law_knows_is_another_refusal() -> None:
    fault = rate_fault(BOOK, Domain.MED, billed(), rate("71%"))
    assert fault is not None
    assert fault.code == "amo_rate_unknown"
