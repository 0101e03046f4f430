"""A pass that was found says to nobody whose it is: not to who tries it with a list of people, nor to who may not ask at all."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from ecluse.app.presence import MISMATCHES_MAX
from ecluse.doors.cli.main import typed
from ecluse.engines.keys.file import DevelopmentOnly
from ecluse.gate.identity import Account
from ecluse.wiring import OpenHub, open_hub
from tests.journeys.members import bearer, load, make, played, question, row, write
from tests.journeys.test_passes import REFUSED, call, issued, refused

PEOPLE = 30
OWNER = 25


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[OpenHub]:
    warnings.simplefilter("ignore", DevelopmentOnly)
    with open_hub(make(tmp_path / "hub")) as opened:
        load(opened, write(tmp_path / "members.csv", [row(number) for number in range(1, PEOPLE)]))
        yield opened


def headers(hub: OpenHub, account: str) -> dict[str, str]:
    asks = Account(account, "370000028", "physician", scopes=frozenset({"rights"}))
    token = hub.development_issuer().token(asks, int(hub.clock.now().timestamp()), lifetime_s=300)
    return {"Authorization": f"Bearer {token}"}


def tried(hub: OpenHub, account: str, text: str, number: int) -> tuple[int, str]:
    """What an account is told that shows a pass with the card of a member."""
    asked = {**question(number), "pass": text}
    answer = call(hub, "POST", "/v1/rights/checks", asked, headers(hub, account))
    return answer.status_code, answer.json().get("code", answer.json().get("outcome"))


def test_a_list_is_not_tried_to_its_end_by_anybody(hub: OpenHub) -> None:
    found, other = issued(hub, OWNER)["pass"], issued(hub, 2)["pass"]
    assert tried(hub, "rpps:10000000009", found, OWNER) == (200, "confirmed")
    told = [tried(hub, "rpps:10000000008", found, number) for number in range(1, MISMATCHES_MAX + 1)]
    assert set(told) == {REFUSED[:2]}
    # Now whose it is says nothing any more: neither to this account, of any pass, nor of this pass to another.
    assert tried(hub, "rpps:10000000008", found, OWNER) == REFUSED[:2]
    assert tried(hub, "rpps:10000000008", other, 2) == REFUSED[:2]
    assert tried(hub, "rpps:10000000007", found, OWNER) == REFUSED[:2]
    assert tried(hub, "rpps:10000000007", other, 2) == (200, "confirmed")
    assert tried(hub, "rpps:10000000008", "TP1:ABC", 2) == REFUSED[:2]


def test_nor_when_all_of_it_is_tried_at_once(hub: OpenHub) -> None:
    found, allowed = issued(hub, OWNER)["pass"], headers(hub, "rpps:10000000005")

    async def at_once(client: httpx.AsyncClient) -> list[httpx.Response]:
        bodies = [{**question(number), "pass": found} for number in range(1, PEOPLE)]
        return await asyncio.gather(*(client.post("/v1/rights/checks", json=each, headers=allowed) for each in bodies))

    assert {refused(answer) for answer in played(hub, at_once)} == {REFUSED}


def test_who_may_not_ask_is_told_so_whatever_pass_it_shows(hub: OpenHub) -> None:
    found = issued(hub, OWNER)["pass"]
    contained(hub, "rpps:10000000006")
    told = {tried(hub, "rpps:10000000006", text, number) for text in (found, "TP1:ABC") for number in (OWNER, 3, 999)}
    assert told == {(403, "account_quarantined")}


def test_the_refusal_is_the_one_of_any_pass(hub: OpenHub) -> None:
    found = issued(hub, OWNER)["pass"]
    insurer = bearer(hub, scope="rights")
    answers = [
        call(hub, "POST", "/v1/rights/checks", {**question(3), "pass": found}, insurer)
        for _ in range(MISMATCHES_MAX + 3)
    ]
    assert {refused(answer) for answer in answers} == {REFUSED}
    assert len({answer.content for answer in answers}) == 1


def contained(hub: OpenHub, account: str) -> None:
    """An operator shuts an account."""
    words = ["gate", "contain", account, "quarantined", "--operator", "a.martin", "--reason", "essai"]
    done = CliRunner().invoke(typed(["gate"]), [*words, "--dir", str(hub.dir)])
    assert done.exit_code == 0, done.output
    time.sleep(0.1)  # until this process has seen it
