"""Which rights are open on a day: cases, and laws that hold for any rights."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.days import FOREVER, Period, period
from ecluse.rights.check import domains_on, open_rights, why_not
from ecluse.rights.model import Covered, Domain, Right

DAY = date(2026, 11, 24)


def right(contract: str = "C1", first: str = "2026-01-01", last: str = "2026-12-31", **changes: object) -> Right:
    fields = {
        "contract": contract, "member_number": "M1", "product": "BASE", "domains": (Domain.MED,),
        "valid": period(date.fromisoformat(first), date.fromisoformat(last)), "convention_type": "SV", "csr": "0001",
        "responsible": True, "priority": 1,
    }  # fmt: skip
    return Right(**{**fields, **changes})  # type: ignore[arg-type]


def opened(*rights: Right, day: date = DAY, domain: Domain = Domain.MED) -> tuple[Covered, ...]:
    return open_rights(rights, domain, day)


def test_rights_are_open_on_their_first_and_last_day_and_not_outside() -> None:
    days = {"2025-12-31": 0, "2026-01-01": 1, "2026-12-31": 1, "2027-01-01": 0}
    assert {day: len(opened(right(), day=date.fromisoformat(day))) for day in days} == days


def test_contiguous_periods_are_one() -> None:
    halves = right(last="2026-06-30"), right(first="2026-07-01", last="2027-06-30")
    (covered,) = opened(*halves)
    assert covered.until == date(2027, 6, 30)


def test_a_gap_ends_what_is_covered() -> None:
    (covered,) = opened(right(last="2026-11-30"), right(first="2026-12-02"))
    assert covered.until == date(2026, 11, 30)


def test_a_right_without_end_has_none() -> None:
    (covered,) = opened(right(valid=Period(date(2026, 1, 1), FOREVER)))
    assert covered.until == FOREVER


def test_another_domain_says_nothing() -> None:
    assert opened(right(), domain=Domain.OPTI) == ()


def test_a_domain_closed_in_the_next_period_ends_there() -> None:
    (covered,) = opened(right(last="2026-11-30"), right(first="2026-12-01", domains=(Domain.PHAR,)))
    assert covered.until == date(2026, 11, 30)


def test_contracts_come_in_order_of_priority() -> None:
    both = opened(right("SECOND", priority=2), right("FIRST", priority=1))
    assert [covered.contract for covered in both] == ["FIRST", "SECOND"]


def test_what_is_remembered_is_the_period_of_the_day_of_care() -> None:
    (covered,) = opened(right(last="2026-06-30", product="OLD"), right(first="2026-07-01", product="NEW"))
    assert covered.product == "NEW"


days = st.integers(0, 400).map(lambda offset: date(2026, 1, 1) + timedelta(days=offset))
spans = st.tuples(days, st.integers(1, 60)).map(lambda span: Period(span[0], span[0] + timedelta(days=span[1])))
many = st.lists(
    st.builds(lambda valid, contract: right(contract, valid=valid), spans, st.sampled_from("AB")), max_size=8
)


@given(rights=many, day=days)
def test_a_contract_is_open_exactly_when_one_of_its_rights_holds_the_day(rights: list[Right], day: date) -> None:
    naive = {each.contract for each in rights if each.valid.start <= day < each.valid.end}
    assert {covered.contract for covered in opened(*rights, day=day)} == naive


@given(rights=many, day=days)
def test_every_day_up_to_the_promised_end_is_covered_and_the_next_is_not(rights: list[Right], day: date) -> None:
    for covered in opened(*rights, day=day):
        own = [each for each in rights if each.contract == covered.contract]
        walked = day
        while any(walked in each.valid for each in own):
            walked += timedelta(days=1)
        assert covered.until == walked - timedelta(days=1)


WHY = {
    "nobody": ((), Domain.MED, DAY, "no_rights"),
    "another kind of care": ((right(),), Domain.OPTI, DAY, "domain_not_covered"),
    "over": ((right(),), Domain.MED, date(2027, 1, 1), "ended"),
    "not yet": ((right(),), Domain.MED, date(2025, 12, 31), "not_begun"),
    "between two": ((right(last="2026-01-31"), right(first="2027-01-01", last="2027-12-31")), Domain.MED, DAY, "ended"),
}


@pytest.mark.parametrize(("rights", "domain", "day", "reason"), WHY.values(), ids=WHY.keys())
def test_why_nothing_is_open(rights: tuple[Right, ...], domain: Domain, day: date, reason: str) -> None:
    assert opened(*rights, day=day, domain=domain) == ()
    assert why_not(rights, domain, day) == reason


def test_kinds_of_care_open_on_a_day_have_one_order() -> None:
    rights = [
        right(domains=(Domain.OPTI,)),
        right(domains=(Domain.PHAR, Domain.MED)),
        right(last="2026-01-31", domains=(Domain.DENT,)),
    ]
    assert domains_on(rights, DAY) == (Domain.MED, Domain.PHAR, Domain.OPTI)
