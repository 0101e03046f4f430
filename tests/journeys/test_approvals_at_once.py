"""Approvals, quotes, claims and cancellations at the same time: no euro is promised twice, none is lost."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.app.approvals import ApprovalSent, ask_approval, cancel_approval
from ecluse.app.claims import Cancellation, ClaimSent, cancel_claim, send_claim
from ecluse.app.quotes import QuoteSent, quote
from ecluse.gate.admission import Request
from ecluse.kernel.errors import Refused
from tests.conftest import Fresh
from tests.journeys.claims_hub import ClaimsHub, claim, played
from tests.journeys.devis import AIDS_A_YEAR, IMPLANT_CENTS_A_YEAR, aid, cancelled, equip, granted, implant, shown
from tests.journeys.test_claims_histories import ACCOUNT
from tests.stores import now

ASKER = replace(ACCOUNT, scopes=frozenset({"rights", "claims"}))
PLACES = 3  # engagements and approvals of each domain
CARE: dict[str, tuple[str, Callable[..., dict[str, Any]]]] = {
    "implants": ("DENT", lambda n, quantity: implant(20_000 * quantity - n, quantity=quantity)),
    "aids": ("AUDI", lambda n, quantity: aid(quantity, expense_cents=90_000 * quantity - n)),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "quote", "claim", "claim", "bare", "cancel", "cancel claim"]),
        st.integers(0, PLACES - 1),
        st.sampled_from(sorted(CARE)),
        st.integers(1, 3),
    ),
    min_size=3,
    max_size=8,
)
Step = tuple[str, int, str, int]
STAGGER_S = 0.0005  # a claim takes some 10 ms: each round cancels a little later in it
ROUNDS = st.lists(STEPS, min_size=2, max_size=3)


def test_no_euro_is_promised_twice_and_what_is_promised_is_paid_or_held(fresh_store: Fresh, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ROUNDS)
    def some_order(rounds: list[list[Step]]) -> None:
        with fresh_store() as url, tempfile.TemporaryDirectory() as place:
            now(Town(Path(place), url).play(rounds))

    some_order()


class Town:
    """One person, and what was granted and accepted so far."""

    def __init__(self, directory: Path, url: str) -> None:
        self.hub = ClaimsHub(directory, url)
        self.approvals: dict[str, tuple[str, int]] = {}
        self.claims: list[str] = []
        self.count = 0

    async def play(self, rounds: list[list[Step]]) -> None:
        try:
            await self.hub.open()
            await equip(self.hub)
            self.engagements = {
                what: [await self.hub.check(domain=domain) for _ in range(PLACES)] for what, (domain, _) in CARE.items()
            }
            for steps in [[("ask", n, what, 3) for n in range(2) for what in CARE], *rounds]:
                await asyncio.gather(*(self.step(step) for step in steps))
                self.check()
        finally:
            await self.hub.close()

    async def step(self, step: Step) -> None:
        """One act; whoever comes too late is told so."""
        self.count += 1
        try:
            await self.act(self.count, *step)
        except Refused as refused:
            if refused.code not in ("approval_closed", "move_not_allowed"):
                raise

    def act(self, n: int, act: str, place: int, what: str, quantity: int) -> Coroutine[Any, Any, None]:
        asked = Request(ASKER, self.hub.hub.ids.new("req_"))
        body = {"engagement": self.engagements[what][place], "lines": [CARE[what][1](n, quantity)]}
        known = sorted(approval for approval, (of, _) in self.approvals.items() if of == what)
        if act == "ask" or not known:
            return self.ask(asked, what, msgspec.convert(body | {"reference": f"D-{n}"}, ApprovalSent))
        approval = known[place % len(known)]
        if act == "quote":
            return _ended(quote(self.hub.hub, asked, msgspec.convert(body, QuoteSent)))
        if act == "cancel":
            return self.cancel(asked, approval)
        if act == "cancel claim" and self.claims:
            return _ended(cancel_claim(self.hub.hub, asked, self.claims[place % len(self.claims)], Cancellation()))
        about = {"approval": approval} if act == "claim" else {"domain": CARE[what][0]}
        return self.claim(asked, claim(f"F{n}", CARE[what][1](n, quantity), **about))

    async def ask(self, asked: Request, what: str, sent: ApprovalSent) -> None:
        answer = (await ask_approval(self.hub.hub, asked, sent)).answer
        assert answer.total is not None
        self.approvals[answer.approval_id] = (what, answer.total.amc_cents)

    async def cancel(self, asked: Request, approval: str) -> None:
        assert (await cancel_approval(self.hub.hub, asked, approval)).answer.status == "cancelled"

    async def claim(self, asked: Request, body: dict[str, Any]) -> None:
        answer = (await send_claim(self.hub.hub, asked, msgspec.convert(body, ClaimSent))).answer
        if answer.status == "accepted":
            self.claims.append(answer.claim_id)

    def check(self) -> None:
        """What is used and what is reserved is within the contract; each promise is paid or held, and its state is true."""
        rows = self.hub.rows
        counted = rows("SELECT acts, cents FROM consumed UNION ALL SELECT acts, cents FROM reserved")
        assert all(acts >= 0 and cents >= 0 for acts, cents in counted)
        assert sum(acts for acts, _ in counted) <= AIDS_A_YEAR
        assert sum(cents for _, cents in counted) <= IMPLANT_CENTS_A_YEAR
        states = dict(rows("SELECT id, state FROM approval"))
        held = {holder: (acts, cents) for holder, acts, cents in rows("SELECT holder, sum(acts), sum(cents) FROM reserved GROUP BY holder")}  # fmt: skip # noqa: E501
        under: dict[str, dict[str, int]] = {}
        for approval, claim_id, cents in rows("SELECT m.approval, c.id, c.amc_cents FROM approval_move m JOIN claim c ON c.id = m.about WHERE m.move = 'use' AND c.state <> 'cancelled'"):  # fmt: skip # noqa: E501
            under.setdefault(approval, {})[claim_id] = cents
        for approval, (what, promised_cents) in self.approvals.items():
            acts, cents = held.get(approval, (0, 0))
            kept_cents = cents if what == "implants" else acts * 40_000
            if states[approval] == "cancelled":
                assert (kept_cents, approval in under) == (0, False)
            else:
                assert (states[approval] == "used") == (approval in under)
                assert kept_cents + sum(under.get(approval, {}).values()) >= promised_cents


async def _ended(work: Coroutine[Any, Any, Any]) -> None:
    await work


def test_who_cancels_and_who_bills_at_once_agree_on_the_order(store_url: str, tmp_path: Path) -> None:
    """Each round: a claim is sent while another under the same approval is cancelled, or while the approval itself is."""

    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        for n in range(40):
            approval = await granted(hub, implant(100 + n, quantity=2), reference=f"D-{n}")
            path = f"/v1/approvals/{approval}"
            if n % 2:
                first = await hub.send(claim(f"A{n}", implant(50), approval=approval))
                path = f"/v1/claims/{first['claim_id']}"
            sending = asyncio.create_task(hub.send(claim(f"B{n}", implant(10 + n), approval=approval)))
            await asyncio.sleep(n // 2 * STAGGER_S)
            status, _ = await cancelled(hub, path)
            sent = await sending
            life = await shown(hub, approval)
            billed = sent["status"] == "accepted"
            assert (life["status"], status) == (
                ("used" if billed else "granted", 200) if n % 2 else ("used", 409) if billed else ("cancelled", 200)
            ), n

    played(tmp_path, story)
