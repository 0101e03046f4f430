"""Prior approvals from outside: asked, shown, billed, cancelled, expired; and what each keeps others from being promised."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecluse.journal.entry import Field, Operation
from tests.journeys.claims_hub import BIRTH, NIR, OTHER_PRACTICE, PRACTICE, ClaimsHub, claim, played
from tests.journeys.devis import TABLE, aid, asked, cancelled, crown, equip, granted, implant, shown
from tests.rights import right

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine


def test_a_devis_is_granted_billed_given_back_and_cancelled(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await hub.check(domain="DENT")
        answer = await asked(hub, engagement, crown(date="2026-12-10"))
        assert answer["approval_id"].startswith("pec_")
        assert {name: answer[name] for name in ("status", "valid_until", "bill_by", "total", "refusals")} == {
            "status": "granted", "valid_until": "2027-02-21", "bill_by": "2027-03-23", "refusals": [],
            "total": {"expense_cents": 50_000, "amo_cents": 7200, "amc_cents": 28_800, "patient_cents": 14_000},
        }  # fmt: skip
        assert answer["lines"][0]["because"]
        path = f"/v1/approvals/{answer['approval_id']}"

        hub.clock.instant += timedelta(days=40)  # past the engagement's thirty
        billed = await hub.send(claim("F1", crown(date="2026-12-30"), approval=answer["approval_id"]))
        assert (billed["status"], billed["amc_cents"]) == ("accepted", 28_800)
        _, life = await hub.call("GET", f"/v1/claims/{billed['claim_id']}")
        assert (life["approval"], life["engagement"]) == (answer["approval_id"], engagement)

        status, problem = await cancelled(hub, path)
        assert (status, problem["code"]) == (409, "approval_closed"), "a claim stands under it"
        await cancelled(hub, f"/v1/claims/{billed['claim_id']}")
        assert (await shown(hub, answer["approval_id"]))["status"] == "granted"
        ends = [await cancelled(hub, path) for _ in range(2)]
        assert ends[0] == ends[1], "again is the same answer"
        assert (ends[0][0], ends[0][1]["status"]) == (200, "cancelled")
        life = await shown(hub, answer["approval_id"])
        assert [(move["move"], move["status"], move.get("about", "")) for move in life["moves"]] == [
            ("grant", "granted", ""), ("use", "used", billed["claim_id"]),
            ("reopen", "granted", billed["claim_id"]), ("cancel", "cancelled", ""),
        ]  # fmt: skip
        refused = await hub.send(claim("F2", crown(date="2026-12-30"), approval=answer["approval_id"]))
        assert [each["code"] for each in refused["refusals"]] == ["approval_closed"]

    played(tmp_path, story)


def test_a_reference_names_one_approval(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await hub.check(domain="DENT")
        wrong = await asked(hub, engagement, crown(amo_rate="61%"))
        assert (wrong["status"], [each["code"] for each in wrong["refusals"]]) == ("refused", ["amo_rate_unknown"])
        assert {"lines", "total", "valid_until", "bill_by"}.isdisjoint(wrong), "a refused one promises nothing"
        mended = await asked(hub, engagement, crown())
        assert mended["status"] == "granted", "a refused devis gives its number back"
        hub.member()
        hub.clock.instant += timedelta(days=50)
        assert await asked(hub, engagement, crown()) == mended, "whatever came since"
        assert await asked(hub, engagement, crown(amo_rate="61%")) == wrong
        body = {"engagement": engagement, "reference": "D-1", "lines": [crown(2)]}
        status, problem = await hub.call("POST", "/v1/approvals", body)
        assert (status, problem["code"], problem["pointer"]) == (409, "reference_reused", "/reference")
        assert hub.rows("SELECT count(*) FROM approval") == [(2,)]

    played(tmp_path, story)


def test_the_same_devis_sent_many_times_at_once_is_one_approval(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await hub.check(domain="DENT")
        answers = await asyncio.gather(*(asked(hub, engagement, implant()) for _ in range(10)))
        assert all(answer == answers[0] for answer in answers)
        assert hub.rows("SELECT count(*), sum(cents) FROM reserved") == [(1, 40_000)]

    played(tmp_path, story)


def test_what_is_approved_is_promised_to_nobody_else_until_it_ends(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        await equip(hub)
        mine, theirs = await hub.check(domain="DENT"), await hub.check(OTHER_PRACTICE, domain="DENT")

        async def left(engagement: str = theirs, **care: Any) -> int:
            body = {"engagement": engagement, "lines": [implant(70_000, **care)]}
            _, answer = await hub.call("POST", "/v1/quotes", body, OTHER_PRACTICE)
            return int(answer["total"]["amc_cents"])

        first = await asked(hub, mine, implant(), reference="D-1")
        found = [first["total"]["amc_cents"], await left()]
        second = await asked(hub, mine, implant(), reference="D-2")  # the quote of the other practice holds the rest
        found.append(second["total"]["amc_cents"])
        await cancelled(hub, f"/v1/approvals/{first['approval_id']}")
        found.append(await left())
        return found

    assert played(tmp_path, story) == [40_000, 20_000, 0, 60_000]


def test_an_approval_takes_the_place_of_the_quote_under_its_engagement(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await hub.check(domain="DENT")
        await hub.call("POST", "/v1/quotes", {"engagement": engagement, "lines": [implant(60_000)]})
        wrong = await asked(hub, engagement, implant(amo_rate="61%", base_cents=1))
        assert wrong["status"] == "refused"
        assert hub.rows("SELECT holder, cents FROM reserved") == [(engagement, 60_000)], "a refused one takes nothing"
        answer = await asked(hub, engagement, implant())
        assert hub.rows("SELECT holder, cents FROM reserved WHERE cents > 0") == [(answer["approval_id"], 40_000)]

    played(tmp_path, story)


def test_one_aid_an_ear_every_four_years_is_promised_once(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        await equip(hub)
        promised = []
        for n, ear in enumerate(("left", "left", "right")):
            where = OTHER_PRACTICE if n else PRACTICE
            engagement = await hub.check(where, domain="AUDI")
            devis = aid(act="EAR", side=ear, date=f"2027-01-0{n + 1}")
            answer = await asked(hub, engagement, devis, reference=f"D-{n}", practice=where)
            promised.append(answer["total"]["amc_cents"])
        return promised

    assert played(tmp_path, story) == [50_000, 0, 50_000]


def test_an_expired_approval_shows_it_and_reserves_no_more(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        approval = await granted(hub, aid(2), domain="AUDI")

        async def left() -> int:
            day = {"care_date": hub.clock.instant.date().isoformat()}
            engagement = await hub.check(OTHER_PRACTICE, domain="AUDI", **day)
            sent = {"engagement": engagement, "lines": [aid(2, date=day["care_date"])]}
            _, answer = await hub.call("POST", "/v1/quotes", sent, OTHER_PRACTICE)
            return int(answer["total"]["amc_cents"])

        assert await left() == 0
        hub.clock.instant += timedelta(days=120)
        assert (await shown(hub, approval))["status"] == "granted", "the last day is inside"
        hub.clock.instant += timedelta(days=1)
        life = await shown(hub, approval)
        assert (life["status"], life["moves"][-1]) == (
            "expired", {"at": "2027-03-23T23:00:00Z", "move": "expire", "status": "expired"},
        )  # fmt: skip
        states = {state: (await hub.call("GET", f"/v1/approvals?state={state}"))[1] for state in ("expired", "granted")}
        assert [len(page["approvals"]) for page in states.values()] == [1, 0]
        late = await hub.send(claim("F1", aid(date="2027-02-01"), approval=approval))
        assert [each["code"] for each in late["refusals"]] == ["approval_closed"]
        assert "23/03/2027" in late["refusals"][0]["detail"]
        status, problem = await cancelled(hub, f"/v1/approvals/{approval}")
        assert (status, problem["code"]) == (409, "approval_closed")

    played(tmp_path, story)


def test_the_day_it_expires_another_may_be_promised_what_it_held(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        await equip(hub, last="2026-12-05")
        await granted(hub, implant(60_000, date="2026-12-05"))  # with the rights: billed until 4 January
        paid = []
        for day in ("2026-12-23", "2027-01-04", "2027-01-05"):
            hub.clock.instant = hub.clock.instant.fromisoformat(f"{day}T10:00:00+00:00")
            bare = await hub.send(
                claim(day, implant(60_000 + len(paid), date="2026-12-04"), domain="DENT"), OTHER_PRACTICE
            )
            paid.append(bare["amc_cents"])
        return paid

    assert played(tmp_path, story) == [0, 0, 60_000]


def test_an_approval_of_another_practice_is_as_unknown(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        approval = await granted(hub, crown())
        unknown = "pec_00000000000000000000"
        for method, path in (("GET", "/v1/approvals/{}"), ("POST", "/v1/approvals/{}/cancellation")):
            foreign = await hub.call(method, path.format(approval), practice=OTHER_PRACTICE)
            assert foreign == await hub.call(method, path.format(unknown), practice=OTHER_PRACTICE)
            assert (foreign[0], foreign[1]["code"]) == (404, "not_found")
        assert (await hub.call("GET", "/v1/approvals", practice=OTHER_PRACTICE))[1]["approvals"] == []
        claims = [
            await hub.send(claim(f"F{each}", crown(), approval=each), OTHER_PRACTICE) for each in (approval, unknown)
        ]
        assert claims[0]["refusals"] == claims[1]["refusals"]
        assert [each["code"] for each in claims[0]["refusals"]] == ["approval_unknown"]
        engagement = await hub.check(domain="DENT")
        body = {"engagement": engagement, "reference": "D-1", "lines": [crown()]}
        status, problem = await hub.call("POST", "/v1/approvals", body, OTHER_PRACTICE)
        assert (status, problem["code"]) == (404, "engagement_unknown")
        assert (await shown(hub, approval))["status"] == "granted"

    played(tmp_path, story)


def test_own_approvals_are_listed_page_by_page(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        ids = [await granted(hub, crown(), reference=f"D-{n}") for n in range(3)]
        engagement = await hub.check(domain="DENT")
        ids.append((await asked(hub, engagement, crown(amo_rate="61%"), reference="D-9"))["approval_id"])
        seen, cursor = [], ""
        for _ in range(2):
            _, page = await hub.call("GET", f"/v1/approvals?limit=2&cursor={cursor}")
            seen += [each["approval_id"] for each in page["approvals"]]
            cursor = page["next_cursor"]
        assert (seen, cursor) == (ids[::-1], None)
        for query, count in (("state=refused", 1), ("from=2026-11-23&to=2026-11-23", 4), ("from=2026-11-24", 0)):
            assert len((await hub.call("GET", f"/v1/approvals?{query}"))[1]["approvals"]) == count
        (refused,) = (await hub.call("GET", "/v1/approvals?state=refused"))[1]["approvals"]
        assert refused.keys() == {"approval_id", "reference", "status", "asked_on"}

    played(tmp_path, story)


def test_every_answer_was_journalled_with_what_it_told(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[Any]:
        await equip(hub)
        engagement = await hub.check(domain="DENT")
        answer = await asked(hub, engagement, crown())
        await asked(hub, engagement, crown())
        await asked(hub, engagement, crown(amo_rate="61%"), reference="D-2")
        await shown(hub, answer["approval_id"])
        await hub.call("GET", "/v1/approvals")
        await cancelled(hub, f"/v1/approvals/{answer['approval_id']}")
        return hub.journal()[1:]

    entries = played(tmp_path, story)
    told = Field.APPROVAL | Field.VALID_UNTIL | Field.SPLIT | Field.GUARANTEE
    assert [(each.operation, each.outcome, Field(each.fields)) for each in entries] == [
        (Operation.APPROVAL, "granted", told),
        (Operation.APPROVAL, "granted", told),
        (Operation.APPROVAL, "refused", Field.APPROVAL | Field.REASON),
        (Operation.APPROVAL_READ, "granted", told | Field.ENGAGEMENT),
        (Operation.APPROVAL_READ, "listed", Field.APPROVAL),
        (Operation.APPROVAL_CANCELLED, "cancelled", told),
    ]
    assert entries[0].request == entries[1].request, "asked again, it is the approval it was"
    assert len({each.person for each in entries if each.outcome != "listed"}) == 1


def test_nothing_kept_names_the_person(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> bytes:
        await equip(hub)
        approval = await granted(hub, crown(), implant(line=2))
        await hub.send(claim("F1", crown(), approval=approval))
        return hub.books.everything()

    tables = played(tmp_path, story)
    kept = [tables, *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())]
    for secret in (NIR, NIR[:13], BIRTH, "M0001", "C-D"):
        assert not any(secret.encode() in content for content in kept), secret


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"unknown": 1}, 400, "malformed"),
        ({"reference": "D\n"}, 400, "malformed"),
        ({"reference": "D" * 41}, 400, "malformed"),
        ({"lines": []}, 400, "malformed"),
        ({"lines": [crown(amo_rate="x")]}, 400, "rate_invalid"),
        ({"engagement": "E260000000000000"}, 404, "engagement_unknown"),
    ],
)
def test_what_does_not_read_is_kept_nowhere(tmp_path: Path, changes: Any, status: int, code: str) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        body = {"engagement": await hub.check(domain="DENT"), "reference": "D-1", "lines": [crown()]}
        answer = await hub.call("POST", "/v1/approvals", body | changes)
        assert (answer[0], answer[1]["code"]) == (status, code), answer
        assert (await hub.call("POST", "/v1/approvals", body, scope="rights"))[0] == 403
        assert (await hub.call("GET", "/v1/approvals", practice=""))[0] == 403
        assert hub.rows("SELECT count(*) FROM approval") == [(0,)]

    played(tmp_path, story)


def test_guarantees_that_are_not_there_yet_leave_the_reference_free(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        hub.member(right("GHOST", domains=("DENT",)))
        body = {"engagement": await hub.check(domain="DENT"), "reference": "D-1", "lines": [crown()]}
        status, problem = await hub.call("POST", "/v1/approvals", body)
        assert (status, problem["code"]) == (422, "guarantees_missing")
        await hub.product(TABLE.replace("product: D", "product: GHOST"))
        status, answer = await hub.call("POST", "/v1/approvals", body)
        assert (status, answer["total"]["amc_cents"]) == (201, 28_800)

    played(tmp_path, story)


def test_a_zero_byte_is_an_unknown_name_or_a_wrong_one_and_never_a_fault(tmp_path: Path) -> None:
    """PostgreSQL holds no text with one."""

    async def story(hub: ClaimsHub) -> list[int]:
        await equip(hub)
        body = {"engagement": await hub.check(domain="DENT"), "reference": "D-1", "lines": [crown()]}
        asked_for = [
            await hub.call("POST", "/v1/approvals", body | {"reference": "a\x00b"}),
            await hub.call("POST", "/v1/approvals", body | {"engagement": "a\x00b"}),
            await hub.call("POST", "/v1/claims", claim("F1", crown(), approval="a\x00b")),
            await hub.call("GET", "/v1/approvals/a%00b"),
            await hub.call("POST", "/v1/approvals/a%00b/cancellation"),
            await hub.call("GET", "/v1/approvals?cursor=a%00b"),
        ]
        return [status for status, _ in asked_for]

    assert not [status for status in played(tmp_path, story) if status >= 500]


def test_the_schema_describes_the_calls_and_the_new_field(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> Any:
        return await hub.call("GET", "/schema")

    status, schema = played(tmp_path, story)
    assert status == 200
    paths = {path: sorted(calls) for path, calls in schema["paths"].items() if path.startswith("/v1/approvals")}
    assert paths == {
        "/v1/approvals": ["get", "post"], "/v1/approvals/{approval_id}": ["get"],
        "/v1/approvals/{approval_id}/cancellation": ["post"],
    }  # fmt: skip
    sent = schema["components"]["schemas"]["ClaimSent"]
    assert "approval" in sent["properties"]
    assert "approval" not in sent["required"]
