"""A journal is pruned, and the file that follows from it lost: who was frozen, limited, denied or planted before still is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.inside import DURAND, MARTIN, Inside, inside
from tests.journeys.site import AMC, MEMBER

THIEF, DENIED, FREED, HONEST, LATER = (f"rpps:1000000001{number}" for number in range(5))
DECOY = "rpps:10000000009"
BY = ("--by", "Anne Martin, DPO")
DAYS = 215  # the first month is over for longer than six months


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Inside]:
    with inside(tmp_path, people=12) as made:
        yield made


def held(hub: Inside) -> str:
    """Somebody is held to each thing there is; the incident."""
    frozen = [("--insurer", AMC, "--member", f"N{each}", "--birth-date", MEMBER["birth_date"]) for each in (3, 4)]
    hub.run("gate", "freeze", *frozen[0], "--operator", "a.martin")
    hub.run("gate", "freeze", *frozen[1], "--operator", "a.martin")
    hub.run("gate", "unfreeze", *frozen[1], "--operator", "a.martin")
    hub.run("gate", "contain", THIEF, "quarantined", *MARTIN)
    hub.run("gate", "contain", FREED, "presence-only", *MARTIN)
    for who in (MARTIN, DURAND):
        hub.run("gate", "release", FREED, "open", *who)
    hub.run("gate", "decoy", "account", DECOY, "--label", "une copie", *MARTIN)
    assert hub.ask(DENIED, [1, 2, 5, 6, 7, 8, 9, 10]) == ["confirmed"] * 8
    opening = hub.openings()["N1"]
    hub.run("gate", "deny", opening, "--insurer", AMC, *MARTIN)
    window = ("--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z")
    return str(hub.json("incident", "open", "--account", THIEF, *window, *BY, "--how", "Un appel")["incident"])


def shown(hub: Inside, incident: str) -> Any:
    """What commands and questions say of it all."""
    steps = [hub.step(each) for each in (THIEF, DENIED, FREED)]
    answers = hub.ask(HONEST, [3, 4]), hub.ask(THIEF, [1])
    told = hub.json("gate", "decoy", "list")[0]
    debt = hub.json("gate", "show", DENIED)["position"]["standing"]["debt"]
    events = hub.json("incident", "show", incident)
    return steps, answers, (told["label"], told["accounts"], told["planted_at"]), debt, events, said(hub)


def said(hub: Inside) -> Any:
    return hub.json("gate", "denials", "--account", DENIED)


@pytest.mark.parametrize("lost", ["before", "after"])
def test_what_anybody_is_held_to_outlives_the_months_it_was_said_in(hub: Inside, lost: str) -> None:
    incident = held(hub)
    before = shown(hub, incident)
    assert before[:2] == (["quarantined", "open", "open"], (["not_confirmed", "confirmed"], ["account_quarantined"]))
    hub.wait_at_work(DAYS)
    hub.close()
    before = shown(hub, incident)  # a debt of then is the denial alone
    assert before[3] == 1
    hub.close()
    prune = ("journal", "prune", "--keep-months", "6")
    if lost == "before":
        hub.lose("gate.db")
    foreseen = hub.run(*prune, "--dry-run")
    told = '2 freezes, 2 limits, 1 batches of decoys, 1 "not me", 1 events of open incidents'
    assert f"Would be told again, so that it stands without them: {told}." in foreseen
    done = json.loads(hub.run(*prune, "--json"))
    assert done["shards"]
    assert done["carried"] == {"freezes": 2, "limits": 2, "decoys": 1, "denials": 1, "incidents": 1}
    assert hub.json(*prune)["shards"] == []
    hub.lose("gate.db", "openings.db", "sensed.db")
    assert shown(hub, incident) == before
    hub.watch()
    assert (hub.alerts(DENIED), hub.step(DENIED)) == ({}, "open")
    assert set(hub.openings()) == {"N4"}  # who was told of before is told to nobody again
    hub.run("journal", "verify")


def test_pruning_reads_what_was_lost_before_it_removes_it(hub: Inside) -> None:
    """Whoever prunes with gate.db gone, and no server started since, is not taken for a hub where nobody is held to anything."""
    hub.run("gate", "contain", THIEF, "quarantined", *MARTIN)
    hub.wait_at_work(DAYS)
    hub.ask(HONEST, [1])  # a start: the month is over
    hub.close()
    for file in hub.directory.glob("gate.db*"):
        file.unlink()
    done = hub.json("journal", "prune", "--keep-months", "6")
    assert (len(done["shards"]), done["carried"]["limits"]) == (1, 1)
    hub.lose("gate.db")
    assert hub.step(THIEF) == "quarantined"


def test_a_clock_that_is_ahead_removes_nothing_even_where_questions_were_asked_under_it(hub: Inside) -> None:
    hub.ask(HONEST, [1])
    there = sorted((hub.directory / "journal").glob("*/tile/entries"))
    hub.wait(400)
    for words in (("--dry-run",), (), ("--keep-months", "6")):
        assert "0 entries of 0 shards" in (said := hub.run("journal", "prune", *words))
        assert "Is the clock right?" in said
        hub.ask(HONEST, [2])
        hub.close()
    assert set(there) < set((hub.directory / "journal").glob("*/tile/entries"))
