"""Pricing a claim: the same as one line after the other under `coverage`, with accounts that never run over."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert
from msgspec.structs import replace

from ecluse.claims.claim import Billed
from ecluse.claims.price import Payer, consumption, price, priceable, reasons, spans
from ecluse.coverage.accounts import Dated, span_of
from ecluse.coverage.compute import compute
from ecluse.coverage.explain import because
from ecluse.coverage.facts import Exemption, Pathway
from ecluse.coverage.notation import parse
from ecluse.coverage.product import read_product
from ecluse.kernel.days import months_after
from ecluse.rights.model import Covered, Domain
from ecluse.rules import parameter
from ecluse.rules.book import RuleBook, open_book

DAY = date(2026, 11, 23)
BOOK = open_book()


def payer(
    guarantee: str,
    contract: str = "C1",
    since: date | None = None,
    responsible: bool = True,
    more: str = "",
    top: str = "",
) -> Payer:
    text = (
        f"{{product: P, label: P, responsible: {str(responsible).lower()}, {top} guarantees: "
        f'[{{domains: [MED], guarantee: "{guarantee}", label: G{more}}}]}}'
    )
    covered = Covered(contract, "M1", "P", "v", date(2027, 1, 1), "SV", "0001", True, 1, since)
    return Payer(covered, read_product(text.encode()))


def billed(number: int = 1, **changes: Any) -> Billed:
    fields: dict[str, Any] = {"act": "CS", "date": DAY, "expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%"}
    return convert({"line": number} | fields | changes, Billed)


def shared(lines: list[Billed], payers: list[Payer], kept: Any = None) -> Any:
    return price(Domain.MED, [(each, priceable(each, 0, BOOK)) for each in lines], lambda _: payers, kept or {})


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
    line, before = priceable(one, 0, BOOK), 0
    for paid, text in zip(priced.paid, guarantees, strict=True):
        split = compute(line, parse(text), paid_before_cents=before)
        assert (priced.amo_cents, paid.amc_cents) == (split.amo_cents, split.amc_cents)
        before += paid.amc_cents
    assert priced.amc_cents == before
    assert priced.amo_cents + priced.amc_cents + priced.patient_cents == one.expense_cents


COUNTED = {
    "EUR_ACT:30/5Y": (5, 15_000),
    "EUR_YEAR:250": (None, 25_000),
    "TM:100+REST:85[EUR:190/Y]<=EUR_INCL:400/24M": (None, 59_000),
    "FR:100<=ACTS:2/24M": (2, None),
}


@given(st.lists(st.tuples(BILLED, st.integers(0, 300)), min_size=1, max_size=6), st.sampled_from(sorted(COUNTED)))
def test_claims_one_by_one_pay_as_one_claim_would(days: list[tuple[Billed, int]], guarantee: str) -> None:
    lines = [replace(one, date=DAY - timedelta(days=back)) for one, back in days]
    payers = [payer(guarantee)]
    whole = shared(lines, payers)
    kept: dict[str, list[Dated]] = {}
    for one, together in zip(lines, whole, strict=True):
        (alone,) = shared([one], payers, kept)
        assert (alone.amc_cents, alone.paid[0].uses) == (together.amc_cents, together.paid[0].uses)
        for (name, day), added in consumption([alone]).items():
            kept.setdefault(name, []).append((day, added))
    assert set(kept) <= set(spans(Domain.MED, lines, lambda _: payers))


@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(1, 3)), min_size=1, max_size=8), st.integers(1, 4))
def test_no_period_of_so_many_months_ever_holds_more_acts(days: list[tuple[int, int]], most: int) -> None:
    """In whatever order claims come."""
    kept: dict[str, list[Dated]] = {}
    for back, quantity in days:
        one = billed(date=DAY - timedelta(days=back), quantity=quantity)
        (priced,) = shared([one], [payer(f"FR:100<=ACTS:{most}/24M")], kept)
        for (name, day), added in consumption([priced]).items():
            kept.setdefault(name, []).append((day, added))
    uses = [use for each in kept.values() for use in each]
    for start, _ in uses:
        assert sum(used.acts for day, used in uses if start <= day < months_after(start, 24)) <= most


@pytest.mark.parametrize(
    ("since", "top", "day", "first", "last"),
    [
        (None, "", date(2026, 3, 1), date(2026, 1, 1), date(2026, 12, 31)),
        (date(2020, 5, 10), "", date(2026, 3, 1), date(2026, 1, 1), date(2026, 12, 31)),
        (date(2020, 5, 10), "year: membership,", date(2026, 3, 1), date(2025, 5, 10), date(2026, 5, 9)),
        (date(2020, 5, 10), "year: membership,", date(2026, 5, 10), date(2026, 5, 10), date(2027, 5, 9)),
        (date(2024, 2, 29), "year: membership,", date(2026, 2, 28), date(2026, 2, 28), date(2027, 2, 27)),
        (None, "year: membership,", date(2026, 3, 1), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_year_of_a_contract(since: date | None, top: str, day: date, first: date, last: date) -> None:
    one = payer("EUR_YEAR:250", since=since, top=top)
    assert span_of("Y", one.product, one.covered, day) == (first, last)


def test_each_ear_has_its_own_delay() -> None:
    payers = [payer("FR:100<=ACTS:1/48M", more=", each_side: true")]
    left, right = billed(1, side="left"), billed(2, side="right")
    again = billed(3, side="left", date=months_after(DAY, 47))
    later = billed(4, side="left", date=months_after(DAY, 48))
    assert [each.amc_cents > 0 for each in shared([left, right, again, later], payers)] == [True, True, False, True]
    assert shared([billed()], payers)[0].amc_cents == 0, "a side that is not stated has no count"


def test_a_waiting_period_is_told_and_then_over() -> None:
    waiting = payer("BR_INCL:200", since=date(2026, 7, 1), more=", waiting_months: 6")
    (priced,) = shared([billed()], [waiting])
    assert priced.amc_cents == 0
    assert "La garantie «\u00a0G\u00a0» ne s'ouvre que le 01/01/2027" in reasons(priced)[0]
    (priced,) = shared([billed(date=date(2027, 1, 1))], [waiting])
    assert priced.amc_cents == 2795


def test_a_responsible_contract_leaves_the_majoration_outside_the_pathway() -> None:
    outside = billed(amo_rate="30%", pathway="outside", expense_cents=3150)
    (priced,) = shared([outside], [payer("TM:100")])
    assert (priced.amo_cents, priced.amc_cents, priced.patient_cents) == (945, 945, 1260)
    assert any("Hors du parcours de soins" in said for said in reasons(priced))
    (priced,) = shared([outside], [payer("TM:100", responsible=False)])
    assert (priced.amc_cents, priced.patient_cents) == (2205, 0)


def test_a_heavy_act_leaves_a_flat_share_that_contracts_pay() -> None:
    heavy = billed(amo_rate="100%", exemption="heavy_act", base_cents=20_000, expense_cents=20_000)
    (priced,) = shared([heavy], [payer("TM:100")])
    assert (priced.amo_cents, priced.amc_cents, priced.patient_cents) == (16_800, 3200, 0)
    assert "moins la participation forfaitaire de 32,00\u00a0€" in reasons(priced)[0]


def test_the_reasons_of_one_contract_are_those_of_a_quote() -> None:
    (priced,) = shared([billed()], [payer("BR_INCL:200")])
    split = compute(priceable(billed(), 0, BOOK), parse("BR_INCL:200"))
    assert reasons(priced) == because(split, priceable(billed(), 0, BOOK))


def test_without_a_contract_the_reasons_say_so() -> None:
    (priced,) = shared([billed()], [])
    assert priced.amc_cents == 0
    assert any("Aucune garantie" in said for said in reasons(priced))


LATER = DAY + timedelta(days=1)


def amended(book: RuleBook) -> RuleBook:
    """The same law, with another value for everything from the day after on."""
    changed = {"cents": 1, "rate": Fraction(1, 7), "count": 1, "months": 1, "years": 1, "days": 1, "working_days": 1}
    parameters = [
        replace(each, values=(*each.values, parameter.Dated(LATER, changed.get(each.unit, "other"), "loi de demain")))
        for each in book.parameters.values()
        if each.values[-1].since < LATER
    ]
    return RuleBook(parameters, book.acts.values())


@given(
    BILLED,
    st.sampled_from(["TM:100", "BR_INCL:150", "EUR_ACT:30/5Y", "FR:100<=EUR_INCL:60/24M"]),
    st.sampled_from([{}, {"exemption": Exemption.HEAVY_ACT}, {"pathway": Pathway.OUTSIDE}]),
)
def test_a_past_day_is_answered_alike_whatever_law_and_tables_come_later(
    one: Billed, guarantee: str, facts: dict[str, Any]
) -> None:
    asked = replace(one, **facts)
    now = payer(guarantee)
    tomorrow = replace(now.product.guarantees[0], guarantee="NONE", first_day=LATER)
    later = Payer(now.covered, replace(now.product, guarantees=(tomorrow, *now.product.guarantees)))
    (before,) = price(Domain.MED, [(asked, priceable(asked, 0, BOOK))], lambda _: [now], {})
    (after,) = price(Domain.MED, [(asked, priceable(asked, 0, amended(BOOK)))], lambda _: [later], {})
    assert after == before
    assert reasons(after) == reasons(before)
