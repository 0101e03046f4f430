"""A database restored to before a run: what its files say keeps claims from being paid twice, and enters it again."""

from __future__ import annotations

import dataclasses
import shutil

import pytest
from till import (
    DAY,
    OWN,
    PAYEE,
    House,
    enter_run,
    entry,
    load_statement,
    lost_runs,
    practice,
    run_payments,
    statement,
    write_again,
)

from ecluse.app.directory import put_payee
from ecluse.engines.files import Folder
from ecluse.kernel.errors import Refused
from ecluse.kernel.money import as_euros
from ecluse.payments.transfer import Payee, bank_reference
from tests.stores import now

RUN = "run_2026-11-23_1"


def ran(hub: House, older: House) -> None:
    """Two claims are paid in a run that the restored database does not know."""
    for each in (hub, older):
        each.accept(1, 1000)
        each.accept(2, 250, insurer=1)
    assert run_payments(hub.till, DAY).made == RUN


def keep_only(hub: House, *folders: str) -> None:
    for folder in {"payments", "remittances", "calls"} - set(folders):
        shutil.rmtree(hub.place / "out" / folder)


@pytest.mark.parametrize("left", ["payments", "remittances", "calls"])
def test_one_folder_is_enough_to_keep_claims_from_being_paid_twice(hub: House, older: House, left: str) -> None:
    ran(hub, older)
    keep_only(hub, left)
    assert lost_runs(older.payments, older.till.post) == [RUN]
    with pytest.raises(Refused, match=RUN) as refused:
        run_payments(older.till, DAY)
    assert refused.value.code == "run_lost"
    assert older.state("clm_00000000000000000001") == "accepted"
    assert lost_runs(hub.payments, hub.till.post) == []


def test_a_remittance_tells_its_run_beside_known_runs_of_that_day(hub: House, older: House) -> None:
    elsewhere = dataclasses.replace(older.till, post=Folder(older.place / "out"))
    for each, till in ((hub, hub.till), (older, elsewhere)):
        each.accept(1, 1000)
        run_payments(till, DAY)
    hub.clock.at = hub.clock.at.replace(hour=15)
    hub.accept(2, 250)
    run_payments(hub.till, DAY)
    keep_only(hub, "remittances")
    assert lost_runs(older.payments, older.till.post) == ["run_2026-11-23_2"]


def test_a_remittance_that_does_not_read_tells_its_day(hub: House, older: House) -> None:
    ran(hub, older)
    keep_only(hub, "remittances")
    for file in (hub.place / "out" / "remittances").rglob("*.json"):
        file.write_bytes(b"{")
    assert lost_runs(older.payments, older.till.post) == ["run_2026-11-23_?"]
    assert lost_runs(hub.payments, hub.till.post) == [], "files of runs that are known are not opened"


def test_what_is_cancelled_before_a_lost_run_is_entered_is_for_a_later_run(hub: House, older: House) -> None:
    """A claim of an earlier run, and one that the lost run paid: neither keeps the run from coming out the same."""
    elsewhere = dataclasses.replace(older.till, post=Folder(older.place / "out"))
    for each, till in ((hub, hub.till), (older, elsewhere)):
        earlier = each.accept(1, 1000)
        run_payments(till, DAY)
        lost = each.accept(2, 250)
    hub.clock.at = hub.clock.at.replace(hour=15)
    hub.accept(3, 30, insurer=1)
    assert older.accept(3, 30, insurer=1)
    run = run_payments(hub.till, DAY).made
    older.cancel(earlier)
    older.cancel(lost)
    assert enter_run(older.till, run).entered
    assert older.all("SELECT id, amount_cents FROM remittance ORDER BY id") == hub.all(
        "SELECT id, amount_cents FROM remittance ORDER BY id"
    )
    assert (older.state(earlier), older.state(lost)) == ("cancelled", "cancelled")
    later = [(place, older.accept(place, 5000)) for place in (1, 2)]
    assert run_payments(older.till, DAY).summary.ordered_cents == 10_000 - 1250
    assert {older.state(claim) for _, claim in later} == {"ordered"}
    called = older.all("SELECT claim, CAST(sum(amount_cents) AS BIGINT) FROM call_line GROUP BY claim ORDER BY claim")
    assert dict(called) == {earlier: 0, lost: 0, "clm_00000000000000000003": 30} | {claim: 5000 for _, claim in later}
    assert older.balances()[f"practice:{practice(2)}"] == 0
    moves = older.all("SELECT move, state FROM claim_move WHERE claim = ? ORDER BY n", lost)
    assert moves == [("order", "ordered"), ("cancel", "cancelled")]


def test_a_cancellation_that_its_calls_tell_of_is_asked_for_first(hub: House, older: House) -> None:
    elsewhere = dataclasses.replace(older.till, post=Folder(older.place / "out"))
    for each, till in ((hub, hub.till), (older, elsewhere)):
        earlier = each.accept(1, 100)
        run_payments(till, DAY)
        each.accept(2, 250)
    hub.clock.at = hub.clock.at.replace(hour=15)
    hub.cancel(earlier)  # its practice is due nothing: no remittance tells of it, only the call
    run = run_payments(hub.till, DAY).made
    with pytest.raises(Refused, match=f"1 of {practice(1)}") as refused:
        enter_run(older.till, run)
    assert refused.value.code == "run_lines_missing"
    older.cancel(earlier)
    assert enter_run(older.till, run).entered


def test_a_run_paid_to_another_account_is_entered_once_that_is_confirmed_again(hub: House, older: House) -> None:
    told = Payee("Cabinet n° 1", OWN, "")
    now(put_payee(hub.keys, hub.directory, practice(1), told))
    ran(hub, older)
    given = hub.files()
    with pytest.raises(Refused, match=practice(1)) as refused:
        enter_run(older.till, RUN)
    assert (refused.value.code, PAYEE in str(refused.value), OWN in str(refused.value)) == ("run_differs", False, False)
    assert older.all("SELECT id FROM pay_run") == []
    now(put_payee(older.keys, older.directory, practice(1), told))
    assert enter_run(older.till, RUN).entered
    write_again(older.till, RUN)
    assert hub.files() == given


def test_a_statement_read_before_its_run_is_entered_counts_when_it_is_read_again(hub: House, older: House) -> None:
    ran(hub, older)
    (first, cents), *_ = hub.all("SELECT id, amount_cents FROM remittance ORDER BY practice")
    data = statement(entry(bank_reference(first), as_euros(cents)), entry(euros="1.00"))
    assert load_statement(older.till, data).counts == {"unmatched": 2}
    enter_run(older.till, RUN)
    then = load_statement(older.till, data)
    assert (then.read_before, then.counts) == (False, {"settled": 1, "unmatched": 1})
    assert older.state("clm_00000000000000000001") == "settled"
    again = load_statement(older.till, data)
    assert (again.read_before, again.counts) == (True, {"known": 1, "unmatched": 1})
    assert older.balances()["bank"] == -cents


def test_a_run_is_entered_once_the_bank_gives_its_files_back(hub: House, older: House) -> None:
    ran(hub, older)
    shutil.move(hub.place / "out" / "payments", hub.place / "taken")
    with pytest.raises(Refused, match="payments") as refused:
        enter_run(older.till, RUN)
    assert refused.value.code == "run_files_missing"
    shutil.move(hub.place / "taken", hub.place / "out" / "payments")
    assert enter_run(older.till, RUN).entered
    assert run_payments(older.till, DAY).made is None
    assert {older.state(f"clm_{n:020d}") for n in (1, 2)} == {"ordered"}
