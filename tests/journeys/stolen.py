"""A login that is stolen, for the tests of what it reserved: it asks, is quarantined, and what it was promised is withdrawn."""

from __future__ import annotations

from typing import Any

from ecluse.app.withdrawing import Withdrawn, withdraw
from ecluse.claims.promise import Theft
from ecluse.gate.containment import Contained, Kind, move
from ecluse.gate.signals import Step
from tests.journeys.claims_hub import CARD, PRACTICE, ClaimsHub
from tests.journeys.devis import AID_CENTS

THIEF = "rpps:10000000019"


def at_us(hub: ClaimsHub) -> int:
    return int(hub.clock.instant.timestamp() * 1_000_000)


def quarantine(hub: ClaimsHub, step: Step = Step.QUARANTINED) -> None:
    before, _ = hub.contained.last(Kind.ACCOUNT, THIEF)
    after, made = move(before, Contained("a.martin", step, "un vol"), at_us(hub))
    assert made
    assert hub.contained.swap(THIEF, before, after, made)


async def withdrawn(hub: ClaimsHub, since_us: int = 0, until_us: int = 0, **how: bool) -> Withdrawn:
    theft = Theft(THIEF, since_us, until_us or at_us(hub) + 1)
    return await withdraw(hub.hub, theft, " A. Martin", "un vol", **how)


async def checked(hub: ClaimsHub, account: str, practice: str = PRACTICE, domain: str = "DENT") -> str:
    ask = {**CARD, "domain": domain, "care_date": hub.clock.instant.date().isoformat()}
    status, answer = await hub.call("POST", "/v1/rights/checks", ask, practice, account=account)
    assert status == 200, answer
    return str(answer["engagement"]["number"])


async def quote(hub: ClaimsHub, account: str, engagement: str, *lines: dict[str, Any]) -> int:
    body = {"engagement": engagement, "lines": list(lines)}
    status, answer = await hub.call("POST", "/v1/quotes", body, account=account)
    assert status == 200, answer
    return int(answer["total"]["amc_cents"])


async def approve(hub: ClaimsHub, account: str, engagement: str, *lines: dict[str, Any], reference: str) -> str:
    body = {"engagement": engagement, "reference": reference, "lines": list(lines)}
    status, answer = await hub.call("POST", "/v1/approvals", body, account=account)
    assert (status, answer["status"]) == (201, "granted"), answer
    return str(answer["approval_id"])


def held(hub: ClaimsHub) -> dict[str, int]:
    rows = hub.rows(
        "SELECT holder, sum(acts), sum(cents) FROM reserved GROUP BY holder HAVING sum(acts) + sum(cents) > 0"
    )
    return {holder: int(acts * AID_CENTS or cents) for holder, acts, cents in rows}
