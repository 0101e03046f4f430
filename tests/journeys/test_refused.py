"""What a refused claim or devis tells, what is kept of it, and how many of them an account may have in an hour."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecluse.app.refused import KEPT_MAX
from ecluse.journal.entry import Field, Operation
from tests.journeys.claims_hub import DOCTOR, NIR, ClaimsHub, claim, line, played
from tests.journeys.devis import asked, crown, equip, shown

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine


def test_of_a_claim_the_right_amount_is_told_and_journalled_as_the_split(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[Any]:
        answer = await hub.send(claim("A", line(amc_cents=1)))
        assert "27,95" in answer["refusals"][0]["detail"], "so its sender can mend it"
        await hub.call("GET", f"/v1/claims/{answer['claim_id']}")
        return hub.journal()

    told = Field.CLAIM | Field.REASON | Field.SPLIT
    assert [(each.operation, Field(each.fields)) for each in played(tmp_path, story)] == [
        (Operation.CLAIM, told),
        (Operation.CLAIM_READ, told),
    ]


def test_of_a_devis_too(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[Any]:
        await equip(hub)
        answer = await asked(hub, await hub.check(domain="DENT"), crown(amc_cents=1))
        assert "288,00" in answer["refusals"][0]["detail"]
        await shown(hub, answer["approval_id"])
        return hub.journal()[1:]

    told = Field.APPROVAL | Field.REASON | Field.SPLIT
    assert [(each.operation, Field(each.fields)) for each in played(tmp_path, story)] == [
        (Operation.APPROVAL, told),
        (Operation.APPROVAL_READ, told | Field.ENGAGEMENT),
    ]


def test_of_a_claim_about_nobody_no_line_is_kept(tmp_path: Path) -> None:
    """There is no end of people who are nobody: two hundred lines about each were 30 KB."""

    async def story(hub: ClaimsHub) -> list[int]:
        lines = [line(line=number, act="HD", expense_cents=102, base_cents=102) for number in range(1, 201)]
        for number, rank in enumerate((1, 2)):
            who = {"nir": NIR, "birth_date": f"1979-06-1{rank + 4}", "birth_rank": rank}
            body = claim(f"N{number}", *lines, beneficiary=who)
            assert (await hub.send(body))["refusals"][0]["code"] == "not_covered"
        return [size for (size,) in hub.rows("SELECT length(sealed) FROM claim")]

    sizes = played(tmp_path, story)
    assert len(sizes) == 2
    assert max(sizes) < 500


def test_an_account_has_so_many_claims_refused_in_an_hour(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        for _ in range(KEPT_MAX - 2):
            hub.hub.refused.note(DOCTOR)
        first, last, second = (claim(name, line(quantity=100)) for name in "AZB")
        assert (await hub.send(claim("C")))["status"] == "accepted"
        for body in (first, first, last):  # sent again, it is the one it was
            assert (await hub.send(body))["status"] == "refused"
        colleague = await hub.call("POST", "/v1/claims", claim("D", line(quantity=100)), account="rpps:10000000019")
        assert colleague[0] == 201
        kept = hub.rows("SELECT count(*) FROM claim")
        for body in (first, second, claim("E", line(expense_cents=5100))):
            headers = {"authorization": hub.bearer()}
            answer = await hub.http.post("/v1/claims", json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (429, "refused_many")
            assert answer.headers["retry-after"] == "3600"
        assert hub.rows("SELECT count(*) FROM claim") == kept
        hub.clock.instant += timedelta(hours=1)
        assert [(await hub.send(body))["status"] for body in (first, second)] == ["refused", "refused"]

    played(tmp_path, story)


def test_refused_devis_count_with_claims(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await hub.check(domain="DENT")
        for _ in range(KEPT_MAX - 2):
            hub.hub.refused.note(DOCTOR)
        assert (await asked(hub, engagement, crown()))["status"] == "granted"
        for reference in ("D-2", "D-2", "D-4"):  # sent again, it is the one it was
            assert (await asked(hub, engagement, crown(quantity=100), reference=reference))["status"] == "refused"
        body = {"engagement": engagement, "reference": "D-3", "lines": [crown(quantity=100)]}
        status, problem = await hub.call("POST", "/v1/approvals", body)
        assert (status, problem["code"]) == (429, "refused_many")

    played(tmp_path, story)
