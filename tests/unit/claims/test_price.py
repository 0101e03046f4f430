"""Pricing a claim: the same as one line after the other under `coverage`, with counters that never run over."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecluse.claims.claim import Billed
from ecluse.claims.control import months_before
from ecluse.claims.price import Payer, consumption, counters, price, priceable, reasons
from ecluse.coverage.compute import compute_contracts
from ecluse.coverage.explain import because
from ecluse.coverage.line import NOTHING_USED
from ecluse.coverage.notation import parse
from ecluse.coverage.product import read_product
from ecluse.rights.model import Covered, Domain

DAY = date(2026, 11, 23)


def payer(guarantee: str, contract: str = "C1") -> Payer:
    text = f'{{product: P, label: P, responsible: true, guarantees: [{{domains: [MED], guarantee: "{guarantee}", label: G}}]}}'
    covered = Covered(contract, "M1", "P", "v", date(2027, 1, 1), "SV", "0001", True, 1)
    return Payer(covered, read_product(text.encode()))


def billed(number: int = 1, **changes: Any) -> Billed:
    fields: dict[str, Any] = {"act": "CS", "date": DAY, "expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%"}
    return Billed(line=number, **fields | changes)


def shared(lines: list[Billed], payers: list[Payer], used: Any = None) -> Any:
    return price(Domain.MED, [(each, priceable(each, 0)) for each in lines], lambda _: payers, used or {})


PLAIN = st.sampled_from(["TM:100", "BR_INCL:150", "BR_EXCL:30", "FR:80", "EUR:5", "NONE", "TM:100+EUR:10"])
BILLED = st.builds(
    billed,
    expense_cents=st.integers(0, 20_000),
    base_cents=st.integers(0, 20_000),
    amo_rate=st.sampled_from(["0%", "60%", "7/10", "100%"]),
    quantity=st.integers(1, 9),
)


@given(BILLED, st.lists(PLAIN, max_size=3))
def test_contracts_share_a_line_as_coverage_does(one: Billed, guarantees: list[str]) -> None:
    (priced,) = shared([one], [payer(text, f"C{n}") for n, text in enumerate(guarantees)])
    joint = compute_contracts(priceable(one, 0), [(text, parse(text), NOTHING_USED) for text in guarantees])
    assert (priced.amo_cents, priced.amc_cents, priced.patient_cents) == (
        joint.amo_cents, joint.amc_cents, joint.patient_cents,
    )  # fmt: skip
    assert [each.amc_cents for each in priced.paid] == [share.split.amc_cents for share in joint.shares]
    assert priced.amo_cents + priced.amc_cents + priced.patient_cents == one.expense_cents


@given(st.lists(BILLED, min_size=1, max_size=6), st.sampled_from(["EUR_ACT:30/5Y", "EUR_YEAR:250"]))
def test_counters_hold_over_the_lines_of_a_claim_and_over_claims(lines: list[Billed], guarantee: str) -> None:
    payers = [payer(guarantee)]
    whole = shared(lines, payers)
    used: dict[Any, Any] = {}
    for one, together in zip(lines, whole, strict=True):  # claim after claim is line after line
        (alone,) = shared([one], payers, used)
        assert alone.amc_cents == together.amc_cents
        for counter, added in consumption([alone]).items():
            used[counter] = used.get(counter, NOTHING_USED) + added
    assert used == consumption(whole)
    assert all(each.acts <= 5 and each.cents <= 25_000 for each in used.values())
    assert set(used) <= counters(Domain.MED, lines, lambda _: payers)


def test_the_reasons_of_one_contract_are_those_of_a_quote() -> None:
    (priced,) = shared([billed()], [payer("BR_INCL:200")])
    split = compute_contracts(priceable(billed(), 0), [("C", parse("BR_INCL:200"), NOTHING_USED)]).shares[0].split
    assert reasons(priced) == because(split, priceable(billed(), 0))


def test_without_a_contract_the_reasons_say_so() -> None:
    (priced,) = shared([billed()], [])
    assert priced.amc_cents == 0
    assert any("Aucune garantie" in said for said in reasons(priced))


@given(st.dates(date(1902, 1, 1), date(2100, 1, 1)), st.integers(0, 600))
def test_months_before_is_the_same_day_or_the_last_of_the_month(day: date, months: int) -> None:
    before = months_before(day, months)
    assert (day.year * 12 + day.month) - (before.year * 12 + before.month) == months
    assert before.day == day.day or (before.day < day.day and (date.fromordinal(before.toordinal() + 1)).day == 1)
