"""The naive truth, on cases worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sim import truth
from sim.truth import Consumed

# guarantee, expense, base, AMO, quantity → what it pays; amounts in euros, as published or worked by hand
CASES = [
    ("TM:100", "25.00", "25.00", "17.50", 1, "7.50"),
    ("BR_EXCL:30", "25.00", "25.00", "17.50", 1, "7.50"),
    ("BR_INCL:200", "55.00", "23.00", "16.10", 1, "29.90"),
    ("BR_INCL:400", "90.00", "26.50", "18.55", 1, "71.45"),
    ("BR_INCL:400+EUR:200", "600.00", "107.50", "75.25", 1, "524.75"),
    ("BASKET:100S", "950.00", "400.00", "240.00", 1, "710.00"),
    ("BR_INCL:425", "1700.00", "400.00", "240.00", 1, "1460.00"),
    ("EUR_ACT:30/5Y", "60.00", "0.00", "0.00", 1, "30.00"),
    ("EUR_YEAR:250", "60.00", "0.00", "0.00", 1, "60.00"),
    ("NONE", "60.00", "23.00", "16.10", 1, "0.00"),
    ("FR:100", "50.00", "50.00", "30.00", 1, "20.00"),
    ("EUR:100", "238.00", "0.10", "0.06", 2, "200.00"),
    ("BR_INCL:100", "10.00", "25.00", "10.00", 1, "0.00"),
    ("TM:100+REST:85[EUR:1900/Y]<=EUR_INCL:1700", "1600.00", "400.00", "240.00", 1, "1180.00"),
    ("TM:100+REST:85[EUR:1900/Y]<=EUR_INCL:1700", "2500.00", "400.00", "240.00", 1, "1460.00"),
    ("TM:100+BR_EXCL:200[EUR:400/Y]", "1400.00", "240.00", "144.00", 2, "496.00"),
]


@pytest.mark.parametrize(("guarantee", "expense", "base", "amo", "quantity", "paid"), CASES)
def test_what_a_guarantee_pays(guarantee: str, expense: str, base: str, amo: str, quantity: int, paid: str) -> None:
    left = Decimal(expense) - Decimal(amo)
    found = truth.paid_by(
        guarantee, Decimal(expense), Decimal(base), Decimal(amo), left, quantity, Consumed(), ("counter",), True
    )
    assert found == Decimal(paid)


def test_the_sixth_act_of_the_year_is_not_paid() -> None:
    used = Consumed()
    expense = Decimal(60)
    paid = [
        truth.paid_by("EUR_ACT:30/5Y", expense, Decimal(0), Decimal(0), expense, 1, used, ("counter",), True)
        for _ in range(6)
    ]
    assert paid == [Decimal(30)] * 5 + [Decimal(0)]


def test_the_year_ends_with_its_euros() -> None:
    used = Consumed()
    expense = Decimal(60)
    paid = [
        truth.paid_by("EUR_YEAR:250", expense, Decimal(0), Decimal(0), expense, 1, used, ("counter",), True)
        for _ in range(6)
    ]
    assert paid == [Decimal(60)] * 4 + [Decimal(10), Decimal(0)]


def test_a_part_ends_with_its_year_and_the_ticket_goes_on() -> None:
    used = Consumed()
    guarantee, expense, base, amo = "TM:100+BR_EXCL:200[EUR:400/Y]", Decimal(550), Decimal(120), Decimal(72)
    paid = [truth.paid_by(guarantee, expense, base, amo, expense - amo, 1, used, ("counter",), True) for _ in range(3)]
    assert paid == [Decimal(288), Decimal(208), Decimal(48)]


@pytest.mark.parametrize(
    ("exact", "rounded"), [("7.525", "7.53"), ("16.125", "16.13"), ("5.1675", "5.17"), ("1.004", "1.00")]
)
def test_half_a_cent_goes_up(exact: str, rounded: str) -> None:
    assert truth.half_up(Decimal(exact)) == Decimal(rounded)
