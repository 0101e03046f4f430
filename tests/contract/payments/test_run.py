"""Payment runs, seen from the tables and files they leave."""

from __future__ import annotations

import csv
import dataclasses
import errno
import io
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree
from till import (
    DAY,
    INSURERS,
    House,
    entry,
    house,
    load_statement,
    practice,
    run_payments,
    show,
    statement,
    taken,
    write_again,
)

from ecluse.app.payments import PAYMENT_UNKNOWN
from ecluse.journal.entry import Entry, Operation
from ecluse.kernel.errors import Refused
from ecluse.kernel.money import as_euros, euros
from ecluse.payments.remittance import as_text
from ecluse.payments.transfer import bank_reference
from tests.stores import now


def remittances(hub: House) -> list[tuple]:
    return hub.all("SELECT id, practice, amount_cents, state FROM remittance ORDER BY run, practice")


def texts(document: bytes, tag: str) -> list[str]:
    return [one.text for one in etree.fromstring(document).iter(f"{{*}}{tag}")]


def bank_file(hub: House, ending: str) -> bytes:
    (found,) = [content for name, content in hub.files().items() if name.endswith(ending)]
    return found


def test_one_transfer_is_one_remittance_and_everything_adds_up(hub: House) -> None:
    first = [hub.accept(1, 2795), hub.accept(1, 105, insurer=1), hub.accept(2, 1)]
    report = run_payments(hub.till, DAY)
    assert (report.made, report.summary.transfers, report.summary.ordered_cents) == ("run_2026-11-23_1", 2, 2901)
    assert report.summary.called_cents == 2901
    assert {hub.state(claim) for claim in first} == {"ordered"}
    document = bank_file(hub, ".pain.001.xml")
    assert texts(document, "InstdAmt") == [as_euros(row[2]) for row in sorted(remittances(hub))]
    assert texts(document, "EndToEndId") == [bank_reference(row[0]) for row in sorted(remittances(hub))]
    assert texts(document, "CtrlSum") == ["29.01", "29.01"]
    assert texts(document, "NbOfTxs") == ["2", "2"]
    for id_, _, cents, _ in remittances(hub):
        told = json.loads(hub.files()[f"remittances/{DAY}/{id_}.json"])
        assert sum(line["amount_cents"] for line in told["lines"]) == told["total_cents"] == cents
    assert hub.balances() == {
        f"insurer:{INSURERS[0]}": 2796, f"insurer:{INSURERS[1]}": 105, f"practice:{practice(1)}": 0,
        f"practice:{practice(2)}": 0, "transit": -2901,
    }  # fmt: skip


def test_calls_add_up_with_their_claims_and_those_with_a_mandate_are_collected(hub: House) -> None:
    hub.accept(1, 1000)
    hub.accept(2, 500, insurer=1)
    run_payments(hub.till, DAY)
    calls = dict(hub.all("SELECT insurer, id FROM call_for_funds"))
    for insurer, cents in zip(INSURERS, (1000, 500), strict=True):
        rows = list(csv.DictReader(io.StringIO(hub.files()[f"calls/{DAY}/{calls[insurer]}.csv"].decode())))
        assert sum(euros(row["amount"]) for row in rows) == cents
        assert bank_reference(calls[insurer]) in hub.files()[f"calls/{DAY}/{calls[insurer]}.html"].decode()
    collected = bank_file(hub, ".pain.008.xml")
    assert texts(collected, "EndToEndId") == [bank_reference(calls[INSURERS[0]])]
    assert texts(collected, "ReqdColltnDt") == ["2026-11-24"]
    assert texts(collected, "MndtId") == ["M-1"]


def test_twice_does_nothing_new_and_leaves_the_files(hub: House) -> None:
    hub.accept(1, 100)
    first = run_payments(hub.till, DAY)
    before = hub.files()
    again = run_payments(hub.till, DAY)
    assert (again.made, again.runs, again.files) == (None, first.runs, first.files)
    assert hub.files() == before
    write_again(hub.till, "run_2026-11-23_1")
    assert hub.files() == before


def test_files_made_again_are_those_of_the_run_even_when_details_changed(hub: House) -> None:
    hub.accept(1, 100)
    run_payments(hub.till, DAY)
    before = hub.files()
    hub.change("UPDATE practice SET payee = ?", b"\x00")
    hub.change("UPDATE pay_run SET state = 'ordered'")
    assert run_payments(hub.till, DAY).finished == ("run_2026-11-23_1",)
    assert hub.files() == before


