"""Devis for the tests of prior approvals: a contract for glasses, teeth and ears, and the lines that practices ask for."""

from __future__ import annotations

from typing import Any

from ecluse.rights.model import Domain
from tests.journeys.claims_hub import PRACTICE, ClaimsHub, line
from tests.rights import right

TABLE = """{product: D, label: Optique dentaire audio, responsible: true, guarantees: [
    {domains: [DENT], acts: [HBLD038], guarantee: "BR_INCL:300", label: Couronnes},
    {domains: [DENT], acts: [IMPL], guarantee: "EUR_YEAR:600", label: Implants},
    {domains: [AUDI], acts: [AID], guarantee: "EUR_ACT:400/2Y", label: Aides auditives},
    {domains: [AUDI], acts: [EAR], guarantee: "EUR:500[ACTS:1/48M]", each_side: true, label: Une aide par oreille}]}"""
POORER = TABLE.replace("BR_INCL:300", "TM:100").replace("EUR_YEAR:600", "NONE")
IMPLANT_CENTS_A_YEAR, AIDS_A_YEAR, AID_CENTS = 60_000, 2, 40_000


async def equip(hub: ClaimsHub, **changes: Any) -> None:
    """The member has that contract, and none other."""
    await hub.product(TABLE)
    hub.member(right("D", domains=(Domain.OPTI, Domain.DENT, Domain.AUDI, Domain.MED), **changes))


def crown(quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """Each costs 500 €: the AMO pays 72 €, the contract 288 €, the patient 140 €."""
    money = {"expense_cents": 50_000 * quantity, "base_cents": 12_000 * quantity, "amo_rate": "60%"}
    return line(**{"act": "HBLD038", "quantity": quantity, **money, **changes})


def implant(cents: int = 40_000, **changes: Any) -> dict[str, Any]:
    """Paid by the contract alone, up to 600 € a year."""
    return line(**{"act": "IMPL", "expense_cents": cents, "base_cents": 0, "amo_rate": "0%", **changes})


def aid(quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """Each costs 900 €; the contract pays 400 € for each of two a year."""
    money = {"expense_cents": 90_000 * quantity, "base_cents": 0, "amo_rate": "0%"}
    return line(**{"act": "AID", "quantity": quantity, **money, **changes})


async def asked(
    hub: ClaimsHub, engagement: str, *lines: dict[str, Any], reference: str = "D-1", practice: str = PRACTICE
) -> dict[str, Any]:
    """The answer to a devis that is taken in."""
    body = {"engagement": engagement, "reference": reference, "lines": list(lines)}
    status, answer = await hub.call("POST", "/v1/approvals", body, practice)
    assert status == 201, answer
    return answer


async def granted(
    hub: ClaimsHub,
    *lines: dict[str, Any],
    domain: str = "DENT",
    reference: str = "D-1",
    practice: str = PRACTICE,
    **check: Any,
) -> str:
    """The id of an approval of these lines, asked under a new engagement."""
    engagement = await hub.check(practice, domain=domain, **check)
    answer = await asked(hub, engagement, *lines, reference=reference, practice=practice)
    assert answer["status"] == "granted", answer
    return str(answer["approval_id"])


async def shown(hub: ClaimsHub, approval: str) -> dict[str, Any]:
    """An approval and its life."""
    status, answer = await hub.call("GET", f"/v1/approvals/{approval}")
    assert status == 200, answer
    return answer


async def cancelled(hub: ClaimsHub, path: str) -> tuple[int, dict[str, Any]]:
    """The answer to a cancellation."""
    return await hub.call("POST", f"{path}/cancellation")
