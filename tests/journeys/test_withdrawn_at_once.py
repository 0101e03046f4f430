"""Promises withdrawn while they are billed, or cancelled by their practice: one comes first, and nothing comes back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from ecluse.app.approvals import cancel_approval
from ecluse.app.withdrawing import OPERATOR, SCOPE
from ecluse.gate.admission import Request
from ecluse.gate.identity import Account
from ecluse.journal.entry import Operation
from tests.journeys.claims_hub import DOCTOR, PRACTICE, ClaimsHub, claim, played
from tests.journeys.devis import cancelled, equip, implant, shown
from tests.journeys.stolen import THIEF, approve, at_us, checked, held, quarantine, quote, withdrawn

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine

ROUNDS = 12
STAGGER_S = 0.001  # a claim takes some 10 ms: each round withdraws a little later in it


def test_beside_claims_each_is_paid_as_promised_or_told_that_it_is_over(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        stolen, approvals = [], []
        for n in range(ROUNDS):  # one a minute: each is withdrawn by its minute
            hub.clock.instant += timedelta(minutes=1)
            engagement = await checked(hub, THIEF)
            stolen.append((at_us(hub), at_us(hub) + 1))
            approvals.append(await approve(hub, THIEF, engagement, implant(2_000), reference=f"D{n}"))
        quarantine(hub)
        hub.clock.instant += timedelta(minutes=1)
        await withdrawn(hub, *stolen[0])  # whatever the machine does: one is too late, and the last in time
        for n, ((asked_us, _), approval) in enumerate(zip(stolen, approvals, strict=True)):
            billing = asyncio.create_task(hub.send(claim(f"F{n}", implant(1_000 + n), approval=approval)))
            acts = [asyncio.create_task(cancelled(hub, f"/v1/approvals/{approval}"))] if n % 3 == 0 else []
            await (billing if approval == approvals[-1] else asyncio.sleep(n * STAGGER_S))
            await withdrawn(hub, asked_us, asked_us + 1)
            answer, *_ = await asyncio.gather(billing, *acts)
            is_paid = answer["status"] == "accepted"
            assert answer.get("amc_cents", 0) == (1_000 + n if is_paid else 0), answer
            assert (await shown(hub, approval))["status"] == ("used" if is_paid else "cancelled")
            assert approval not in held(hub)
        assert held(hub) == {}
        states = {state for (state,) in hub.rows("SELECT state FROM approval")}
        assert states == {"used", "cancelled"}, "both orders were played"
        ended = "SELECT count(*) FROM approval_move WHERE state = 'cancelled' GROUP BY approval"
        assert set(hub.rows(ended)) == {(1,)}

    played(tmp_path, story)


def test_beside_claims_under_its_engagement_a_quote_is_billed_or_gone(tmp_path: Path) -> None:
    """A claim takes its part of what it read before: what was freed in between must not come back."""

    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        quoted = []
        for _ in range(ROUNDS):
            hub.clock.instant += timedelta(minutes=1)
            quoted.append((at_us(hub), await checked(hub, THIEF)))
            await quote(hub, THIEF, quoted[-1][1], implant(2_000))
        quarantine(hub)
        hub.clock.instant += timedelta(minutes=1)
        for n, (asked_us, engagement) in enumerate(quoted):
            billing = asyncio.create_task(hub.send(claim(f"F{n}", implant(1_000 + n), engagement=engagement)))
            await asyncio.sleep(n * STAGGER_S)
            await withdrawn(hub, asked_us, asked_us + 1)
            assert (await billing)["amc_cents"] == 1_000 + n
            assert engagement not in held(hub)
        assert held(hub) == {}

    played(tmp_path, story)


def test_beside_its_practice_that_cancels_an_approval_ends_once(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await checked(hub, THIEF)
        stolen = [await approve(hub, THIEF, engagement, implant(1_000), reference=f"D{n}") for n in range(2 * ROUNDS)]
        quarantine(hub)
        theirs = Account(DOCTOR, PRACTICE, "doctor", scopes=frozenset({"claims"}))
        act = hub.desk.admit(Request(OPERATOR, "wdr_1"), SCOPE, Operation.PROMISE_WITHDRAWN, THIEF)
        for approval in stolen:
            promise = await hub.hub.promises.promise(act, approval)
            assert promise
            ended = cancel_approval(hub.hub, Request(theirs, hub.hub.ids.new("req_")), approval)
            await asyncio.gather(hub.hub.promises.withdraw(act, promise), ended)
        moves = "SELECT approval, count(*) FROM approval_move WHERE state = 'cancelled' GROUP BY approval"
        assert sorted(hub.rows(moves)) == [(each, 1) for each in sorted(stolen)]
        assert held(hub) == {}

    played(tmp_path, story)
