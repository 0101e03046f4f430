"""Passes copied from photographs: shown far from their people, they ask for a login anew there, and nowhere else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.journeys.inside import Inside, inside
from tests.journeys.site import PRACTICE

THIEF, HONEST, NEIGHBOUR = (f"rpps:1000000001{number}" for number in range(3))
MARSEILLE, ORLEANS = "130000014", "450000013"  # Tours is 190 km from the one by road, 650 from the other


def scanned(hub: Inside, who: str, cards: list[dict[str, str]], practice: str) -> None:
    assert set(hub.ask(who, cards, practice)) == {"confirmed"}
    hub.watch()


def test_copied_passes_are_seen_where_they_are_shown(tmp_path: Path) -> None:
    with inside(tmp_path, people=20) as hub:
        cards = hub.passes(range(12))
        scanned(hub, HONEST, cards, PRACTICE)
        hub.wait(0.5 / 24)
        scanned(hub, NEIGHBOUR, cards[:6], ORLEANS)  # on the way home
        hub.wait(0.25 / 24)
        assert [hub.step(who) for who in (THIEF, HONEST, NEIGHBOUR)] == ["open"] * 3
        for card in cards:
            scanned(hub, THIEF, [card], MARSEILLE)
        assert [hub.step(who) for who in (THIEF, HONEST, NEIGHBOUR)] == ["step_up", "open", "open"]
        alert = hub.alerts(THIEF)["far_passes"]
        assert "laissez-passer venaient d'être présentés trop loin" in alert["sentence_fr"]
        assert alert["evidence"]["hits"] >= 4
        assert alert["evidence"]["shown_by"] == HONEST  # of the last one; no sentence names them
        assert HONEST not in alert["sentence_fr"] + alert["sentence_en"]
        assert f"[shown just before to {HONEST}]" in hub.run("gate", "alerts")
        assert hub.ask(THIEF, [15], MARSEILLE) == ["step_up_required"]
        scanned(hub, THIEF, hub.passes([16]), MARSEILLE)  # whose patient is there is served on
        # Nothing of where people were outlives three hours, and no file ever says whose pass it was.
        hub.wait(4 / 24)
        with_passes = {card["pass"].encode() for card in cards}
        hub.hub.run(hub.hub.watcher.ripen())
        hub.close()
        for file in hub.directory.rglob("*.db*"):
            assert not [each for each in with_passes if each in file.read_bytes()], file
        with closing(sqlite3.connect(hub.directory / "sensed.db")) as kept:
            assert kept.execute("SELECT count(*) FROM seen").fetchone() == (0,)


def test_weeks_of_a_practice_and_its_neighbours_move_nobody(tmp_path: Path) -> None:
    with inside(tmp_path, people=20) as hub:
        cards = hub.passes(range(20))
        for _ in range(12):
            hub.wait(1)
            scanned(hub, HONEST, cards, PRACTICE)
            hub.wait(1 / 24)
            scanned(hub, NEIGHBOUR, cards[:10], ORLEANS)
        hub.wait(4.0 / 24)
        scanned(hub, THIEF, cards, MARSEILLE)  # by train
        assert [hub.step(who) for who in (THIEF, HONEST, NEIGHBOUR)] == ["open"] * 3
        assert hub.json("gate", "alerts") == []
