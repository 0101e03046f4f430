"""Every control of a prior approval, provoked by data, through HTTP: the exact refusals, in French, and none other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecluse.claims.approving import CONTROLS, WORDS
from tests.journeys.claims_hub import ClaimsHub, played
from tests.journeys.devis import asked, crown, equip, shown

pytestmark = pytest.mark.usefixtures("store_url")  # on each engine

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "approvals" / "controls.yaml").read_text())
DOCS = Path(__file__).parents[2] / "docs" / "approvals.md"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_control(case: dict[str, Any], tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> tuple[dict[str, Any], dict[str, Any]]:
        await equip(hub, last=case.get("rights_until"))
        engagement = await hub.check(**{"domain": "DENT"} | case.get("engaged", {}))
        if "today" in case:
            hub.clock.instant = datetime.fromisoformat(case["today"]).replace(hour=9, tzinfo=UTC)
        lines = [crown(**{"date": "2026-12-01"} | changes) for changes in case.get("lines", [{}])]
        lines = [crown(line=number) for number in range(1, case.get("many_lines", 0) + 1)] or lines
        answer = await asked(hub, engagement, *lines)
        return answer, await shown(hub, answer["approval_id"])

    answer, life = played(tmp_path, story)
    assert [[each["code"], each.get("line")] for each in answer["refusals"]] == case["expect"]
    assert answer["status"] == life["status"] == ("refused" if case["expect"] else "granted")
    assert case.get("says", "") in "".join(each["detail"] for each in answer["refusals"][:1])
    assert life["refusals"] == answer["refusals"]
    assert ("amc_cents" in life) == ("total" in answer) == (not case["expect"]), "a refused one tells no amount"


def test_every_control_and_refusal_of_its_own_is_provoked_and_documented() -> None:
    assert {code for case in CASES for code, _ in case["expect"]} >= set(WORDS)
    text = DOCS.read_text()
    assert [name for name in [*WORDS, *CONTROLS] if f"`{name}`" not in text] == []
