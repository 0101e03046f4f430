"""Claims under a prior approval: paid as promised whatever came since, in parts, replaced, given back; never more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.claims_hub import OTHER_PRACTICE, ClaimsHub, claim, line, played
from tests.journeys.devis import POORER, cancelled, crown, equip, granted, implant, shown
from tests.rights import right

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine


def test_what_was_promised_is_paid_whatever_became_of_the_contract(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        await equip(hub)
        approval = await granted(hub, crown(date="2026-12-15"), implant(60_000, line=2, date="2026-12-15"))
        hub.clock.instant += timedelta(days=10)
        await hub.product(POORER)
        hub.member(right("D", last="2026-11-30"))  # the contract ended, and its product is another
        hub.clock.instant += timedelta(days=20)
        await hub.send(claim("X1", implant(60_000, date="2026-11-24"), domain="DENT"), OTHER_PRACTICE)
        answer = await hub.send(
            claim("F1", crown(date="2026-12-16"), implant(60_000, line=2, date="2026-12-16"), approval=approval)
        )
        return [each["amc_cents"] for each in answer["lines"]]

    assert played(tmp_path, story) == [28_800, 60_000]


def test_care_of_one_devis_is_billed_in_parts_and_no_more_than_was_approved(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        approval = await granted(hub, crown(3), implant(60_000, line=2, quantity=3))
        first = await hub.send(claim("F1", crown(), implant(20_000, line=2), approval=approval))
        second = await hub.send(claim("F2", implant(30_000), approval=approval))
        third = await hub.send(claim("F3", crown(3, expense_cents=110_000), implant(15_000, line=2), approval=approval))
        assert [each["status"] for each in (first, second, third)] == ["accepted", "accepted", "refused"]
        assert [(each["code"], each["line"]) for each in third["refusals"]] == [
            ("approval_exceeded", 1), ("approval_exceeded", 2),
        ]  # fmt: skip
        assert [each["detail"] for each in third["refusals"]] == [
            "L'acte HBLD038 dépasse la prise en charge : 1 acte(s) et 100,00\xa0€ de dépense de trop.",
            "L'acte IMPL dépasse la prise en charge : 50,00\xa0€ de dépense de trop.",
        ]
        bare = await hub.send(claim("X1", implant(60_000), domain="DENT"), OTHER_PRACTICE)
        assert bare["amc_cents"] == 0, "what was not billed yet stays reserved"
        await cancelled(hub, f"/v1/claims/{second['claim_id']}")
        life = await shown(hub, approval)
        assert [(move["move"], move["status"]) for move in life["moves"]] == [
            ("grant", "granted"), ("use", "used"), ("use", "used"), ("give_back", "used"),
        ]  # fmt: skip
        last = await hub.send(claim("F4", crown(2), implant(40_000, line=2), approval=approval))
        assert (last["status"], last["amc_cents"]) == ("accepted", 2 * 28_800 + 40_000)
        assert hub.rows("SELECT sum(cents) FROM reserved") == [(0,)]

    played(tmp_path, story)


def test_a_claim_is_replaced_under_its_approval(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        approval = await granted(hub, implant(60_000))
        first = await hub.send(claim("F1", implant(50_000), approval=approval))
        more = await hub.send(claim("F2", implant(60_001), approval=approval, replaces=first["claim_id"]))
        assert [each["code"] for each in more["refusals"]] == ["approval_exceeded"]
        assert hub.rows("SELECT cents FROM consumed") == [(50_000,)], "the first one stands"
        good = await hub.send(claim("F3", implant(60_000), approval=approval, replaces=first["claim_id"]))
        assert (good["status"], good["amc_cents"]) == ("accepted", 60_000)
        moves = [move["move"] for move in (await shown(hub, approval))["moves"]]
        assert moves == ["grant", "use", "reopen", "use"]

    played(tmp_path, story)


def test_a_claim_cancelled_after_the_approval_ended_gives_back_to_everybody(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> int:
        await equip(hub)
        approval = await granted(hub, implant(60_000))
        billed = await hub.send(claim("F1", implant(60_000), approval=approval))
        hub.clock.instant += timedelta(days=121)
        assert (await shown(hub, approval))["status"] == "used"
        await cancelled(hub, f"/v1/claims/{billed['claim_id']}")
        assert (await shown(hub, approval))["status"] == "expired"
        bare = await hub.send(claim("X1", implant(60_000), domain="DENT"), OTHER_PRACTICE)
        return int(bare["amc_cents"])

    assert played(tmp_path, story) == 60_000


def test_an_approval_stands_alone_in_a_claim(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        approval = await granted(hub, crown())
        for about in ({"domain": "DENT"}, {"engagement": await hub.check(domain="DENT")}, {"care_date": "2026-11-23"}):
            status, problem = await hub.call("POST", "/v1/claims", claim("F1", crown(), approval=approval, **about))
            assert (status, problem["code"]) == (422, "claim_about_invalid")
        plain = await hub.send(claim("F1", line()) | {"approval": None})
        assert plain["status"] == "accepted", "null is as if it were not there"

    played(tmp_path, story)
