"""Several contracts on one line: who is asked first pays first, and nobody pays twice."""

from __future__ import annotations

from ecluse.coverage.compute import compute_contracts
from ecluse.coverage.line import Used, read_line
from ecluse.coverage.notation import parse

LINE = read_line(60_00, 30_00, "70%", participation_cents=2_00)
BASIC, BETTER = parse("TM:100"), parse("BR_INCL:200")


def test_the_second_pays_on_what_the_first_left() -> None:
    joint = compute_contracts(LINE, [("employer", BASIC, {}), ("own", BETTER, {})])
    assert [share.split.amc_cents for share in joint.shares] == [9_00, 30_00]
    assert (joint.amo_cents, joint.amc_cents, joint.patient_cents, joint.participation_cents) == (21_00, 39_00, 0, 2_00)


def test_the_order_decides_who_pays() -> None:
    joint = compute_contracts(LINE, [("own", BETTER, {}), ("employer", BASIC, {})])
    assert [(share.contract, share.split.amc_cents) for share in joint.shares] == [("own", 39_00), ("employer", 0)]


def test_each_contract_keeps_its_own_count() -> None:
    acts = parse("EUR_ACT:20/2Y")
    joint = compute_contracts(
        read_line(60_00, 0, "0%"), [("a", acts, {"Y": Used(acts=2)}), ("b", acts, {"Y": Used(acts=1)})]
    )
    assert [share.split.consumed for share in joint.shares] == [{}, {"Y": Used(acts=1)}]
    assert joint.patient_cents == 40_00


def test_a_contract_that_pays_nothing_uses_nothing() -> None:
    joint = compute_contracts(LINE, [("a", parse("BR_INCL:200"), {}), ("b", parse("EUR_ACT:20/2Y"), {})])
    assert joint.shares[1].split.consumed == {}


def test_no_contract_leaves_the_rest_to_the_patient() -> None:
    joint = compute_contracts(LINE, [])
    assert (joint.amo_cents, joint.amc_cents, joint.patient_cents) == (21_00, 0, 39_00)
