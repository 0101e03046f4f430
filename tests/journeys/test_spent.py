"""At the cap a refusal is all that is told: the same work is done for who is covered and for nobody, and counted before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ecluse.app import even, rights, targets
from ecluse.rights.check import open_rights
from ecluse.rights.model import Covered, Right
from tests.journeys.claims_hub import CARD, INSURER, NIR, ClaimsHub, claim, line, played

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
    for module in (even, rights, targets):
        monkeypatch.setattr(module, "open_rights", Judged(done))
    return done


class Judged:
    """How many rights are looked at, and how many of them are found open."""

    def __init__(self, done: Counter[str]) -> None:
        self._done = done

    def __call__(self, rights: Iterable[Right], *about: Any) -> tuple[Covered, ...]:
        looked_at = list(rights)
        opened = open_rights(looked_at, *about)
        self._done.update(judged=len(looked_at), opened=len(opened))
        return opened


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


@pytest.mark.parametrize("is_spent", [False, True])
def test_an_insurer_that_is_not_served_costs_the_work_of_one_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_spent: bool
) -> None:
    """Wherever the keys live: a look-up that is not made tells within one question which insurers are served here."""

    async def story(hub: ClaimsHub) -> None:
        if is_spent:
            hub.allowance.store = Spent()  # type: ignore[assignment]
        asked = {**NOBODY, "care_date": "2026-11-23", "pass": None}
        await hub.call("POST", "/v1/rights/checks", asked)  # the decoy is sealed once a process
        done, per_insurer = work_of(hub, monkeypatch), []
        for insurer in (INSURER, "0075888888"):
            done.clear()
            status, _ = await hub.call("POST", "/v1/rights/checks", {**asked, "insurer": insurer})
            assert status == (429 if is_spent else 200)
            per_insurer.append(dict(done))
        assert per_insurer[0] == per_insurer[1]
        assert per_insurer[0]["pseudonym"] == 1

    played(tmp_path, story)


@pytest.mark.parametrize(
    ("day", "status"), [("2024-11-21", 200), ("2024-11-20", 422), ("2027-02-21", 200), ("2027-02-22", 422)]
)
def test_days_are_answered_from_two_years_back_to_ninety_days_ahead(tmp_path: Path, day: str, status: int) -> None:
    """Two years of 366 days: of the first of them a claim is refused by the control that says it is prescribed."""

    async def story(hub: ClaimsHub) -> None:
        answer = await hub.call("POST", "/v1/rights/checks", {**CARD, "care_date": day, "pass": None})
        assert (answer[0], answer[1].get("code")) == (status, "care_date_out_of_range" if status == 422 else None)

    played(tmp_path, story)


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-20", "0001-01-01", "1999-01-01", "2027-11-01"])
def test_a_claim_of_a_day_too_far_is_refused_before_anybody_is_looked_for(tmp_path: Path, day: str) -> None:
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
