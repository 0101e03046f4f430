"""Every control of a claim, provoked by data, through HTTP: the exact refusals, in French, and none other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecluse.claims.control import CONTROLS
from ecluse.claims.faults import WORDS
from tests.journeys.claims_hub import PRACTICE, ClaimsHub, claim, line, played
from tests.journeys.devis import equip, granted
from tests.rights import right

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "claims" / "controls.yaml").read_text())
DOCS = Path(__file__).parents[2] / "docs" / "claims.md"


async def body_of(hub: ClaimsHub, case: dict[str, Any], engagement: str | None) -> dict[str, Any]:
    lines = [line(**changes) for changes in case.get("lines", [{}])]
    if count := case.get("many_lines"):
        lines = [line(line=number, act="HD", expense_cents=102, base_cents=102) for number in range(1, count + 1)]
    about = {} if engagement is None else {"approval" if "approved" in case else "engagement": engagement}
    return claim("2026-000123", *lines, **about | case.get("claim", {}))


async def promised(hub: ClaimsHub, case: dict[str, Any]) -> str | None:
    """What the claim stands under: an approval of the lines `approved`, an engagement, or nothing."""
    if "approved" in case:
        await equip(hub)
        return await granted(hub, *(line(**changes) for changes in case["approved"]))
    return await hub.check() if case.get("engaged", True) else None


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_control(case: dict[str, Any], tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> dict[str, Any]:
        if "rights_since" in case:
            hub.member(right(first=case["rights_since"]))
        if "product" in case:
            hub.member(right(case["product"]))
        engagement = await promised(hub, case)
        before = [await hub.send(await body_of(hub, each, engagement)) for each in case.get("before", [])]
        if "today" in case:
            hub.clock.instant = datetime.fromisoformat(case["today"]).replace(hour=9, tzinfo=UTC)
        body = await body_of(hub, case, engagement)
        if body.get("replaces") == "{before}":
            body["replaces"] = before[0]["claim_id"]
        answer = await hub.send(body)
        shown = await hub.call("GET", f"/v1/claims/{answer['claim_id']}")
        return answer | {"shown": shown}

    answer = played(tmp_path, story)
    found = [[each["code"], each.get("line")] for each in answer["refusals"]]
    assert found == case["expect"]
    assert answer["status"] == ("refused" if found else "accepted")
    assert case.get("says", "") in "".join(each["detail"] for each in answer["refusals"][:1])
    assert ("amc_cents" in answer) == (not found), "a refused claim tells no amount"
    status, shown = answer["shown"]
    assert (status, shown["refusals"], shown["status"]) == (200, answer["refusals"], answer["status"])


def test_every_refusal_is_provoked_above() -> None:
    provoked = {code for case in CASES for code, _ in case["expect"]}
    assert provoked == set(WORDS)


def test_every_refusal_and_control_is_in_the_documentation() -> None:
    text = DOCS.read_text()
    assert [name for name in [*WORDS, *CONTROLS] if f"`{name}`" not in text] == []


def test_not_covered_is_one_answer_whatever_the_cause(tmp_path: Path) -> None:
    causes = [case for case in CASES if case["expect"] == [["not_covered", None]]]
    assert len(causes) >= 5

    async def story(hub: ClaimsHub) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        answers, lives = [], []
        for number, case in enumerate(causes):
            body = await body_of(hub, case, None)
            answers.append(await hub.send(body | {"invoice": f"N{number}"}))
            assert await hub.send(body | {"invoice": f"N{number}"}) == answers[-1]
            lives.append((await hub.call("GET", f"/v1/claims/{answers[-1]['claim_id']}"))[1])
        return answers, lives

    answers, lives = played(tmp_path, story)
    assert len({answer.pop("claim_id") for answer in answers}) == len(causes)
    assert all(answer == answers[0] for answer in answers)
    assert set(answers[0]) == {"status", "refusals"}
    for life in lives:
        assert life.keys() == lives[0].keys()
        assert (life["lines"], life["refusals"], life["status"]) == ([], answers[0]["refusals"], "refused")


def test_an_engagement_of_another_practice_is_as_unknown(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> tuple[dict[str, Any], dict[str, Any]]:
        given = await hub.check(practice="750000026")
        foreign = await hub.send(claim("A", engagement=given), PRACTICE)
        unknown = await hub.send(claim("B", engagement="E260000000000000"), PRACTICE)
        return foreign, unknown

    foreign, unknown = played(tmp_path, story)
    assert foreign["refusals"] == unknown["refusals"]
    assert foreign["refusals"][0]["code"] == "engagement_unknown"
