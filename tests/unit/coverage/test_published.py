"""The cases insurers, comparators and public services have published, each computed from its own figures."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ecluse.coverage.compute import compute
from ecluse.coverage.line import read_line
from ecluse.coverage.notation import parse
from ecluse.kernel.money import euros, rate, share_cents

PUBLISHED = Path(__file__).parents[2] / "cases" / "coverage" / "published.csv"


def rows(*kinds: str) -> list[pytest.param]:
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["kind"] in kinds]
    assert found, f"no published case of kind {kinds}"
    return [pytest.param(row, id=row["id"]) for row in found]


def rate_of(row: dict[str, str]) -> str:
    return f"{row['amo_rate_pct']}%"


@pytest.mark.parametrize("row", rows("full_stated", "full_derived"))
def test_a_complete_case_reconciles_to_the_cent(row: dict[str, str]) -> None:
    line = read_line(
        euros(row["expense"]), euros(row["brss"]), rate_of(row), participation_cents=euros(row["pf_or_franchise"])
    )
    split = compute(line, parse(row["guarantee_code"]))
    assert split.amo_cents == euros(row["amo_gross"])
    assert split.amc_cents == euros(row["amc"])
    assert split.amo_cents - split.participation_cents == euros(row["amo_net"])
    assert split.patient_cents + split.participation_cents == euros(row["remaining"])


@pytest.mark.parametrize("row", rows("amc_level"))
@pytest.mark.parametrize("expense_cents", [85_000, 170_000])
def test_a_level_is_paid_whatever_the_expense(row: dict[str, str], expense_cents: int) -> None:
    split = compute(read_line(expense_cents, euros(row["brss"]), rate_of(row)), parse(row["guarantee_code"]))
    assert split.amo_cents == euros(row["amo_gross"])
    assert split.amc_cents == euros(row["amc"])


@pytest.mark.parametrize("row", rows("amo_only"))
def test_the_obligatory_part_rounds_half_up(row: dict[str, str]) -> None:
    amo_gross = share_cents(euros(row["brss"]), rate(rate_of(row)))
    assert amo_gross == euros(row["amo_gross"])
    assert amo_gross - euros(row["pf_or_franchise"]) == euros(row["amo_net"])


def test_every_published_row_is_of_a_kind_that_is_tested() -> None:
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        kinds = {row["kind"] for row in csv.DictReader(file)}
    assert kinds == {"full_stated", "full_derived", "amc_level", "amo_only"}
