"""The pure decisions: for every input, nothing is lost and nothing is paid twice."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.days import add_working_days
from ecluse.payments.ledger import Because, Entry, Posting
from ecluse.payments.settle import Balance, Decision, banking_day, collection_day, decide, pack
from ecluse.payments.transfer import bank_reference, made_id, reference_in
from ecluse.rules.book import open_book


@given(st.lists(st.integers(-500, 1000), min_size=1, max_size=30))
def test_packed_transfers_hold_every_line_within_the_limit(lines: list[int]) -> None:
    if sum(lines) <= 1000:
        lines = [*lines, 1000, *([1000] * (-sum(lines) // 1000 + 2))]
    parts = pack(lines, 1000)
    sums = [sum(cents for cents, at in zip(lines, parts, strict=True) if at == part) for part in range(max(parts) + 1)]
    assert all(0 < cents <= 1000 for cents in sums)
    assert sum(sums) == sum(lines)


@pytest.mark.parametrize(
    ("net_cents", "payable", "decision"),
    [(1, True, "pay"), (0, True, "wait"), (-1, True, "wait"), (1, False, "hold"), (0, False, "wait"),
     (99_999_999_999, True, "pay"), (100_000_000_000, True, "split"), (100_000_000_000, False, "hold")],
)  # fmt: skip
def test_decisions(net_cents: int, payable: bool, decision: str) -> None:
    assert decide(Balance("", 1, net_cents, payable)) is Decision(decision)


@pytest.mark.parametrize(
    ("received_on", "last"),
    [("2026-11-23", "2026-12-02"), ("2026-11-20", "2026-12-01"), ("2026-12-21", "2026-12-31"), ("2026-04-30", "2026-05-13")],
)  # fmt: skip
def test_seven_working_days(received_on: str, last: str) -> None:
    day = date.fromisoformat(received_on)
    delay = open_book().on(day, "payment_terms/amc_flux")
    assert add_working_days(day, delay.count) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("day", "banking", "collected"),
    [("2026-11-23", "2026-11-23", "2026-11-24"), ("2026-11-27", "2026-11-27", "2026-11-30"),
     ("2026-11-28", "2026-11-30", "2026-12-01"), ("2026-04-03", "2026-04-07", "2026-04-08"),  # Good Friday, Easter Monday
     ("2026-07-14", "2026-07-14", "2026-07-15")],  # banks work on the national day
)  # fmt: skip
def test_banking_days(day: str, banking: str, collected: str) -> None:
    settled = banking_day(date.fromisoformat(day))
    assert (settled.isoformat(), collection_day(settled).isoformat()) == (banking, collected)


@given(st.sampled_from(["rem", "cff"]), st.integers(0, 2**55), st.text(max_size=20), st.sampled_from("_- "))
def test_references_come_back_however_typed(prefix: str, at_ts_us: int, about: str, separator: str) -> None:
    id_ = made_id(prefix, "run", at_ts_us, about)
    assert reference_in(bank_reference(id_)) == id_
    assert reference_in(f"virt {id_.replace('_', separator).lower()}, merci") == id_


def test_an_entry_that_does_not_sum_to_zero_cannot_be_made() -> None:
    with pytest.raises(AssertionError):
        Entry(Because.SETTLED, "", (Posting("bank", 1),))
