"""What an insurer's token tells whoever stole it by way of passes: little of which number is whose, and the journal has it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ecluse.app import insurer_size, passes
from ecluse.app.passes import OPERATOR
from ecluse.formats.feed.file import Mode
from ecluse.journal.entry import Operation
from ecluse.kernel.days import paris_day
from ecluse.wiring import OpenHub, open_hub
from tests.journal import entries_in
from tests.journeys.members import AMC, bearer, load, make, played, row, write

PEOPLE = range(1, 6)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[OpenHub]:
    with open_hub(make(tmp_path / "hub")) as opened:
        load(opened, write(tmp_path / "f.csv", [row(number) for number in PEOPLE]))
        yield opened


def call(hub: OpenHub, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
    async def sent(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(path, json=body, headers={**headers, "Content-Type": "application/json"})

    answer: httpx.Response = played(hub, sent)
    return answer


def wanted(number: int, member_number: str = "") -> dict[str, Any]:
    who = row(number)
    return {"member_number": member_number or who["member_number"], "nir": who["nir"], "birth_date": who["birth_date"]}


def asked(hub: OpenHub, *members: dict[str, Any], days: int = 31, headers: dict[str, str] | None = None) -> Any:
    """What is issued to each member, or the code of the refusal."""
    body = {"insurer": AMC, "members": members, "days": days}
    answer = call(hub, "/v1/passes", body, headers or bearer(hub)).json()
    return [each["outcome"] for each in answer["passes"]] if "passes" in answer else answer["code"]


def operator(hub: OpenHub) -> dict[str, str]:
    now_ts = int(hub.clock.now().timestamp())
    return {"Authorization": f"Bearer {hub.development_issuer().token(OPERATOR, now_ts, lifetime_s=300)}"}


def outcomes(hub: OpenHub, operation: Operation) -> list[str]:
    return [each.outcome for each in entries_in(hub.dir / "journal") if each.operation is operation]


def guesses(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Numbers tried against a NIR that is known."""
    return [wanted(1, f"M{number}") for number in numbers]


def test_numbers_are_tried_so_often_in_a_day_and_then_nothing_is_told(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "MISSED_SPARE", 6)
    assert asked(hub, *guesses(range(100, 104)), wanted(2)) == ["not_issued"] * 4 + ["issued"]
    assert asked(hub, *guesses(range(104, 108))) == ["not_issued"] * 4
    with open_hub(hub.dir) as other:  # another process of the hub
        for members in (guesses([1]), guesses([108]), [wanted(2)]):
            assert asked(other, *members) == "passes_missed", "what is right is refused as what is not"
    assert outcomes(hub, Operation.PASS_ISSUED) == ["not_issued"] * 4 + ["issued"] + ["not_issued"] * 4
    assert asked(hub, *guesses([109, 1]), headers=operator(hub)) == ["not_issued", "issued"]


def test_requests_sent_together_are_told_no_more_than_one_after_the_other(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "MISSED_SPARE", 4)
    headers = bearer(hub) | {"Content-Type": "application/json"}

    async def together(client: httpx.AsyncClient) -> list[httpx.Response]:
        bodies = [{"insurer": AMC, "members": guesses(range(at, at + 2))} for at in range(100, 112, 2)]
        sent = [asyncio.ensure_future(client.post("/v1/passes", json=body, headers=headers)) for body in bodies]
        return list(await asyncio.gather(*sent))

    answers = played(hub, together)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429, 429]


def test_a_large_insurers_list_may_miss_more(hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "MISSED_SPARE", 1)
    monkeypatch.setattr(passes, "MISSED_PART", 4)  # five people are told as eight: two more
    assert [asked(hub, *guesses([number])) for number in range(100, 104)] == [["not_issued"]] * 3 + ["passes_missed"]


def test_the_room_does_not_tell_who_a_delta_met_already(
    hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five people, told as eight: with the room full, rows of a delta (nobody knows of whom) give no more that day."""
    monkeypatch.setattr(passes, "SPARE", 0)
    monkeypatch.setattr(passes, "PER_MEMBER", 1)
    assert asked(hub, *map(wanted, PEOPLE)) == ["issued"] * 5
    assert asked(hub, *map(wanted, (1, 2, 3)), days=30) == ["issued"] * 3
    for number in (1, 21, 22, 23, 24):  # the fourth that is new would lead to sixteen
        load(hub, write(tmp_path / "d.csv", [row(number, contract="Q", change="set")]), Mode.DELTA)
        assert asked(hub, wanted(4), days=29) == "passes_many", number
    monkeypatch.setattr(insurer_size, "paris_day", lambda at: paris_day(at) + timedelta(days=1))
    assert asked(hub, wanted(4), days=29) == ["issued"], "the day after"


def test_a_revocation_of_nobody_is_in_the_journal(hub: OpenHub) -> None:
    for number, told in (("M1", 0), ("NOBODY1", 0), ("M2", 1), ("M2", 0)):
        if told:
            assert asked(hub, wanted(2)) == ["issued"]
        member = {"member_number": number, "birth_date": row(1)["birth_date"], "birth_rank": 1}
        answer = call(hub, "/v1/passes/revocations", {"member": member}, bearer(hub))
        assert answer.json() == {"revoked": told}
    assert outcomes(hub, Operation.PASS_REVOKED) == ["none_revoked", "none_revoked", "revoked", "none_revoked"]
