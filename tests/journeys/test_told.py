"""What is told of an account reaches its detectors: "not me" and changes of bank, over months, through lost files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecluse.journal.entry import Operation
from tests.journal import entries_in
from tests.journeys.inside import DURAND, MARTIN, NEW, Inside, inside
from tests.journeys.site import PRACTICE

THIEF, HONEST, ELSEWHERE = (f"rpps:1000000001{number}" for number in range(3))
OTHER_PLACE = "750000018"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Inside]:
    with inside(tmp_path, people=300) as made:
        yield made


def opened(hub: Inside, who: str, people: range, practice: str = PRACTICE) -> list[str]:
    """The openings an account made of these people."""
    before = set(hub.openings().values())
    assert set(hub.ask(who, people, practice)) == {"confirmed"}
    hub.watch()
    return [each for each in hub.openings().values() if each not in before]


def test_not_me_said_a_few_times_a_month_asks_for_passes_in_the_end(hub: Inside) -> None:
    """Never as many in a month as the monthly count asks for: it is the months together that speak."""
    others = opened(hub, HONEST, range(30))
    assert hub.not_me(others[:1]) == ["counted"]  # one honest patient who forgot
    opened(hub, THIEF, range(150))
    steps = []
    while not steps or steps[-1] == "open":
        hub.wait(31)
        said = opened(hub, THIEF, range(150 + len(steps) * 12, 162 + len(steps) * 12))
        assert set(hub.not_me(said[:2])) == {"counted"}
        hub.watch()
        steps.append(hub.step(THIEF))
    assert steps[-1] in {"slowed", "presence_only"}
    assert 3 <= len(steps) <= 8
    alert = hub.alerts(THIEF)["denials"]
    assert "ont répondu « ce n'était pas pour moi »" in alert["sentence_fr"]
    assert "d'habitude 0,2 %, au plus 0,2 %" in alert["sentence_fr"]
    assert alert["evidence"]["hits"] == 2 * len(steps)
    assert (hub.step(HONEST), hub.alerts(HONEST)) == ("open", {})
    # Lost counters are made again from the journal, and say the same; what was lifted is not limited again by it.
    hub.lose("gate.db")
    hub.watch()
    assert (hub.step(THIEF), hub.alerts(THIEF)["denials"]["evidence"]) == (steps[-1], alert["evidence"])
    for operator in (MARTIN, DURAND):
        hub.run("gate", "release", THIEF, "open", *operator)
    hub.lose("gate.db")
    hub.watch()
    assert hub.step(THIEF) == "open"
    hub.wait(1)
    hub.not_me(opened(hub, THIEF, range(280, 292))[:2])  # two more are few, once two operators have looked
    hub.watch()
    assert hub.step(THIEF) == "open"
    hub.lose("sensed.db")
    hub.not_me(opened(hub, THIEF, range(292, 296))[:1])
    hub.watch()
    assert hub.step(THIEF) == "open"


def ask_for_another_bank(hub: Inside) -> None:
    hub.run("practice", "rib", "ask", str(hub.rib(NEW)), *MARTIN)


def test_changes_of_bank_asked_again_and_again_move_the_accounts_of_the_practice_and_no_other(hub: Inside) -> None:
    opened(hub, THIEF, range(6))
    opened(hub, HONEST, range(6, 12))
    opened(hub, ELSEWHERE, range(12, 18), OTHER_PLACE)
    hub.wait(400)
    steps = []
    for _ in range(6):
        ask_for_another_bank(hub)
        hub.watch()
        steps.append(hub.step(THIEF))
        hub.run("practice", "rib", "drop", PRACTICE, *DURAND)
        hub.wait(1)
    assert steps[:2] == ["open", "open"]  # one change, and one more that was mistyped
    assert steps[-1] in {"presence_only", "step_up"}
    assert steps == sorted(steps, key=["open", "slowed", "presence_only", "step_up"].index)
    alert = hub.alerts(HONEST)["details"]
    assert (alert["evidence"]["hits"], alert["evidence"]["tries"]) == (6, 6)
    assert "6 sur 6 jours ont vu changer les coordonnées" in alert["sentence_fr"]
    assert (hub.step(ELSEWHERE), hub.alerts(ELSEWHERE)) == ("open", {})
    before = {who: (hub.step(who), hub.alerts(who)["details"]) for who in (THIEF, HONEST)}
    hub.lose("gate.db")
    hub.watch()
    assert {who: (hub.step(who), hub.alerts(who)["details"]) for who in (THIEF, HONEST)} == before
    moves = [each for each in entries_in(hub.directory / "journal") if each.operation is Operation.CONTAINED]
    hub.lose("gate.db", "sensed.db")
    hub.watch()
    assert {who: (hub.step(who), hub.alerts(who)["details"]) for who in (THIEF, HONEST)} == before
    again = [each for each in entries_in(hub.directory / "journal") if each.operation is Operation.CONTAINED]
    assert len(again) == len(moves)


def test_the_key_a_token_is_bound_to_is_the_device_of_its_account(hub: Inside) -> None:
    own, other = {"certificate": "c" * 43}, {"certificate": "d" * 43}
    for _ in range(20):
        hub.wait(1)
        for who in (THIEF, HONEST):
            hub.ask(who, [1], session=f"{hub.clock.seconds}", **own)
    hub.wait(1)
    hub.ask(HONEST, [1], session="today", **own)
    hub.ask(THIEF, [1], session="today", **other)
    hub.watch()
    watched = {who: hub.hub.sensings.state(who) for who in (THIEF, HONEST)}
    assert {who: len(state.devices) for who, state in watched.items() if state} == {THIEF: 2, HONEST: 1}
    fresh = {who: state.watch.capital.fresh > 0 for who, state in watched.items() if state}
    assert fresh == {THIEF: True, HONEST: False}
    hub.close()
    kept = [file for file in hub.directory.rglob("*") if file.is_file() and b"d" * 43 in file.read_bytes()]
    assert kept == []  # 32 bits of it are kept


def test_one_change_beside_misses_moves_sooner_than_misses_alone(hub: Inside) -> None:
    """Two practices alike, known for two years; one asks for another bank on the day a thief begins to guess at both."""
    accounts = ((THIEF, PRACTICE, range(20)), (ELSEWHERE, OTHER_PLACE, range(20, 40)))
    for who, place, people in accounts:
        opened(hub, who, people, place)
    hub.wait(700)
    for _ in range(5):
        hub.wait(1)
        for who, place, people in accounts:
            hub.ask(who, people, place)
    hub.watch()
    ask_for_another_bank(hub)
    hub.watch()
    assert (hub.step(THIEF), hub.alerts(THIEF)) == ("open", {})
    taken = {}
    for who, place, people in accounts:
        for number in range(60):
            nobody = {"member_number": f"X{number}", "birth_date": "1979-06-14"}
            hub.ask(who, [nobody], place)
            if number in people:
                hub.ask(who, [number], place)
            hub.watch()
            if hub.step(who) != "open":
                taken[who] = number
                break
    assert taken[THIEF] < taken[ELSEWHERE], taken
