"""At the cap a refusal is all that is told: the same work is done for who is covered and for nobody, and counted before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ecluse.app.rights import CARE_AHEAD_DAYS_MAX
from tests.journeys.claims_hub import CARD, NIR, ClaimsHub, claim, line, played

NOBODY = {**CARD, "beneficiary": {"nir": NIR, "birth_date": "1931-12-30", "birth_rank": 1}}
WORK = {"keys": ("seal", "digest", "pseudonym"), "products": ("in_force", "table"), "desk": ("_entry",)}


class Spent:
    """Counters of an account of which nothing is left."""

    asked = 0

    def take(self, asks: Sequence[Any]) -> list[str]:
        self.asked += len(asks)
        return ["bucket" for _ in asks]

    def practices(self, account: str) -> list[str]:
        return []

    def position(self, account: str, today: int) -> None: ...


def work_of(hub: ClaimsHub, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is done from now on, by the name of what does it."""
    done: Counter[str] = Counter()
    for port, names in WORK.items():
        for name in names:
            real = getattr(getattr(hub, port), name)

            def counted(*given: Any, _real: Any = real, _name: str = name, **named: Any) -> Any:
                done[_name] += 1
                return _real(*given, **named)

            monkeypatch.setattr(getattr(hub, port), name, counted)
    return done


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/rights/checks", {"care_date": "2026-11-23", "pass": None}),
        ("/v1/claims", claim("F1", *(line(line=n + 1, date=f"2026-11-{n + 1:02}") for n in range(20)))),
    ],
)
def test_the_same_work_is_done_for_who_is_covered_and_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    async def story(hub: ClaimsHub) -> None:
        await hub.check()  # keys are made and pages read
        hub.allowance.store = Spent()  # type: ignore[assignment]
        await hub.call(
            "POST", path, {**body, **NOBODY}
        )  # the first that is refused; the decoy is sealed once a process
        done, per_person = work_of(hub, monkeypatch), []
        for about in (CARD, NOBODY):
            done.clear()
            status, answer = await hub.call("POST", path, {**body, **about})
            assert (status, answer["code"]) == (429, "allowance_spent")
            per_person.append(dict(done))
        assert per_person[0] == per_person[1]
        assert not {"seal", "in_force", "table", "_entry"} & per_person[0].keys()

    played(tmp_path, story)


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-20", "0001-01-01", "1999-01-01", "2027-11-01"])
def test_a_claim_of_a_day_too_far_is_refused_before_anybody_is_looked_for(tmp_path: Path, day: str) -> None:
    assert CARE_AHEAD_DAYS_MAX < 300

    async def story(hub: ClaimsHub) -> None:
        counters = hub.allowance.store = Spent()  # type: ignore[assignment]
        for body, pointer in (
            (claim("F1", care_date=day), "/care_date"),
            (claim("F1", line(date=day)), "/care_date"),
            (claim("F1", line(), line(line=2, date=day), care_date="2026-11-23"), "/lines/1/date"),
        ):
            for about in (CARD, NOBODY):
                status, answer = await hub.call("POST", "/v1/claims", {**body, **about})
                assert (status, answer["code"], answer["pointer"]) == (422, "care_date_out_of_range", pointer)
        assert counters.asked == 0

    played(tmp_path, story)
