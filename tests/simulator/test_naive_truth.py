"""The naive truth of one guarantee, on cases worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sim import promises
from sim.promises import Bill, Paid

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
    ("TM:100+REST:85", "1680.00", "400.00", "240.00", 1, "1248.00"),  # 160, and 85 % of 1280
    ("TM:100+REST:85[EUR:900/Y]", "1680.00", "400.00", "240.00", 1, "1060.00"),
    ("TM:100+EUR:450<=EUR_INCL:600", "1680.00", "400.00", "240.00", 1, "360.00"),
    ("FR:100<=BR_INCL:200", "1680.00", "400.00", "240.00", 1, "560.00"),
    ("FR:100<=EUR_INCL:60<=EUR_INCL:200/24M", "119.00", "0.05", "0.03", 1, "59.97"),
    ("EUR:30<=ACTS:1/48M", "90.00", "0.00", "0.00", 3, "30.00"),  # a third of 90
]
SPENT = [  # guarantee, acts and euros of the account before → what it pays of 60 €, what it counts
    ("EUR_ACT:30/5Y", 4, "0", "30", [("Y", 1, "0")]),
    ("EUR_ACT:30/5Y", 5, "0", "0", []),
    ("EUR_YEAR:250", 0, "240", "10", [("Y", 0, "10")]),
    ("FR:100<=EUR_INCL:100/24M", 0, "90", "10", [("24M+AMO", 0, "10")]),
    ("FR:100<=ACTS:1/48M", 1, "0", "0", []),
    ("EUR:20[EUR:50/Y]+REST:50<=ACTS:2/12M", 1, "40", "35", [("Y", 0, "10"), ("12M", 1, "0")]),
]


def paid(guarantee: str, bill: Bill, acts: int = 0, euros: str = "0") -> Paid:
    return promises.paid_by(guarantee, bill, bill.expense - bill.amo, lambda _period: (acts, Decimal(euros)))


@pytest.mark.parametrize(("guarantee", "expense", "base", "amo", "quantity", "euros"), CASES)
def test_what_a_guarantee_pays(guarantee: str, expense: str, base: str, amo: str, quantity: int, euros: str) -> None:
    bill = Bill(Decimal(expense), Decimal(base), Decimal(amo), quantity)
    assert paid(guarantee, bill).euros == Decimal(euros)


@pytest.mark.parametrize(("guarantee", "acts", "before", "euros", "counts"), SPENT)
def test_what_was_used_is_not_paid_again(
    guarantee: str, acts: int, before: str, euros: str, counts: list[tuple[str, int, str]]
) -> None:
    found = paid(guarantee, Bill(Decimal(60), Decimal(0), Decimal(0), 1), acts, before)
    assert found.euros == Decimal(euros)
    assert found.counts == [(period, count, Decimal(amount)) for period, count, amount in counts]


def test_a_basket_pays_no_more_than_its_regulated_price() -> None:
    bill = Bill(Decimal(970), Decimal(400), Decimal(240), 1, Decimal(950))
    assert paid("BASKET:100S", bill).euros == Decimal(710)


@pytest.mark.parametrize(
    ("exact", "rounded"), [("7.525", "7.53"), ("16.125", "16.13"), ("5.1675", "5.17"), ("1.004", "1.00")]
)
def test_half_a_cent_goes_up(exact: str, rounded: str) -> None:
    assert promises.half_up(Decimal(exact)) == Decimal(rounded)
