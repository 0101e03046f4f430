"""Passes in two places at once: what the watcher makes of copies, of people who travel, and what it keeps of where they were."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecluse.app.containment import moved
from ecluse.engines.sqlite.sensings import LocalSensings
from ecluse.gate.alerts import sentence_en, sentence_fr
from ecluse.gate.containment import Kind, Proved
from ecluse.gate.signals import Name, Step
from tests.watched import OTHER, THIEF, World, world

LILLE, LYON, MARSEILLE, ETIENNE, NOWHERE = "590000018", "690000015", "130000014", "420000010", "12345678900014"


@pytest.mark.parametrize("dies", ["", "before", "after", "unmoved", "moved"])
def test_copied_passes_lead_to_a_step_up_where_they_are_shown_and_not_where_their_people_are(dies: str) -> None:
    with world() as at:
        for number in range(1, 300):
            at.show(THIEF, number, LILLE)
            at.show(OTHER, number + 1_000, LYON)
        at.watch()
        assert at.contained.limits() == {}
        at.clock.instant += timedelta(days=2)
        for number in range(1, 9):
            at.show(OTHER, number, MARSEILLE)
        at.watch(dies)
        for number in range(1, 9):
            at.show(THIEF, number, LILLE)  # within minutes
            at.show(THIEF, number, LILLE)  # of one person once a day
        at.watch(dies)
        assert (at.step(THIEF), at.step(OTHER)) == (Step.STEP_UP, Step.OPEN)
        (alert,) = (each.alert for each in at.sensings.alerts(THIEF, 10))
        assert (alert.signal, alert.evidence.hits, alert.evidence.tries) == (Name.FAR_PASSES, 8, 8)


def copied(at: World, people: range) -> None:
    """Copies shown in Marseille, then the true passes in Lille."""
    for number in people:
        at.show(OTHER, number, MARSEILLE)
    for number in people:
        at.show(THIEF, number, LILLE)


def logged_in(at: World) -> None:
    at.clock.instant += timedelta(seconds=60)
    at.runner.run(moved(at.hub, (Kind.ACCOUNT, THIEF), Proved(at.now_us - 5_000_000, "")))
    at.watch()


def test_copies_of_passes_close_no_practice_that_scans_the_true_ones() -> None:
    with world() as at:
        for day in range(4):
            copied(at, range(day * 10 + 1, day * 10 + 11))
            at.watch()
            assert at.step(THIEF) == Step.STEP_UP
            (alert,) = (each.alert for each in at.sensings.alerts(THIEF, 10))
            assert (alert.signal, alert.evidence.shown_by) == (Name.FAR_PASSES, OTHER)
            assert not [name for told in (sentence_fr, sentence_en) for name in (THIEF, OTHER) if name in told(alert)]
            logged_in(at)
            assert at.step(THIEF) == Step.SLOWED
            at.clock.instant += timedelta(days=1)


def test_a_relapse_is_seen_beside_copies_of_passes() -> None:
    """Both ask for a step-up in one look; the one that may lead further does."""
    for misses in range(1, 60):
        with world() as at:
            copied(at, range(1, 11))
            at.watch()
            logged_in(at)
            copied(at, range(11, 21))
            for number in range(misses):
                at.ask(THIEF, 0, asked=1_000 + number)
            at.watch()
            found = {each.alert.signal: each.alert.step for each in at.sensings.alerts(THIEF, 10)}
            assert found[Name.FAR_PASSES] == Step.STEP_UP
            missed = max((step for name, step in found.items() if name is not Name.FAR_PASSES), default=Step.OPEN)
            if missed >= Step.STEP_UP:
                assert (missed, at.step(THIEF)) == (Step.STEP_UP, Step.QUARANTINED)
                return
    raise AssertionError("no number of misses leads to a step-up")


def test_where_passes_were_shown_before_an_upgrade_is_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sensed.db")) as before:
        before.execute(
            "CREATE TABLE seen (who INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, department TEXT NOT NULL) STRICT"
        )
        before.execute("INSERT INTO seen VALUES (7, 1, '13')")
        before.commit()
    kept = LocalSensings(tmp_path / "gate.db", tmp_path / "sensed.db")
    assert kept.seen(7) == (7, 1, "13", "")
    kept.close()


def test_what_people_do_with_their_passes_moves_nobody() -> None:
    """To the next town at once, far away in hours, with a live pass over a picture, at a place nobody knows."""
    with world() as at:
        for number in range(1, 40):
            at.show(OTHER, number, LYON)
            at.show(THIEF, number, ETIENNE)
            at.show(OTHER, number, LYON, live=True)
            at.show(THIEF, number, MARSEILLE, live=True)
            at.show(THIEF, number, NOWHERE)
        at.clock.instant += timedelta(hours=4)
        for number in range(1, 40):
            at.show(THIEF, number, LILLE)
        at.watch()
        assert at.contained.limits() == {}
        assert at.sensings.alerts("", 10) == []


def test_where_a_pass_was_shown_is_forgotten_and_leads_nowhere() -> None:
    def rows() -> list[tuple[Any, ...]]:
        return at.sensings._own.execute("SELECT * FROM seen").fetchall()

    with world() as at:
        at.show(THIEF, 5, LILLE)
        at.show(THIEF, 6, LILLE)
        at.watch()
        first = rows()
        assert {row[2] for row in first} == {"59"}
        assert not {row[0] for row in first} & {int.from_bytes(number.to_bytes(8)) for number in (5, 6)}
        at.clock.instant += timedelta(days=1)
        at.watch()
        assert rows() == []
        at.show(THIEF, 5, LILLE)
        at.watch()
        assert {row[0] for row in rows()}.isdisjoint(row[0] for row in first)  # another number on another day
