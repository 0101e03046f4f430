"""Detectors as a thief meets them: stopped by themselves within a few dozen questions, said in the journal and to operators;
an honest account beside it is not. A watcher that is killed has seen every question once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from ecluse.gate.identity import Account
from ecluse.gate.signals import Name
from ecluse.journal.entry import Operation
from ecluse.wiring import open_hub
from ecluse.wiring.gate import open_sensings
from tests.journal import entries_in
from tests.journeys.site import MEMBER, PRACTICE, Site, question

GUESSER, LISTER, HONEST, CUT = (f"rpps:1000000001{number}" for number in range(1, 5))
PEOPLE = 60
STOPPED = {"presence_required", "step_up_required", "account_quarantined"}
QUESTIONS_MAX = 50  # a look every twentieth of a second, and a twentieth until the limit is seen
ANSWERED, SEEN_S = 40, 10


def nir(number: int) -> str:
    """People of one commune and month, one after another."""
    body = 2_790_675_056_100 + number
    return f"{body}{97 - body % 97:02}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("sensed")
    made = Site(home / "hub", ECLUSE_GATE_DETECTORS="act", ECLUSE_GATE_WATCH_S="0.05", ECLUSE_LAKE_EVERY_S="0")
    made.make()
    made.load([{"member_number": f"N{number}", "nir": nir(number)} for number in range(PEOPLE)])
    yield made
    if made.process:
        made.stop()


def tokens(site: Site) -> dict[str, str]:
    """A token for each, of one login."""
    with open_hub(site.directory) as hub:
        now_ts, issuer, scopes = int(time.time()), hub.development_issuer(), frozenset({"rights"})
        return {
            sub: issuer.token(
                Account(sub, PRACTICE, "general_practitioner", scopes=scopes, software="logiciel", session=sub), now_ts
            )
            for sub in (GUESSER, LISTER, HONEST, CUT)
        }


def said(client: Any, number: int, **beneficiary: Any) -> str:
    reply = client.post("/v1/rights/checks", json=question(beneficiary={"nir": nir(number), **beneficiary})).json()
    return str(reply.get("outcome") or reply["code"])


def born(number: int) -> str:
    """A birth date of nobody."""
    return f"{1920 + number}-05-03"


def test_thieves_are_stopped_by_themselves_and_the_honest_are_not(site: Site) -> None:
    site.start(workers=2)
    known = tokens(site)
    with site.client(known[HONEST]) as honest:
        assert [said(honest, number) for number in (3, 50, 22, 31, 3, 50, 8)] == ["confirmed"] * 7
        assert said(honest, 9, birth_date=born(9)) == "not_confirmed"
    with site.client(known[GUESSER]) as guesser:
        outcomes = until_stopped(lambda number: said(guesser, number, birth_date=born(number)))
        assert outcomes[:-1] == ["not_confirmed"] * (len(outcomes) - 1)
    with site.client(known[LISTER]) as lister:
        outcomes = until_stopped(lambda number: said(lister, number))
        assert outcomes[:-1] == ["confirmed"] * (len(outcomes) - 1)
    with site.client(known[HONEST]) as honest:
        assert said(honest, 3) == "confirmed"
        metrics = honest.get("/metrics").text
    assert "ecluse_gate_waiting " in metrics
    moved = [each for each in entries_in(site.directory / "journal") if each.operation is Operation.CONTAINED]
    assert {(each.engagement, each.account) for each in moved} == {(GUESSER, "hub"), (LISTER, "hub")}
    assert len({(each.engagement, each.outcome) for each in moved}) == len(moved)  # each step once
    explained(site)
    site.stop()


def until_stopped(ask: Any) -> list[str]:
    outcomes = []
    for number in range(QUESTIONS_MAX):
        outcomes.append(ask(number))
        if outcomes[-1] in STOPPED:
            return outcomes
        time.sleep(0.02)
    raise AssertionError(f"never stopped: {outcomes}")


def explained(site: Site) -> None:
    """What operators see: whose, by which signal, with its evidence in a sentence."""
    shown = site.json("gate", "show", GUESSER)
    assert shown["step"] != "open"
    assert {each["signal"] for each in shown["alerts"]} >= {"misses"}
    for each in shown["alerts"]:
        assert " sur " in each["sentence_fr"]
        assert each["evidence"]["hits"] <= each["evidence"]["tries"]
    words = site.run("gate", "show", GUESSER).stdout
    assert "questions typées n'ont rien confirmé" in words
    assert MEMBER["nir"][:10] not in words
    found = site.json("gate", "alerts")
    assert {each["account"] for each in found} == {GUESSER, LISTER}
    assert {"neighbours", "misses"} <= {each["signal"] for each in found}
    assert "alerts" not in site.json("gate", "show", HONEST)
    assert site.json("gate", "show", "department:37")["counted"]["people"] > 5
    assert "people newly opened" in site.run("gate", "show", "department:37").stdout


def test_a_killed_watcher_has_seen_every_question_once(site: Site) -> None:
    site.environment["ECLUSE_GATE_DETECTORS"] = "tell"
    site.start()
    watcher = watcher_of(site)
    with site.client(tokens(site)[CUT]) as client:
        for number in range(ANSWERED):
            assert said(client, number, birth_date=born(number)) == "not_confirmed"
        os.kill(watcher, signal.SIGKILL)
    deadline_s = time.monotonic() + SEEN_S
    while (seen := misses(site)) != (0, ANSWERED):
        assert time.monotonic() < deadline_s, seen
        time.sleep(0.05)
    assert CUT not in {each["name"] for each in site.json("gate", "show")}


def watcher_of(site: Site) -> int:
    """The process that holds the watcher's lock, once it does: nobody else has it open."""
    lock, deadline_s = site.directory / "sensed.lock", time.monotonic() + SEEN_S
    while not (found := [int(each.name) for each in Path("/proc").glob("[0-9]*") if lock in opened_by(each)]):
        assert time.monotonic() < deadline_s, "nobody watches"
        time.sleep(0.05)
    return found[0]


def opened_by(process: Path) -> set[Path]:
    """What a process has open; nothing of one that is gone, or another user's."""
    found = set()
    with suppress(OSError):
        for each in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(each.readlink())
    return found


def misses(site: Site) -> tuple[int, int]:
    """Happenings that wait, and misses that were tried."""
    with closing(open_sensings(site.directory)) as kept:
        waiting, state = kept.waiting(), kept.state(CUT)
    return waiting, state.tally.tried[Name.MISSES] if state else 0
