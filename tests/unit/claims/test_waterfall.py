"""The bars of a line: they add up to what is left, never go below it, and say all that is said."""

from __future__ import annotations

from datetime import date
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.claims.claim import Billed, Priced
from ecluse.claims.price import reasons, turns
from ecluse.coverage.compute import compute
from ecluse.coverage.line import read_line
from ecluse.coverage.notation import parse
from ecluse.coverage.waterfall import BarKind, Turn, Waterfall, waterfall
from tests.unit.claims.test_price import BILLED, COUNTED, PLAIN, billed, payer, shared

STATED = st.builds(
    replace,
    BILLED,
    amo_rate=st.sampled_from(["0%", "30%", "70%", "100%"]),
    pathway=st.sampled_from([None, "outside"]),
    exemption=st.sampled_from([None, "heavy_act"]),
)
PAYERS = st.lists(
    st.builds(payer, PLAIN | st.sampled_from(sorted(COUNTED)), st.just("C"), st.none(), st.booleans()), max_size=4
)


def drawn(priced: Priced) -> Waterfall:
    return waterfall(turns(priced))


@given(STATED, PAYERS)
def test_the_bars_add_up_to_what_is_left(one: Billed, payers: list) -> None:  # type: ignore[type-arg]
    (priced,) = shared([one], payers)
    shown = drawn(priced)
    *before, left = (bar.cents for bar in shown.bars)
    assert sum(before) == left == priced.patient_cents
    assert all(0 <= each <= one.expense_cents for each in accumulate(before))
    assert [bar.cents for bar in shown.bars[2:-1]] == ([-each.amc_cents for each in priced.paid] or [0])
    assert all(bar.rule and bar.article for bar in (*shown.bars, *shown.asides))


@given(STATED, PAYERS)
def test_the_bars_say_what_the_reasons_say(one: Billed, payers: list) -> None:  # type: ignore[type-arg]
    (priced,) = shared([one], payers)
    shown = drawn(priced)
    said = [sentence for bar in (*shown.bars, *shown.asides) for sentence in bar.said]
    assert sorted(said) == sorted(reasons(priced))
    assert all(bar.said for bar in shown.bars[1:])


def test_a_majoration_stands_aside_and_inside_the_rest() -> None:
    outside = billed(amo_rate="30%", pathway="outside", expense_cents=3150)
    (priced,) = shared([outside], [payer("TM:100", "A"), payer("EUR:5", "B")])
    shown = drawn(priced)
    assert [bar.cents for bar in shown.bars] == [3150, -945, -945, 0, 1260]
    assert [(bar.kind, bar.cents) for bar in shown.asides] == [(BarKind.MAJORATION, 1260)]


def test_a_participation_stands_aside_and_changes_nothing_at_the_counter() -> None:
    line = read_line(5000, 3150, "70%", participation_cents=200)
    guarantee = parse("BR_INCL:150")
    shown = waterfall([Turn(line, guarantee, compute(line, guarantee))])
    assert [bar.cents for bar in shown.bars] == [5000, -2205, -2520, 275]
    assert [(bar.kind, bar.cents) for bar in shown.asides] == [(BarKind.PARTICIPATION, 200)]
    assert shown.bars[2].rule.replace("\u00a0", " ") == "jusqu'à 150 % de la base, Assurance maladie comprise"


def test_what_waits_is_said_by_its_contract() -> None:
    waiting = payer("BR_INCL:200", since=date(2026, 7, 1), more=", waiting_months: 6")
    (priced,) = shared([billed()], [payer("TM:100"), waiting])
    second = drawn(priced).bars[3]
    assert (second.label, second.cents, second.rule) == ("Votre deuxième contrat", 0, "rien pour cette ligne")
    assert second.said[0].startswith("La garantie «\u00a0G\u00a0» ne s'ouvre que le")
