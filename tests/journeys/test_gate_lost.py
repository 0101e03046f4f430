"""gate.db is lost, or an older copy put back, and no server started since: no command takes it for a hub without limits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.inside import DURAND, MARTIN, Inside, inside
from tests.journeys.site import AMC, MEMBER

THIEF, FREED, ROBBED, DECOY = "rpps:10000000011", "rpps:10000000012", "rpps:10000000013", "rpps:10000000009"
MEMBERS = [("--insurer", AMC, "--member", f"N{each}", "--birth-date", MEMBER["birth_date"]) for each in range(4)]

# What an operator may type first, and what it has to say: none of it lifts, forgets or hides anything.
FIRST: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("closed", ("gate", "show")),
    ("quarantined", ("gate", "show", THIEF)),
    ("quarantined", ("gate", "contain", THIEF, "slowed", *DURAND)),
    ("closed", ("gate", "contain", f"insurer:{AMC}", "presence-only", *DURAND)),
    ("quarantined", ("gate", "release", THIEF, "open", *DURAND)),  # he asks, and alone
    ("quarantined", ("gate", "look", THIEF)),
    ("frozen", ("gate", "freeze", *MEMBERS[2], "--operator", "b. durand")),
    ("une copie", ("gate", "decoy", "list")),
    ("", ("insurer", "list")),
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with inside(tmp_path_factory.mktemp("lost"), people=12) as made:
        made.ask(FREED, [1])
        made.run("gate", "contain", FREED, "quarantined", *MARTIN)
        made.close()
        shutil.copy(made.directory / "gate.db", made.folder / "older.db")
        made.run("gate", "freeze", *MEMBERS[3], "--operator", "a. martin")
        made.run("gate", "contain", THIEF, "quarantined", *MARTIN)
        made.run("gate", "contain", f"insurer:{AMC}", "closed", *MARTIN)
        made.run("gate", "lost", ROBBED, *MARTIN)
        made.run("gate", "decoy", "account", DECOY, "--label", "une copie", *MARTIN)
        for who in (MARTIN, DURAND):
            made.run("gate", "release", FREED, "open", *who)
        yield made


def lose(hub: Inside, how: str) -> None:
    hub.close()
    for file in hub.directory.glob("gate.db*"):
        file.unlink()
    if how == "older":
        shutil.copy(hub.folder / "older.db", hub.directory / "gate.db")


def standing(hub: Inside) -> Any:
    limits = {each["name"]: (each["step"], each["state"]["is_lost"]) for each in hub.json("gate", "show")}
    return limits, [each["accounts"] for each in hub.json("gate", "decoy", "list")], hub.ask(FREED, [1, 3])


@pytest.mark.parametrize("how", ["lost", "older"])
def test_whatever_is_typed_first_after_gate_db_was_lost_finds_what_the_journal_tells(hub: Inside, how: str) -> None:
    before = standing(hub)
    limits = {AMC: ("closed", False), THIEF: ("quarantined", False), ROBBED: ("quarantined", True)}
    assert before == (limits, [[DECOY]], ["questions_closed"] * 2)
    for said, words in FIRST:
        lose(hub, how)
        assert said in hub.run(*words), words
        assert standing(hub) == before, words


def test_where_nothing_was_lost_a_command_that_reads_takes_no_slot_and_reads_no_entry(hub: Inside) -> None:
    hub.ask(FREED, [1])
    hub.close()
    hub.run("gate", "show")
    assert hub.hub.log.name == ""  # opened anew, it holds no shard
