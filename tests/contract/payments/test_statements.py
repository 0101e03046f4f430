"""Bank statements read back: what each line may change, and that no line is dropped."""

from __future__ import annotations

import pytest
from till import DAY, INSURERS, House, entry, load_statement, practice, run_payments, statement

from ecluse.kernel.errors import Refused
from ecluse.payments.transfer import bank_reference


@pytest.fixture
def paid(hub: House) -> tuple[House, str, str]:
    """One transfer of 10.00 ordered, one call of 10.00 made: the hub, and the bank's words for both."""
    hub.accept(1, 1000)
    run_payments(hub.till, DAY)
    (remittance,), (call,) = hub.one("SELECT id FROM remittance"), hub.one("SELECT id FROM call_for_funds")
    return hub, bank_reference(remittance), bank_reference(call)


def states(hub: House) -> tuple[str, str]:
    return hub.one("SELECT r.state, c.state FROM remittance r, call_for_funds c")


# what the bank says (reference R or C, amount, more) → verdict, state of the remittance and of the call after it
LINES = {
    "booked": ({"reference": "R", "euros": "10.00"}, "settled", ("settled", "called")),
    "booked, five decimals": ({"reference": "R", "euros": "10.00000"}, "settled", ("settled", "called")),
    "booked, in capitals": ({"reference": "R", "euros": "10", "text": "R"}, "settled", ("settled", "called")),
    "returned": ({"reference": "R", "euros": "10.00", "credit": True, "reason": "AC01"}, "returned", ("returned", "called")),
    "returned without a reason": ({"reference": "R", "euros": "10.00", "credit": True}, "returned", ("returned", "called")),
    "returned less charges": ({"reference": "R", "euros": "9.50", "credit": True, "reason": "AC01"}, "different", ("ordered", "called")),  # noqa: E501
    "another amount": ({"reference": "R", "euros": "10.01"}, "different", ("ordered", "called")),
    "pending": ({"reference": "R", "euros": "10.00", "status": "PDNG"}, "pending", ("ordered", "called")),
    "in dollars": ({"reference": "R", "euros": "10.00", "currency": "USD"}, "unmatched", ("ordered", "called")),
    "funded, in free text": ({"euros": "10.00", "credit": True, "text": "APPEL C MERCI"}, "funded", ("ordered", "funded")),
    "funded, direct debit": ({"reference": "C", "euros": "10.00", "credit": True}, "funded", ("ordered", "funded")),
    "funded in part": ({"reference": "C", "euros": "4.00", "credit": True}, "different", ("ordered", "called")),
    "direct debit never seen": ({"reference": "C", "euros": "10.00", "reason": "MD01"}, "different", ("ordered", "called")),
    "a practice quotes its remittance": ({"euros": "10.00", "credit": True, "text": "R"}, "unmatched", ("ordered", "called")),
    "two references": ({"euros": "10.00", "credit": True, "text": "R C"}, "unmatched", ("ordered", "called")),
    "fees": ({"euros": "3.20", "text": "FRAIS"}, "unmatched", ("ordered", "called")),
    "unknown id": ({"reference": "rem-00000000000000000000", "euros": "1.00"}, "unmatched", ("ordered", "called")),
}  # fmt: skip


def said(line: dict, remittance: str, call: str, version: str) -> str:
    words = {"R": remittance, "C": call, "APPEL C MERCI": f"APPEL {call.upper()} MERCI", "R C": f"{remittance} {call}"}
    return entry(**{name: words.get(value, value) for name, value in line.items()}, version=version)


@pytest.mark.parametrize(("version", "message"), [("02", "053"), ("08", "053"), ("02", "054"), ("08", "054")])
@pytest.mark.parametrize("name", LINES)
def test_each_line_has_its_verdict(paid: tuple[House, str, str], name: str, version: str, message: str) -> None:
    hub, remittance, call = paid
    line, verdict, after = LINES[name]
    reading = load_statement(
        hub.till, statement(said(line, remittance, call, version), version=version, message=message)
    )
    assert reading.counts == {verdict: 1}
    assert len(reading.listed) == (verdict in {"different", "pending", "unmatched"})
    assert states(hub) == after
    assert sum(hub.balances().values()) == 0


def test_the_same_file_twice_changes_nothing(paid: tuple[House, str, str]) -> None:
    hub, remittance, call = paid
    data = statement(entry(remittance, "10.00"), entry(call, "10.00", credit=True), entry(euros="1.00"))
    first = load_statement(hub.till, data)
    before = hub.all("SELECT * FROM posting")
    again = load_statement(hub.till, data)
    assert (first.read_before, again.read_before, again.counts) == (False, True, first.counts)
    assert hub.all("SELECT * FROM posting") == before
    assert hub.balances() == {"bank": 0, f"insurer:{INSURERS[0]}": 0, f"practice:{practice(1)}": 0, "transit": 0}


def test_a_notice_then_its_statement_book_once_and_a_second_payment_is_told(paid: tuple[House, str, str]) -> None:
    hub, _, call = paid
    line = entry(call, "10.00", credit=True)
    load_statement(hub.till, statement(line, message="054"))
    assert load_statement(hub.till, statement(line)).counts == {"known": 1}
    other_day = entry(call, "10.00", credit=True, on="2026-11-27")
    assert load_statement(hub.till, statement(other_day)).counts == {"different": 1}
    assert hub.balances()["bank"] == 1000


def test_what_one_file_tells_twice_the_bank_did_twice(paid: tuple[House, str, str]) -> None:
    hub, remittance, call = paid
    left, back = entry(remittance, "10.00"), entry(remittance, "10.00", credit=True, reason="AC04")
    came = entry(call, "10.00", credit=True)
    first = load_statement(hub.till, statement(left, back, left, came, back, came))
    assert first.counts == {"settled": 1, "returned": 1, "funded": 1, "different": 3}
    again = load_statement(hub.till, statement(left, left, left, message="054"))
    assert again.counts == {"known": 1, "different": 2}


@pytest.mark.parametrize("backwards", [False, True])
def test_order_of_lines_does_not_matter(paid: tuple[House, str, str], backwards: bool) -> None:
    hub, remittance, _ = paid
    lines = [entry(remittance, "10.00"), entry(remittance, "10.00", credit=True, reason="AC04")]
    load_statement(hub.till, statement(*(reversed(lines) if backwards else lines)))
    assert states(hub)[0] == "returned"
    assert hub.balances()["transit"] == 0
    assert hub.balances()["bank"] == 0
    assert hub.balances()[f"practice:{practice(1)}"] == -1000


def test_a_direct_debit_taken_back_is_owed_again_until_paid(paid: tuple[House, str, str]) -> None:
    hub, _, call = paid
    load_statement(hub.till, statement(entry(call, "10.00", credit=True)))
    reading = load_statement(hub.till, statement(entry(call, "10.00", reason="AM04", on="2026-11-27")))
    assert (reading.counts, states(hub)[1]) == ({"unfunded": 1}, "returned")
    assert hub.balances()[f"insurer:{INSURERS[0]}"] == 1000
    load_statement(hub.till, statement(entry(euros="10.00", credit=True, text=call, on="2026-11-30")))
    assert (states(hub)[1], hub.balances()[f"insurer:{INSURERS[0]}"]) == ("funded", 0)


def test_the_statement_of_another_account_is_refused(paid: tuple[House, str, str]) -> None:
    hub, remittance, _ = paid
    with pytest.raises(Refused, match="statement_of_another_account"):
        load_statement(hub.till, statement(entry(remittance, "10.00"), iban="FR1420041010050500013M02606"))
    assert states(hub) == ("ordered", "called")
