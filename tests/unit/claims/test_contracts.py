"""Several contracts on one line: who is asked first pays first, and nobody pays twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.claims.claim import Billed, Priced
from ecluse.claims.price import Payer, price
from ecluse.coverage.accounts import Dated, account_name
from ecluse.coverage.compute import Uses, compute, others_cents
from ecluse.coverage.line import Line, Used, read_line
from ecluse.coverage.notation import parse, write
from ecluse.coverage.product import Product, Row
from ecluse.rights.model import Covered, Domain
from tests.unit.coverage.test_laws import GUARANTEES, LINES, USED

DAY = date(2026, 11, 23)
BILLED = Billed(line=1, act="CS", date=DAY, expense_cents=0, base_cents=0, amo_rate="0%")  # what is priced is the line
LINE = read_line(60_00, 30_00, "70%", participation_cents=2_00)

Contract = tuple[str, Uses]  # its guarantee, and what was used of its accounts on the day
CONTRACTS = st.lists(st.tuples(GUARANTEES.map(write), USED), max_size=4)


def payer(name: str, guarantee: str, responsible: bool = True) -> Payer:
    row = Row((Domain.MED,), guarantee, "G")
    covered = Covered(name, "M1", "P", "v", date(2027, 1, 1), "SV", "0001", responsible, 1)
    return Payer(covered, Product("P", "P", responsible, (row,)))


def shared(line: Line, contracts: Sequence[Contract], responsible: bool = True) -> Priced:
    payers = [payer(f"C{n}", guarantee, responsible) for n, (guarantee, _) in enumerate(contracts)]
    kept: dict[str, list[Dated]] = {}
    for each, (_, used) in zip(payers, contracts, strict=True):
        (row,) = each.product.guarantees
        for account in row.parsed.accounts:
            name = account_name(each.covered, row, account, None)
            kept.setdefault(name, []).append((DAY, used.get(account, Used())))
    (priced,) = price(Domain.MED, [(BILLED, line)], lambda _: payers, kept)
    return priced


def test_the_second_pays_on_what_the_first_left() -> None:
    priced = shared(LINE, [("TM:100", {}), ("BR_INCL:200", {})])
    assert [paid.amc_cents for paid in priced.paid] == [9_00, 30_00]
    assert (priced.amo_cents, priced.amc_cents, priced.patient_cents) == (21_00, 39_00, 0)


def test_the_order_decides_who_pays() -> None:
    priced = shared(LINE, [("BR_INCL:200", {}), ("TM:100", {})])
    assert [(paid.contract, paid.amc_cents) for paid in priced.paid] == [("C0", 39_00), ("C1", 0)]


def test_each_contract_keeps_its_own_count() -> None:
    acts = "EUR_ACT:20/2Y"
    priced = shared(read_line(60_00, 0, "0%"), [(acts, {"Y": Used(acts=2)}), (acts, {"Y": Used(acts=1)})])
    assert [(use.used_acts, use.acts) for paid in priced.paid for use in paid.uses] == [(2, 0), (1, 1)]
    assert priced.patient_cents == 40_00


def test_a_contract_that_pays_nothing_uses_nothing() -> None:
    priced = shared(LINE, [("BR_INCL:200", {}), ("EUR_ACT:20/2Y", {})])
    assert [(use.acts, use.cents) for use in priced.paid[1].uses] == [(0, 0)]


def test_no_contract_leaves_the_rest_to_the_patient() -> None:
    priced = shared(LINE, [])
    assert (priced.amo_cents, priced.amc_cents, priced.patient_cents) == (21_00, 0, 39_00)


@given(LINES, CONTRACTS, st.booleans())
def test_several_contracts_never_pay_more_than_the_expense(
    line: Line, contracts: list[Contract], responsible: bool
) -> None:
    priced = shared(line, contracts, responsible)
    paid = [each.amc_cents for each in priced.paid]
    assert (priced.amc_cents, [each.contract for each in priced.paid]) == (
        sum(paid),
        [f"C{n}" for n in range(len(paid))],
    )
    assert (
        priced.amo_cents + others_cents(line, priced.amo_cents) + sum(paid) + priced.patient_cents == line.expense_cents
    )
    assert min(0, priced.patient_cents, *paid) == 0


@given(LINES, CONTRACTS.filter(bool))
def test_each_contract_pays_as_if_alone_on_what_those_before_it_leave(line: Line, contracts: list[Contract]) -> None:
    priced, before = shared(line, contracts), 0
    assert priced.paid[0] == shared(line, contracts[:1]).paid[0]
    for paid in priced.paid:
        used = {use.account: Used(use.used_acts, use.used_cents) for use in paid.uses}
        split = compute(line, parse(paid.guarantee), used, before)
        assert (paid.amc_cents, priced.amo_cents) == (split.amc_cents, split.amo_cents)
        before += paid.amc_cents
    assert priced.patient_cents == line.expense_cents - priced.amo_cents - others_cents(line, priced.amo_cents) - before


@given(st.integers(0, 20_000), st.integers(0, 5_000))
def test_what_the_pathway_costs_is_left_to_responsible_contracts_only(expense: int, majoration: int) -> None:
    line = replace(LINE, expense_cents=expense, base_cents=0, amo_rate=Fraction(0), majoration_cents=majoration)
    assert shared(line, [("FR:100", {})]).patient_cents == min(expense, majoration)
    assert shared(line, [("FR:100", {})], responsible=False).patient_cents == 0
