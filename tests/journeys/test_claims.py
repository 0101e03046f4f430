"""Claims from outside: the example of the contract, sent again, sent at once, replaced, cancelled, shown, and kept sealed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ecluse.journal.entry import Field, Operation
from tests.journeys.claims_hub import (
    BIRTH,
    CARD,
    INSURER,
    NIR,
    OTHER_PRACTICE,
    PRACTICE,
    ClaimsHub,
    claim,
    line,
    played,
    right,
)

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine


def test_the_example_of_the_contract_is_priced_to_the_cent(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> tuple[Any, Any, Any]:
        engagement = await hub.check()
        quoted = await hub.call("POST", "/v1/quotes", {"engagement": engagement, "lines": [line()]})
        answer = await hub.send(claim(engagement=engagement))
        return quoted, answer, await hub.balances()

    (status, quoted), answer, balances = played(tmp_path, story)
    assert status == 200
    assert quoted["total"] == {"expense_cents": 5000, "amo_cents": 2205, "amc_cents": 2795, "patient_cents": 0}
    assert {name: answer[name] for name in ("status", "amc_cents", "pay_by", "refusals")} == {
        "status": "accepted", "amc_cents": 2795, "pay_by": "2026-12-02", "refusals": [],
    }  # fmt: skip
    assert balances == {f"insurer:{INSURER}": 2795, f"practice:{PRACTICE}": -2795}


def test_what_the_amo_keeps_back_is_kept_apart_and_changes_no_amount(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> dict[str, Any]:
        answer = await hub.send(claim("A", line(participation_cents=200)))
        assert answer["amc_cents"] == 2795
        return (await hub.call("GET", f"/v1/claims/{answer['claim_id']}"))[1]

    (shown,) = played(tmp_path, story)["lines"]
    assert shown["participation_cents"] == 200
    assert (shown["amo_cents"], shown["amc_cents"], shown["patient_cents"]) == (2205, 2795, 0)


def test_a_quote_stores_nothing_and_is_journalled(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> tuple[Any, Any]:
        engagement = await hub.check()
        before = {table: hub.rows(f"SELECT count(*) FROM {table}") for table in ("claim", "consumed", "posting")}
        body = {"engagement": engagement, "lines": [line(act="OST", base_cents=0, amo_rate="0%")]}
        await hub.call("POST", "/v1/quotes", body)
        after = {table: hub.rows(f"SELECT count(*) FROM {table}") for table in before}
        assert before == after
        foreign = await hub.call("POST", "/v1/quotes", body, OTHER_PRACTICE)
        return hub.journal(), foreign

    journal, (status, foreign) = played(tmp_path, story)
    (entry,) = [each for each in journal if each.operation is Operation.QUOTE]
    assert Field(entry.fields) == Field.ENGAGEMENT | Field.SPLIT | Field.GUARANTEE
    assert (status, foreign["code"]) == (404, "engagement_unknown")


def test_sent_again_is_the_same_claim_and_another_body_is_refused(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        first = await hub.send(claim())
        hub.member()  # rights that changed since do not change what was answered
        assert await hub.send(claim()) == first
        status, other = await hub.call("POST", "/v1/claims", claim("2026-000123", line(expense_cents=5100)))
        assert (status, other["code"], other["pointer"]) == (409, "invoice_reused", "/invoice")
        hub.member(right())
        elsewhere = await hub.send(claim(), OTHER_PRACTICE)
        assert elsewhere["claim_id"] != first["claim_id"], "invoice numbers are each practice's own"
        assert hub.rows("SELECT count(*) FROM claim") == [(2,)]

    played(tmp_path, story)


def test_a_refused_claim_gives_its_number_back(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        wrong = claim("I", line(amo_rate="71%"))
        refused = await hub.send(wrong)
        assert refused["status"] == "refused"
        assert await hub.send(wrong) == refused
        mended = await hub.send(claim("I"))
        assert mended["status"] == "accepted"
        assert await hub.send(wrong) == refused, "its answer does not change because another claim was accepted"

    played(tmp_path, story)


@pytest.mark.parametrize("same", [True, False], ids=["same body", "other bodies"])
def test_many_at_once_make_one_claim(tmp_path: Path, same: bool) -> None:
    async def story(hub: ClaimsHub) -> list[tuple[int, dict[str, Any]]]:
        bodies = [claim("I", line(expense_cents=5000 + (0 if same else number))) for number in range(20)]
        answers = await asyncio.gather(*(hub.call("POST", "/v1/claims", body) for body in bodies))
        assert hub.rows("SELECT count(*), sum(amc_cents) FROM claim")[0][0] == 1
        assert len(hub.rows("SELECT * FROM posting")) == 2
        return list(answers)

    answers = played(tmp_path, story)
    assert sorted({status for status, _ in answers}) == ([201] if same else [201, 409])
    assert len({answer["claim_id"] for status, answer in answers if status == 201}) == 1


def test_yearly_guarantees_are_used_up_given_back_and_of_the_year_of_care(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        def sessions(invoice: str, day: str, count: int = 1) -> dict[str, Any]:
            lines = [
                line(line=n, act="OST", date=day, base_cents=0, amo_rate="0%", expense_cents=6000 + n)
                for n in range(1, count + 1)
            ]
            return claim(invoice, *lines, domain="AUXM")

        answers = [
            await hub.send(sessions("A", "2026-11-01", 4)),
            await hub.send(sessions("B", "2026-11-02", 2)),  # the fifth of the year is paid, the sixth is not
            await hub.send(sessions("C", "2025-11-02")),  # another year
            await hub.send(sessions("D", "2026-11-03")),
        ]
        await hub.call("POST", f"/v1/claims/{answers[1]['claim_id']}/cancellation")
        answers.append(await hub.send(sessions("E", "2026-11-04")))
        return [answer["amc_cents"] for answer in answers]

    assert played(tmp_path, story) == [12000, 3000, 3000, 0, 3000]


def test_two_contracts_pay_by_priority(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> dict[str, Any]:
        hub.member(right(), right("S", priority=2))
        answer = await hub.send(claim("I", line(expense_cents=8000)))
        status, shown = await hub.call("GET", f"/v1/claims/{answer['claim_id']}")
        assert (status, shown["amc_cents"]) == (200, answer["amc_cents"])
        return shown

    shown = played(tmp_path, story)
    # 80.00: AMO 22.05; the first contract up to 63.00 with the AMO, so 40.95; the second 5.00; the patient 12.00
    assert (shown["lines"][0]["amo_cents"], shown["amc_cents"], shown["lines"][0]["patient_cents"]) == (
        2205,
        4595,
        1200,
    )
    said = " ".join(shown["lines"][0]["because"])
    assert said.count("L'Assurance maladie rembourse") == 1
    assert "Votre deuxième contrat rembourse un forfait" in said
    assert said.count("Il vous reste 12,00\u00a0€ à payer sur 80,00\u00a0€") == 1


def test_an_engagement_is_honoured_after_the_contract_ended(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> tuple[str, str]:
        engagement = await hub.check()
        hub.member()
        under = await hub.send(claim("A", engagement=engagement))
        without = await hub.send(claim("B"))
        return under["status"], without["status"]

    assert played(tmp_path, story) == ("accepted", "refused")


def test_an_engagement_keeps_the_guarantees_it_was_given_with(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> tuple[int, int]:
        engagement = await hub.check()
        hub.clock.instant = hub.clock.instant.replace(hour=11)
        await hub.product(
            '{product: P, label: P, responsible: true, guarantees: [{domains: [MED], guarantee: "TM:100", label: X}]}'
        )
        under = await hub.send(claim("A", engagement=engagement))
        without = await hub.send(claim("B", line(expense_cents=5100)))
        return under["amc_cents"], without["amc_cents"]

    assert played(tmp_path, story) == (2795, 945)


def test_cancelled_once_whatever_is_sent(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        answer = await hub.send(claim())
        path = f"/v1/claims/{answer['claim_id']}/cancellation"
        foreign = await hub.call("POST", path, practice=OTHER_PRACTICE)
        unknown = await hub.call("POST", "/v1/claims/clm_00000000000000000000/cancellation")
        assert foreign == unknown
        assert foreign[0] == 404
        answers = [await hub.call("POST", path, body) for body in (None, {}, {"reason": "duplicate"})]
        assert [status for status, _ in answers] == [200] * 3
        assert all(each["status"] == "cancelled" and each["recovery"] is False for _, each in answers)
        assert set((await hub.balances()).values()) == {0}
        assert len(hub.rows("SELECT * FROM posting")) == 4
        assert (await hub.send(claim()))["status"] == "cancelled", "the same body is still the same claim"
        assert (await hub.send(claim("J")))["status"] == "accepted", "and is no duplicate any more"
        refused = await hub.send(claim("K", line(amo_rate="71%")))
        status, problem = await hub.call("POST", f"/v1/claims/{refused['claim_id']}/cancellation")
        assert (status, problem["code"]) == (409, "move_not_allowed")
        status, problem = await hub.call("POST", path, {"reason": "Mme Dupont est venue deux fois"})
        assert (status, problem["code"]) == (400, "malformed"), "free text could name someone"

    played(tmp_path, story)


def test_cancelled_after_it_was_paid_is_to_be_recovered(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        answer = await hub.send(claim())
        paid = "UPDATE claim SET state = 'settled', remittance = 'rem_1'"
        hub.change(paid)
        status, cancelled = await hub.call("POST", f"/v1/claims/{answer['claim_id']}/cancellation")
        assert (status, cancelled["status"], cancelled["recovery"]) == (200, "cancelled", True)
        assert hub.rows("SELECT state, remittance FROM claim") == [("cancelled", "rem_1")]

    played(tmp_path, story)


def test_cancelled_after_the_bank_sent_it_back_leaves_nothing_to_recover(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        answer = await hub.send(claim())
        hub.change(
            "INSERT INTO remittance VALUES ('rem_1', 'run', '', 2795, 'returned', '', ?, NULL, NULL, 'AC04')", b""
        )
        hub.change("UPDATE claim SET state = 'returned', remittance = 'rem_1'")
        for _ in range(2):  # again is the same answer
            status, cancelled = await hub.call("POST", f"/v1/claims/{answer['claim_id']}/cancellation")
            assert (status, cancelled["status"], cancelled["recovery"]) == (200, "cancelled", False)

    played(tmp_path, story)


def test_a_replacing_claim_takes_the_place_of_the_first_or_leaves_it(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        first = await hub.send(claim("A"))
        bad = await hub.send(claim("B", line(amo_rate="71%"), replaces=first["claim_id"]))
        assert bad["status"] == "refused"
        assert hub.rows("SELECT state FROM claim ORDER BY id") == [("accepted",), ("refused",)]
        assert (await hub.balances())[f"practice:{PRACTICE}"] == -2795
        same_act = await hub.send(claim("C", replaces=first["claim_id"]))  # no duplicate of what it replaces
        assert same_act["status"] == "accepted"
        assert await hub.send(claim("C", replaces=first["claim_id"])) == same_act
        _, shown = await hub.call("GET", f"/v1/claims/{first['claim_id']}")
        assert [(move["move"], move.get("about", "")) for move in shown["moves"]] == [
            ("accept", ""), ("cancel", same_act["claim_id"]),
        ]  # fmt: skip
        assert (await hub.balances())[f"practice:{PRACTICE}"] == -2795
        foreign = await hub.send(claim("D", replaces=same_act["claim_id"]), OTHER_PRACTICE)
        assert [each["code"] for each in foreign["refusals"]] == ["replaces_unknown"]

    played(tmp_path, story)


def test_own_claims_are_listed_page_by_page_and_foreign_ones_are_not_there(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        sent = [await hub.send(claim(f"I{n}", line(expense_cents=5000 + n))) for n in range(5)]
        sent.append(await hub.send(claim("I5", line(amo_rate="71%"))))
        ids = [answer["claim_id"] for answer in reversed(sent)]
        seen, cursor = [], ""
        for _ in range(3):
            status, page = await hub.call("GET", f"/v1/claims?limit=2&cursor={cursor}")
            assert status == 200
            seen += [each["claim_id"] for each in page["claims"]]
            cursor = page["next_cursor"]
        assert (seen, cursor) == (ids, None)
        by_state = await hub.call("GET", "/v1/claims?state=refused")
        assert [each["claim_id"] for each in by_state[1]["claims"]] == [ids[0]]
        for query, count in (("from=2026-11-23&to=2026-11-23", 6), ("from=2026-11-24", 0), ("to=2026-11-22", 0)):
            assert len((await hub.call("GET", f"/v1/claims?{query}"))[1]["claims"]) == count
        foreign = await hub.call("GET", "/v1/claims", practice=OTHER_PRACTICE)
        assert foreign[1]["claims"] == []
        one, unknown = (
            await hub.call("GET", f"/v1/claims/{ids[0]}", practice=OTHER_PRACTICE),
            await hub.call("GET", "/v1/claims/clm_00000000000000000000"),
        )
        assert (one, one[0], one[1]["code"]) == (unknown, 404, "not_found")

    played(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (claim(unknown=1), 400, "malformed"),
        (claim("I", {**line(), "base_cents": -1}), 400, "malformed"),
        (claim("I", {**line(), "expense_cents": 12.5}), 400, "malformed"),
        (claim("I", line(amo_rate=0.7)), 400, "malformed"),
        (claim("I", line(amo_rate="x")), 400, "rate_invalid"),
        (claim("I", line(amo_rate="101%")), 422, "line_invalid"),
        (claim("I", line(act="cs")), 400, "malformed"),
        (claim("I", line(act="CS\n")), 400, "malformed"),
        (claim("I\n"), 400, "malformed"),
        (claim("I" * 41), 400, "malformed"),
        (claim("I", *[line(line=n) for n in range(1, 202)]), 400, "malformed"),
        ({**claim(), "lines": []}, 400, "malformed"),
        ({**claim(), "engagement": "E260000000000000"}, 422, "claim_about_invalid"),
        ({name: value for name, value in claim().items() if name != "domain"}, 422, "claim_about_invalid"),
    ],
)
def test_what_does_not_read_is_refused_and_kept_nowhere(tmp_path: Path, body: Any, status: int, code: str) -> None:
    async def story(hub: ClaimsHub) -> None:
        answer = await hub.call("POST", "/v1/claims", body)
        assert (answer[0], answer[1]["code"]) == (status, code), answer
        assert not answer[1].get("pointer", "").startswith("/data"), "pointers lead into the body as it was sent"
        assert hub.rows("SELECT count(*) FROM claim") == [(0,)]

    played(tmp_path, story)


def test_a_token_without_the_scope_or_without_a_practice_is_refused(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        assert (await hub.call("POST", "/v1/claims", claim(), scope="rights"))[0] == 403
        assert (await hub.call("GET", "/v1/claims", scope="rights"))[0] == 403
        assert (await hub.call("POST", "/v1/claims", claim(), practice=""))[0] == 403

    played(tmp_path, story)


def test_nothing_kept_names_the_person(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> bytes:
        engagement = await hub.check()
        accepted = await hub.send(claim("A", engagement=engagement))
        await hub.send(claim("B", line(act="OST", base_cents=0, amo_rate="0%"), domain="AUXM"))
        await hub.send(claim("C", line(), beneficiary={"nir": NIR, "birth_date": "1979-06-15", "birth_rank": 1}))
        await hub.call("GET", f"/v1/claims/{accepted['claim_id']}")
        return hub.books.everything()

    tables = played(tmp_path, story)
    assert PRACTICE.encode() in tables
    kept = [tables, *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())]
    for secret in (NIR, NIR[:13], BIRTH, "1979-06-15", "M0001", "C-P"):
        assert not any(secret.encode() in content for content in kept), secret


def test_every_answer_was_journalled(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[Any]:
        answer = await hub.send(claim("A"))
        await hub.send(claim("B", line(amo_rate="71%")))
        await hub.call("GET", f"/v1/claims/{answer['claim_id']}")
        await hub.call("GET", "/v1/claims")
        await hub.call("POST", f"/v1/claims/{answer['claim_id']}/cancellation")
        return hub.journal()

    entries = played(tmp_path, story)
    claimed = Field.CLAIM | Field.SPLIT
    assert [(each.operation, each.outcome, Field(each.fields)) for each in entries] == [
        (Operation.CLAIM, "accepted", claimed),
        (Operation.CLAIM, "refused", Field.CLAIM | Field.REASON),
        (Operation.CLAIM_READ, "accepted", claimed | Field.GUARANTEE),
        (Operation.CLAIM_READ, "listed", Field.CLAIM),
        (Operation.CLAIM_CANCELLED, "cancelled", claimed),
    ]
    assert len({each.person for each in entries if each.outcome != "listed"}) == 1


def test_a_zero_byte_is_an_unknown_name_or_a_wrong_one_and_never_a_fault(tmp_path: Path) -> None:
    """PostgreSQL holds no text with one."""

    async def story(hub: ClaimsHub) -> list[int]:
        zero = "a\x00b"
        asked = [
            await hub.call("POST", "/v1/claims", claim(zero)),
            await hub.call("POST", "/v1/claims", claim("I", engagement=zero)),
            await hub.call("POST", "/v1/claims", claim("J", replaces=zero)),
            await hub.call("POST", "/v1/claims", claim("K", line(act=zero))),
            await hub.call("POST", "/v1/quotes", {"engagement": zero, "lines": [line()]}),
            await hub.call("GET", "/v1/claims/a%00b"),
            await hub.call("POST", "/v1/claims/a%00b/cancellation"),
            await hub.call("GET", "/v1/claims?cursor=a%00b"),
            await hub.call(
                "POST", "/v1/rights/checks", {**CARD, "insurer": zero, "care_date": "2026-11-23", "pass": None}
            ),
        ]
        return [status for status, _ in asked]

    assert not [status for status in played(tmp_path, story) if status >= 500]


def test_a_second_insurer_pays_on_what_the_first_leaves(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> tuple[Any, Any, Any]:
        engagement = await hub.check()
        told = line(other_amc_cents=2000)
        quoted = await hub.call("POST", "/v1/quotes", {"engagement": engagement, "lines": [told]})
        answer = await hub.send(claim("F1", told, engagement=engagement))
        refused = await hub.send(claim("F2", line(other_amc_cents=2796), engagement=engagement))
        return quoted, answer, refused

    (_, quoted), answer, refused = played(tmp_path, story)
    assert quoted["total"] == {
        "expense_cents": 5000, "amo_cents": 2205, "amc_cents": 795, "patient_cents": 0, "other_amc_cents": 2000,
    }  # fmt: skip
    assert any(
        "Une autre complémentaire, qui paie d'abord, verse 20,00" in said for said in quoted["lines"][0]["because"]
    )
    assert (answer["status"], answer["amc_cents"]) == ("accepted", 795)
    assert "other_amc_too_high" in [each["code"] for each in refused["refusals"]]
