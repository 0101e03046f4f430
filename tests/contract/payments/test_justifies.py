"""Which claims say that an insurer pays for somebody's care, and so justify a look-up: through runs and statements."""

from __future__ import annotations

import pytest
from till import DAY, House, entry, load_statement, practice, run_payments, statement

from ecluse.kernel.money import as_euros
from ecluse.payments.transfer import bank_reference
from tests.stores import now

PERSON, ANOTHER = b"p" * 16, b"q" * 16

# What happens to a claim of so many cents, the state that leaves it in, and whether it justifies.
LIVES = {
    "paid": (1000, "run book", "settled", True),
    "a cent": (1, "run book", "settled", True),
    "nothing": (0, "run book", "settled", False),
    "not ordered": (1000, "", "accepted", False),
    "not booked": (1000, "run", "ordered", False),
    "sent back": (1000, "run book return", "returned", False),
    "paid again": (1000, "run book return run book", "settled", True),
    "cancelled": (1000, "run book cancel", "cancelled", False),
    "cancelled, and its money taken back": (1000, "run book cancel more run book", "cancelled", False),
    "cancelled after it was sent back": (1000, "run book return cancel", "cancelled", False),
}


@pytest.mark.parametrize(("cents", "steps", "state", "justifies"), LIVES.values(), ids=LIVES)
def test_only_money_that_stays_justifies(hub: House, cents: int, steps: str, state: str, justifies: bool) -> None:
    claim = hub.accept(1, cents, person=PERSON)
    hub.accept(1, 500, person=ANOTHER)  # a claim of nothing travels with those of something
    for step in steps.split():
        live(hub, step, claim)
    assert hub.state(claim) == state
    settled = now(hub.stores.claims.settled(practice(1), since_ts_us=0))
    assert (PERSON in settled) == justifies
    assert now(hub.stores.claims.settled(practice(2), since_ts_us=0)) == set()
    called = hub.one("SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM call_line WHERE claim = ?", claim)[0]
    assert not justifies or called == cents, "whoever is justified, an insurer is called for"


def live(hub: House, step: str, claim: str) -> None:
    """One step: a run; the bank books, or sends back, the transfers it did not yet; the practice cancels, or sends more."""
    if step == "run":
        run_payments(hub.till, DAY)
    elif step == "cancel":
        hub.cancel(claim)
    elif step == "more":
        hub.accept(1, 5000)
    else:
        was, back = ("settled", {"credit": True, "reason": "AC04"}) if step == "return" else ("ordered", {})
        rows = hub.all("SELECT id, amount_cents FROM remittance WHERE state = ?", was)
        load_statement(hub.till, statement(*(entry(bank_reference(id_), as_euros(each), **back) for id_, each in rows)))
