"""What colleagues made: read by each account of their practice, by nobody held to a step-up, and so much of it in a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.app.colleagues import LEAST
from ecluse.app.containment import moved
from ecluse.gate.admission import Admission, Request
from ecluse.gate.containment import Contained, Kind
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.gate.signals import Step
from ecluse.journal.entry import Operation
from tests.journeys.claims_hub import DOCTOR, OTHER_PRACTICE, PRACTICE, ClaimsHub, claim, line, played
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


def test_past_what_is_polled_in_a_day_colleagues_are_read_no_more(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        accepted, refused, own, approval = await worked(hub)
        colleague, claims = Account(COLLEAGUE, PRACTICE), hub.stores.claims
        assert (await hub.call("GET", accepted, account=COLLEAGUE))[0] == 200
        for number in range(LEAST - 1):
            about = Admission(
                Request(colleague, "req_1"), Operation.CLAIM_READ, f"clm_{number}", Presence.TYPED, hub.clock.now()
            )
            await hub.hub.colleagues.let_read(about, DOCTOR, claims.sent_since, hub.desk.record)
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
