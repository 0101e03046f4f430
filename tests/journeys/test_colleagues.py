"""What colleagues made: read by each account of their practice, by nobody held to a step-up, and so much of it in a day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecluse.app.colleagues import LEAST
from ecluse.app.containment import moved
from ecluse.gate.admission import Admission, Request
from ecluse.gate.containment import Contained, Kind
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.gate.signals import Step
from ecluse.journal.entry import Operation
from tests.journeys.claims_hub import CARD, DOCTOR, OTHER_PRACTICE, PRACTICE, ClaimsHub, claim, line, played
from tests.journeys.devis import crown, equip, granted

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine

COLLEAGUE = "rpps:10000000019"


async def worked(hub: ClaimsHub) -> tuple[str, str, str, str]:
    """What is read by id: of the doctor a claim that was accepted, one that was refused, an approval; of a colleague a claim."""
    await equip(hub)
    approval = await granted(hub, crown())
    accepted = await hub.send(claim("A", line(amo_rate="70%")))
    refused = await hub.send(claim("B", line(quantity=100)))
    assert (accepted["status"], refused["status"]) == ("accepted", "refused")
    status, own = await hub.call("POST", "/v1/claims", claim("C", line(act="C")), account=COLLEAGUE)
    assert status == 201
    first, second, third = (f"/v1/claims/{each['claim_id']}" for each in (accepted, refused, own))
    return first, second, third, f"/v1/approvals/{approval}"


@pytest.mark.parametrize("step", list(Step)[1:4], ids=lambda step: step.name)
def test_what_others_made_is_shut_from_a_step_up_on(tmp_path: Path, step: Step) -> None:
    async def story(hub: ClaimsHub) -> None:
        accepted, refused, own, approval = await worked(hub)
        others = [accepted, refused, approval, "/v1/claims", "/v1/approvals"]

        async def told(paths: list[str]) -> set[tuple[int, str]]:
            answers = [await hub.call("GET", path, account=COLLEAGUE) for path in paths]
            return {(status, answer.get("code", "")) for status, answer in answers}

        assert await told([*others, own]) == {(200, "")}
        await moved(hub.hub, (Kind.ACCOUNT, COLLEAGUE), Contained("a.martin", step, "un essai"))
        assert await told(others) == {(200, "") if step < Step.STEP_UP else (401, "step_up_required")}
        assert await told([own]) == {(200, "")}
        assert await told(["/v1/claims/clm_1", "/v1/approvals/pec_1"]) == {(404, "not_found")}
        for path in (accepted, refused, approval):  # nobody else is held
            assert (await hub.call("GET", path))[0] == 200

    played(tmp_path, story)


@pytest.mark.parametrize("step", list(Step)[1:4], ids=lambda step: step.name)
def test_nor_is_it_cancelled_or_replaced(tmp_path: Path, step: Step) -> None:
    """Both would tell what is cancelled, or undo it."""

    async def story(hub: ClaimsHub) -> None:
        accepted, _, _, approval = await worked(hub)
        engagement = await hub.check()
        own = await standing(hub, "D", 5100, COLLEAGUE)
        await moved(hub.hub, (Kind.ACCOUNT, COLLEAGUE), Contained("a.martin", step, "un essai"))
        before = len(hub.journal())
        replacing = {**billing("E", 5200), "engagement": engagement, "replaces": accepted.rpartition("/")[2]}
        answers = [
            await hub.call("POST", path, body, account=COLLEAGUE)
            for path, body in (
                (f"{approval}/cancellation", None),
                (f"{accepted}/cancellation", None),
                ("/v1/claims", replacing),
            )
        ]
        states = [(await hub.call("GET", path))[1]["status"] for path in (approval, accepted)]
        if step < Step.STEP_UP:
            assert [status for status, _ in answers] == [200, 200, 201]
            assert states == ["cancelled", "cancelled"]
            return
        assert {(status, answer["code"]) for status, answer in answers} == {(401, "step_up_required")}
        assert not any("lines" in answer or "total" in answer for _, answer in answers)
        assert states == ["granted", "accepted"]
        assert {each.operation for each in hub.journal()[before:]} == {Operation.APPROVAL_READ, Operation.CLAIM_READ}
        unknown = await hub.call("POST", "/v1/claims", {**replacing, "replaces": "clm_1"}, account=COLLEAGUE)
        assert (unknown[0], unknown[1]["refusals"][0]["code"]) == (201, "replaces_unknown")
        assert (await hub.call("POST", f"{own}/cancellation", account=COLLEAGUE))[1]["status"] == "cancelled"

    played(tmp_path, story)


def test_what_is_cancelled_counts_as_read(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        accepted, refused, _, approval = await worked(hub)
        own, other = await standing(hub, "D", 5100, COLLEAGUE), await standing(hub, "E", 5200, DOCTOR)
        await read_so_many(hub, LEAST - 1)
        for _ in range(2):
            assert (await hub.call("POST", f"{accepted}/cancellation", account=COLLEAGUE))[0] == 200
        replacing = {**billing("F", 5300), **CARD, "replaces": other.rpartition("/")[2]}
        for method, path, body in (
            ("GET", refused, None),
            ("POST", f"{other}/cancellation", None),
            ("POST", "/v1/claims", replacing),
        ):
            status, problem = await hub.call(method, path, body, account=COLLEAGUE)
            assert (status, problem["code"]) == (429, "colleagues_read_many")
        assert (await hub.call("GET", other))[1]["status"] == "accepted"
        (entry,) = [each for each in hub.journal() if each.outcome == "colleagues_read_many"]
        assert (entry.account, entry.operation) == (COLLEAGUE, Operation.CLAIM_READ)
        for path in (own, approval):  # own; another kind
            assert (await hub.call("POST", f"{path}/cancellation", account=COLLEAGUE))[0] == 200

    played(tmp_path, story)


def billing(invoice: str, expense_cents: int) -> dict[str, Any]:
    """A claim's body, but for whom it is about."""
    return {"invoice": invoice, "lines": [line(amo_rate="70%", expense_cents=expense_cents)]}


