"""Any history of claims, cancellations, runs, statements and returns: the ledger, the tables and the files still agree."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from till import DAY, entry, house, load_statement, run_payments, statement

from ecluse.kernel.money import as_euros
from ecluse.payments.transfer import bank_reference
from tests.conftest import Fresh

CENTS = st.integers(0, 5000)
DRAWN = st.integers(0, 10**6)


class Histories(RuleBasedStateMachine):
    def __init__(self, fresh_store: Fresh) -> None:
        super().__init__()
        warnings.simplefilter("ignore")
        self.open = contextlib.ExitStack()
        place = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.hub = self.open.enter_context(house(place, self.open.enter_context(fresh_store())))
        self.hub.know(0, 1)
        self.hub.know_insurers()
        self.days = 0

    def teardown(self) -> None:
        for place in range(3):
            self.hub.accept(place, 1_000_000)  # enough to cover every recovery
        self.hub.know(2)
        run_payments(self.hub.till, DAY)
        self.everything_agrees()
        owed = self.hub.one("SELECT sum(amc_cents) FROM claim WHERE state <> 'cancelled'")[0]
        assert self.live() == owed, "every claim is paid once, no cancelled one is"
        called = self.hub.one("SELECT sum(amount_cents) FROM call_line")[0]
        assert called == owed, "every claim is called for once, no cancelled one is"
        assert self.hub.one("SELECT count(*) FROM claim WHERE state IN ('accepted', 'returned')") == (0,)
        self.open.close()

    def live(self) -> int:
        return self.hub.one("SELECT coalesce(sum(amount_cents), 0) FROM remittance WHERE state <> 'returned'")[0]

    @rule(place=st.integers(0, 2), cents=CENTS, insurer=st.integers(0, 1))
    def accept(self, place: int, cents: int, insurer: int) -> None:
        self.hub.accept(place, cents, insurer)

    @rule(drawn=DRAWN)
    def cancel(self, drawn: int) -> None:
        claims = self.hub.all("SELECT id FROM claim WHERE state <> 'cancelled' ORDER BY id")
        if claims:
            self.hub.cancel(claims[drawn % len(claims)][0])

    @rule()
    def run(self) -> None:
        run_payments(self.hub.till, DAY)

    @precondition(lambda self: self.hub.one("SELECT count(*) FROM remittance") != (0,))
    @rule(drawn=DRAWN, back=st.booleans())
    def bank(self, drawn: int, back: bool) -> None:
        rows = self.hub.all("SELECT id, amount_cents FROM remittance ORDER BY id")
        id_, cents = rows[drawn % len(rows)]
        line = entry(bank_reference(id_), as_euros(cents), credit=back, reason="AC04" if back else "")
        load_statement(self.hub.till, statement(line))

    @precondition(lambda self: self.hub.one("SELECT count(*) FROM call_for_funds") != (0,))
    @rule(drawn=DRAWN)
    def fund(self, drawn: int) -> None:
        rows = self.hub.all("SELECT id, amount_cents FROM call_for_funds ORDER BY id")
        id_, cents = rows[drawn % len(rows)]
        load_statement(self.hub.till, statement(entry(bank_reference(id_), as_euros(cents), credit=True)))

    @invariant()
    def everything_agrees(self) -> None:
        hub, accounts = self.hub, self.hub.balances()
        assert sum(accounts.values()) == 0
        assert all(total == 0 for (total,) in hub.all("SELECT sum(amount_cents) FROM posting GROUP BY entry"))
        for remittance, cents, lines in hub.all("SELECT r.id, r.amount_cents, sum(l.amount_cents) FROM remittance r JOIN remittance_line l ON l.remittance = r.id GROUP BY r.id"):  # fmt: skip # noqa: E501
            assert cents == lines > 0, remittance
        owed = "SELECT coalesce(sum(amc_cents), 0) FROM claim WHERE state <> 'cancelled' AND "
        for account, cents in accounts.items():
            kind, _, name = account.partition(":")
            if kind == "practice":  # owed minus ordered, whatever happened
                live = hub.one("SELECT coalesce(sum(amount_cents), 0) FROM remittance WHERE practice = ? AND state <> 'returned'", name)[0]  # fmt: skip # noqa: E501
                assert -cents == hub.one(owed + "practice = ?", name)[0] - live
            if kind == "insurer":  # owed minus paid
                funded = hub.one("SELECT coalesce(sum(amount_cents), 0) FROM call_for_funds WHERE insurer = ? AND state = 'funded'", name)[0]  # fmt: skip # noqa: E501
                assert cents == hub.one(owed + "insurer = ?", name)[0] - funded
        for call, cents, lines in hub.all("SELECT c.id, c.amount_cents, sum(l.amount_cents) FROM call_for_funds c JOIN call_line l ON l.call = c.id GROUP BY c.id"):  # fmt: skip # noqa: E501
            assert cents == lines > 0, call


def test_every_history_adds_up(fresh_store: Fresh, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Histories(fresh_store),
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