def test_a_file_that_the_bank_may_have_taken_does_not_come_back(hub: House) -> None:
    """Killed between the bank's files and the mark: where they are all there it lacks; where one was taken, a person looks."""
    hub.accept(1, 100)
    run_payments(hub.till, DAY)
    before = hub.files()
    killed = "UPDATE pay_run SET state = 'publishing' WHERE id = 'run_2026-11-23_1'"
    hub.change(killed)
    report = run_payments(hub.till, DAY)
    assert (report.finished, report.unsure, hub.files()) == (("run_2026-11-23_1",), (), before)
    for ends in (write_again, taken):
        hub.change(killed)
        (sent,) = (hub.place / "out").rglob("*.pain.001.xml")
        sent.unlink()
        hub.accept(2, 100)
        report = run_payments(hub.till, DAY)
        assert (report.finished, report.unsure, report.made is not None) == ((), ("run_2026-11-23_1",), True)
        assert not sent.exists()
        ends(hub.till, "run_2026-11-23_1")
        assert sent.exists() == (ends is write_again)
        assert run_payments(hub.till, DAY).unsure == ()
        for other in (hub.place / "out").rglob("*.pain.001.xml"):
            if other != sent:
                other.unlink()


def test_of_two_that_finish_a_run_one_gives_it_to_the_bank(hub: House) -> None:
    hub.accept(1, 100)
    run_payments(hub.till, DAY)
    hub.change("UPDATE pay_run SET state = 'ordered'")
    assert [now(hub.payments.publishing("run_2026-11-23_1")) for _ in range(2)] == [True, False]
    now(hub.payments.written("run_2026-11-23_1"))
    assert not now(hub.payments.publishing("run_2026-11-23_1"))


def test_what_another_machine_gives_to_the_bank_is_not_given_twice(hub: House) -> None:
    """It said so while ours were written: they stay unseen, and whether the bank has the others is for people to ask."""
    hub.accept(1, 100)

    async def another(ordered: Entry) -> None:
        assert await hub.payments.publishing(ordered.request)

    run_payments(dataclasses.replace(hub.till, record=another), DAY)
    assert bank_files_of(hub) == []
    assert run_payments(hub.till, DAY).unsure == ("run_2026-11-23_1",)
    assert bank_files_of(hub) == []


def test_two_that_write_in_one_folder_do_not_take_each_others_files(hub: House) -> None:
    """The second is told so at once, and nothing is ordered; files it had begun were once renamed under the first."""
    hub.accept(1, 100)
    for writes in (lambda: run_payments(hub.till, DAY), lambda: write_again(hub.till, "run_2026-11-23_1")):
        before = hub.files(), hub.balances()
        with hub.till.post.turn(), pytest.raises(Refused, match="payments_busy"):
            writes()
        assert (hub.files(), hub.balances()) == before
        writes()