async def standing(hub: ClaimsHub, invoice: str, expense_cents: int, account: str) -> str:
    """Where a claim is read that the account sent, and that was accepted."""
    _, answer = await hub.call("POST", "/v1/claims", {**billing(invoice, expense_cents), **CARD}, account=account)
    assert answer["status"] == "accepted", answer
    return f"/v1/claims/{answer['claim_id']}"


async def read_so_many(hub: ClaimsHub, count: int) -> None:
    """The colleague was shown that many of the doctor's claims today."""
    colleague = Account(COLLEAGUE, PRACTICE)
    for number in range(count):
        about = Admission(
            Request(colleague, "req_1"), Operation.CLAIM_READ, f"clm_{number}", Presence.TYPED, hub.clock.now()
        )
        await hub.hub.colleagues.let_read(about, DOCTOR, hub.stores.claims.sent_since, hub.desk.record)


def test_past_what_is_polled_in_a_day_colleagues_are_read_no_more(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        accepted, refused, own, approval = await worked(hub)
        assert (await hub.call("GET", accepted, account=COLLEAGUE))[0] == 200
        await read_so_many(hub, LEAST - 1)
        for _ in range(2):
            status, problem = await hub.call("GET", refused, account=COLLEAGUE)
            assert (status, problem["code"]) == (429, "colleagues_read_many")
        (entry,) = [each for each in hub.journal() if each.outcome == "colleagues_read_many"]
        assert (entry.account, entry.operation, entry.person) == (COLLEAGUE, Operation.CLAIM_READ, b"")
        for path in (accepted, own, approval, "/v1/claims"):  # read before; own; another kind; a list
            assert (await hub.call("GET", path, account=COLLEAGUE))[0] == 200
        assert (await hub.call("GET", refused))[0] == 200
        hub.clock.instant = hub.clock.instant.replace(day=24)
        assert (await hub.call("GET", refused, account=COLLEAGUE))[0] == 200

    played(tmp_path, story)


def test_what_a_practice_sent_is_counted(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await worked(hub)
        claims, approvals = hub.stores.claims, hub.stores.approvals
        assert [await claims.sent_since(PRACTICE, 0), await approvals.asked_since(PRACTICE, 0)] == [3, 1]
        assert [await claims.sent_since(OTHER_PRACTICE, 0), await approvals.asked_since(OTHER_PRACTICE, 0)] == [0, 0]
        ahead_us = 4_000_000_000_000_000
        assert [await claims.sent_since(PRACTICE, ahead_us), await approvals.asked_since(PRACTICE, ahead_us)] == [0, 0]

    played(tmp_path, story)
