"""Random histories of claims: sent, sent again, cancelled, replaced; after each step the books equal a plain recount."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from ecluse.app.claims import Cancellation, ClaimSent, cancel_claim, send_claim
from ecluse.gate.admission import Request
from ecluse.gate.identity import Account
from ecluse.kernel.errors import Refused
from tests.conftest import Fresh
from tests.journeys.claims_hub import CARD, INSURER, PRACTICE, ClaimsHub, claim, line

ACCOUNT = Account("rpps:10000000001", PRACTICE, scopes=frozenset({"claims"}))
ACTS_A_YEAR, CENTS_A_YEAR = 5, 25_000  # EUR_ACT:30/5Y and EUR_YEAR:250 of the test product

LINES = st.lists(
    st.fixed_dictionaries(
        {
            "act": st.sampled_from(["OST", "DIET", "AMK"]),
            "date": st.sampled_from(["2025-11-10", "2025-12-31", "2026-01-01", "2026-01-02"]),
            "quantity": st.integers(1, 3),
            "price": st.sampled_from([6000, 7000, 9000]),
            "amo_rate": st.sampled_from(["0%", "0%", "71%"]),  # the last is refused where there is a base
        }
    ),
    min_size=1,
    max_size=3,
)
INVOICES = st.sampled_from([f"I{number}" for number in range(12)])
PICK = st.integers(0, 1000)


def body(invoice: str, drawn: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    lines = []
    for number, each in enumerate(drawn, 1):
        expense = each["price"] * each["quantity"]
        base = 1613 * each["quantity"] if each["act"] == "AMK" else int(each["amo_rate"] == "71%")
        rate = "60%" if each["act"] == "AMK" and each["amo_rate"] == "0%" else each["amo_rate"]
        about = {"act": each["act"], "date": each["date"], "quantity": each["quantity"]}
        lines.append(line(line=number, expense_cents=expense, base_cents=base, amo_rate=rate, **about))
    return claim(invoice, *lines, **{**CARD, "domain": "AUXM"} | fields)


class Histories(RuleBasedStateMachine):
    """The model is what was answered: which body made which claim, and which claims stand."""

    def __init__(self, fresh_store: Fresh) -> None:
        super().__init__()
        self.open = contextlib.ExitStack()
        self.loop = asyncio.new_event_loop()
        place = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.hub = ClaimsHub(place, self.open.enter_context(fresh_store()))
        self.loop.run_until_complete(self.hub.open())
        self.sent: list[tuple[dict[str, Any], Any]] = []
        self.standing: dict[str, Any] = {}
        self.holder: dict[str, str] = {}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.hub.close())
        self.loop.close()
        self.open.close()

    def _send(self, sending: dict[str, Any]) -> Any:
        asked = Request(ACCOUNT, self.hub.hub.ids.new("clm_"))
        answer = send_claim(self.hub.hub, asked, msgspec.convert(sending, ClaimSent))
        return self.loop.run_until_complete(answer).answer

    @rule(invoice=INVOICES, drawn=LINES)
    def send(self, invoice: str, drawn: list[dict[str, Any]]) -> None:
        self._sent(body(invoice, drawn))

    @precondition(lambda self: self.standing)
    @rule(invoice=INVOICES, drawn=LINES, pick=PICK)
    def replace(self, invoice: str, drawn: list[dict[str, Any]], pick: int) -> None:
        replaced = sorted(self.standing)[pick % len(self.standing)]
        if self._sent(body(invoice, drawn, replaces=replaced)):
            del self.standing[replaced]

    def _sent(self, sending: dict[str, Any]) -> bool:
        """Whether a new claim was accepted."""
        known = [answer for before, answer in self.sent if before == sending]
        try:
            answer = self._send(sending)
        except Refused as refused:
            is_right = refused.code == "invoice_reused" and sending["invoice"] in self.holder and not known
            if not is_right:
                raise
            return False
        if known:
            assert answer.claim_id == known[0].claim_id
            return False
        self.sent.append((sending, answer))
        if answer.status != "accepted":
            return False
        assert sending["invoice"] not in self.holder
        self.holder[sending["invoice"]] = answer.claim_id
        self.standing[answer.claim_id] = (sending, answer)
        return True

    @precondition(lambda self: self.sent)
    @rule(pick=PICK)
    def send_again(self, pick: int) -> None:
        sending, answer = self.sent[pick % len(self.sent)]
        assert self._send(sending).claim_id == answer.claim_id

    @precondition(lambda self: self.holder)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        claim_id = sorted(self.holder.values())[pick % len(self.holder)]
        asked = Request(ACCOUNT, self.hub.hub.ids.new("req_"))
        answer = self.loop.run_until_complete(cancel_claim(self.hub.hub, asked, claim_id, Cancellation())).answer
        assert answer.status == "cancelled"
        self.standing.pop(claim_id, None)

    @invariant()
    def money_is_that_of_the_standing_claims(self) -> None:
        owed = sum(answer.amc_cents for _, answer in self.standing.values())
        balances = self.loop.run_until_complete(self.hub.balances())
        assert sum(balances.values()) == 0
        assert balances.get(f"insurer:{INSURER}", 0) == owed == -balances.get(f"practice:{PRACTICE}", 0)

    @invariant()
    def used_is_what_standing_claims_used(self) -> None:
        found = {
            int(year): (acts, cents)
            for year, acts, cents in self.hub.rows(
                "SELECT substr(day, 1, 4), sum(acts), sum(cents) FROM consumed GROUP BY 1"
            )
        }
        for year in (2025, 2026):
            acts, cents = self._recounted(year, "OST") // 3000, self._recounted(year, "DIET")
            assert found.get(year, (0, 0)) == (acts, cents)
            assert acts <= ACTS_A_YEAR
            assert cents <= CENTS_A_YEAR

    def _recounted(self, year: int, act: str) -> int:
        return sum(
            split.amc_cents
            for sending, answer in self.standing.values()
            for split, billed in zip(answer.lines, sending["lines"], strict=True)
            if billed["act"] == act and billed["date"].startswith(str(year))
        )

    @invariant()
    def no_claim_is_left_without_an_outcome(self) -> None:
        states = dict(self.hub.rows("SELECT id, state FROM claim"))
        assert {claim_id for claim_id, state in states.items() if state == "accepted"} == set(self.standing)
        assert set(states.values()) <= {"accepted", "refused", "cancelled"}


def test_every_history_adds_up(fresh_store: Fresh, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Histories(fresh_store),
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