def test_without_room_for_its_files_a_run_is_finished_by_the_next(hub: House, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.accept(1, 100)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            run_payments(hub.till, DAY)
    assert bank_files_of(hub) == []
    report = run_payments(hub.till, DAY)
    assert (report.made, report.finished) == (None, ("run_2026-11-23_1",))
    assert len(bank_files_of(hub)) == 2


def bank_files_of(hub: House) -> list[str]:
    return [name for name in hub.files() if name.endswith(".xml")]


def test_the_journal_is_told_before_the_bank(hub: House) -> None:
    """What it cannot be told the bank is not given; a run that was broken off is told again, written files are not."""
    hub.accept(1, 100)
    hub.accept(2, 250)

    async def full(_: object) -> None:
        raise PAYMENT_UNKNOWN("whatever the journal refuses")

    with pytest.raises(Refused):
        run_payments(dataclasses.replace(hub.till, record=full), DAY)
    assert bank_files_of(hub) == []
    run_payments(hub.till, DAY)
    write_again(hub.till, "run_2026-11-23_1")
    told = [(each.operation, each.request, each.outcome) for each in hub.told]
    assert told == [(Operation.RUN_ORDERED, "run_2026-11-23_1", "2 transfers, 350 cents")]


def test_two_twins_write_the_same_bytes(tmp_path: Path) -> None:
    told = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        with house(tmp_path / name) as made:
            made.know(1, 2)
            made.know_insurers()
            made.accept(1, 100)
            made.accept(2, 300, insurer=1)
            run_payments(made.till, DAY)
            told.append(made.files())
    assert told[0] == told[1]


def test_what_cannot_be_paid_waits_and_is_told(hub: House) -> None:
    later = hub.accept(1, 100, on=DAY + timedelta(days=1))
    held = hub.accept(4, 250)
    report = run_payments(hub.till, DAY)
    assert (report.made, report.summary.held_practices, report.summary.held_cents) == (None, 1, 250)
    assert report.summary.held[0].practice == practice(4)
    assert (hub.state(later), hub.state(held)) == ("accepted", "accepted")
    hub.know(4)
    assert run_payments(hub.till, DAY).summary.ordered_cents == 250


def test_a_cancelled_claim_is_recovered_once_and_a_practice_that_owes_waits(hub: House) -> None:
    paid = hub.accept(1, 1000)
    run_payments(hub.till, DAY)
    hub.cancel(paid)
    hub.accept(1, 400)
    report = run_payments(hub.till, DAY)
    assert (report.made, report.summary.waiting_practices, report.summary.waiting[0].net_cents) == (None, 1, -600)
    hub.accept(1, 700)
    report = run_payments(hub.till, DAY)
    assert report.summary.ordered_cents == 100
    lines = hub.all("SELECT kind, amount_cents FROM remittance_line WHERE remittance IN (SELECT id FROM remittance WHERE run = ?)", report.made)  # fmt: skip  # noqa: E501
    assert sorted(lines) == [("payment", 400), ("payment", 700), ("recovery", -1000)]
    assert report.summary.called_cents == 100
    hub.accept(1, 50)
    assert run_payments(hub.till, DAY).summary.ordered_cents == 50


def test_a_returned_transfer_is_paid_again_and_its_insurer_is_not_called_twice(hub: House) -> None:
    claim = hub.accept(1, 1000)
    run_payments(hub.till, DAY)
    ((first, *_),) = remittances(hub)
    load_statement(hub.till, statement(entry(bank_reference(first), "10.00")))
    assert hub.state(claim) == "settled"
    reading = load_statement(hub.till, statement(entry(bank_reference(first), "10.00", credit=True, reason="AC04", on="2026-11-26")))  # fmt: skip  # noqa: E501
    assert reading.counts == {"returned": 1}
    assert hub.state(claim) == "returned"
    assert show(hub.till, first).why == "AC04"
    assert hub.balances()[f"practice:{practice(1)}"] == -1000
    report = run_payments(hub.till, DAY)
    assert (report.summary.ordered_cents, report.summary.calls) == (1000, 0)
    assert [row[1] for row in hub.all("SELECT n, move FROM claim_move WHERE claim = ? ORDER BY n", claim)] == ["order", "settle", "return", "order"]  # fmt: skip  # noqa: E501


def test_late_claims_are_counted(hub: House) -> None:
    hub.accept(1, 100, pay_by="2026-11-20")
    summary = run_payments(hub.till, DAY).summary
    assert (summary.late, str(summary.late_since)) == (1, "2026-11-20")


def test_a_practice_due_more_than_a_transfer_holds_gets_several(hub: House) -> None:
    hub.accept(1, 60_000_000_000)
    hub.accept(1, 60_000_000_000)
    report = run_payments(hub.till, DAY)
    assert [row[2] for row in remittances(hub)] == [60_000_000_000, 60_000_000_000]
    assert report.summary.transfers == 2


def test_a_run_far_ahead_is_refused(hub: House) -> None:
    with pytest.raises(Refused, match="run_day_invalid"):
        run_payments(hub.till, DAY + timedelta(days=40))


def test_show_reads_ids_as_banks_write_them(hub: House) -> None:
    hub.accept(1, 123456)
    report = run_payments(hub.till, DAY)
    ((id_, *_),) = remittances(hub)
    assert "1\u202f234,56\u00a0€" in as_text(show(hub.till, bank_reference(id_).lower()))
    assert show(hub.till, bank_reference(report.made)).id == report.made
    for wrong in ("rem_nothing", "run_", "x", ""):
        with pytest.raises(Refused, match="payment_unknown"):
            show(hub.till, wrong)
