"""What the AMO keeps back, where it is stated: impossible amounts are refused, all others pass."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.claims.claim import Billed
from ecluse.claims.participation import participation_faults
from ecluse.coverage.facts import Exemption
from ecluse.rights.model import Domain
from ecluse.rules.book import open_book

BOOK = open_book()
DAY = date(2026, 11, 23)


def billed(act: str, cents: int | None, quantity: int = 1, day: date = DAY, **stated: Any) -> Billed:
    money = {"expense_cents": 20_000, "base_cents": 20_000, "amo_rate": "60%"}
    return Billed(line=1, act=act, date=day, quantity=quantity, participation_cents=cents, **money, **stated)


def codes(domain: Domain, *lines: Billed) -> list[str]:
    return [fault.code for fault in participation_faults(BOOK, domain, lines)]


# Domain, act, quantity, cents: the most of a line, one cent above it is refused.
MOST = [
    (Domain.MED, "G", 1, 200),
    (Domain.RADI, "ADI", 2, 400),
    (Domain.LABO, "B", 1, 200),
    (Domain.PHAR, "PH7", 3, 300),
    (Domain.PHAR, "3400930000000", 1, 100),
    (Domain.AUXM, "AMI", 4, 400),
    (Domain.TRAN, "AMB", 2, 800),
    (Domain.DENT, "SDE", 1, 0),
    (Domain.OPTI, "MON", 1, 0),
    (Domain.AUDI, "PAU", 1, 0),
]


@pytest.mark.parametrize(("domain", "act", "quantity", "most"), MOST)
def test_the_most_of_a_line(domain: Domain, act: str, quantity: int, most: int) -> None:
    assert codes(domain, billed(act, most, quantity)) == []
    assert codes(domain, billed(act, most + 1, quantity)) == ["participation_too_high"]


def test_amounts_are_those_of_the_day() -> None:
    assert codes(Domain.MED, billed("G", 200, day=date(2024, 5, 14))) == ["participation_too_high"]
    assert codes(Domain.MED, billed("G", 200, day=date(2024, 5, 15))) == []


@pytest.mark.parametrize(
    "spared", [{"age_years": 17}, {"exemption": Exemption.MATERNITY}, {"exemption": Exemption.C2S}]
)
def test_some_people_are_spared(spared: dict[str, Any]) -> None:
    assert codes(Domain.MED, billed("G", 200, **spared)) == ["participation_not_due"]
    assert codes(Domain.MED, billed("G", 0, **spared)) == []


@pytest.mark.parametrize(
    "not_spared", [{"age_years": 18}, {"exemption": Exemption.ALD}, {"exemption": Exemption.AT_MP}]
)
def test_others_are_not(not_spared: dict[str, Any]) -> None:
    assert codes(Domain.MED, billed("G", 200, **not_spared)) == []


def test_caps_are_by_day_and_by_year() -> None:
    nursing = billed("AMI", 400, 4)
    assert codes(Domain.AUXM, nursing, billed("AMI", 400, 4, date(2026, 11, 22))) == []
    assert codes(Domain.AUXM, nursing, billed("AMI", 100, 1)) == ["participation_over_cap"]
    boxes = [billed("PH7", 2600, 26), billed("PH7", 2500, 25, date(2026, 11, 1))]
    assert codes(Domain.PHAR, *boxes) == ["participation_over_cap"]
    assert codes(Domain.PHAR, boxes[0], billed("PH7", 2500, 25, date(2025, 12, 31))) == []


@given(st.lists(st.builds(billed, st.sampled_from(["G", "PH7", "SDE"]), st.none() | st.just(0), st.integers(1, 9))))
def test_nothing_stated_is_never_refused(lines: list[Billed]) -> None:
    assert codes(Domain.MED, *lines) == []
