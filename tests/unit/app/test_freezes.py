"""Who froze is answered as nobody when typed, under whatever number they are a member; and the newest word holds."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ecluse.app.freezes import FROZEN, LIFTED, frozen_again, unless_frozen
from ecluse.app.ports import HUB
from ecluse.app.ports.carried import Going
from ecluse.engines.keys.file import KeyFile
from ecluse.gate.admission import Person
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Operation, act
from ecluse.rights.person import person_message
from ecluse.wiring.gate import open_freezes
from tests.laws import examples
from tests.rights import right

AMC, BORN = "0075123456", "1979-06-14"
PEOPLE = count(1)  # somebody new in every example: the file is the same
BOTH = (right("P", member_number="M1"), right("S", member_number="M2"))


@pytest.fixture
def hub(tmp_path: Path) -> Any:
    keys = KeyFile(tmp_path / "hub.keys", "")
    keys.create(HUB)
    keys.create(AMC)
    made = SimpleNamespace(keys=keys, freezes=open_freezes(tmp_path))
    yield made
    made.freezes.close()


@pytest.mark.parametrize("number", ["M1", "M2"])
@pytest.mark.parametrize("presence", Presence)
def test_one_number_that_is_frozen_freezes_the_person(hub: Any, number: str, presence: Presence) -> None:
    meant = Person(AMC, (bytes(16),), False)
    assert unless_frozen(hub, meant, BORN, 1, presence, BOTH) == BOTH
    hub.freezes.freeze(AMC, hub.keys.digest(AMC, person_message(number, BORN, 1)), 1)
    assert unless_frozen(hub, meant, BORN, 1, presence, BOTH) == (() if presence is Presence.TYPED else BOTH)
    assert unless_frozen(hub, meant, BORN, 2, presence, BOTH) == BOTH  # a twin is another person
    assert unless_frozen(hub, Person("0075999999", (), False), BORN, 1, presence, ()) == ()


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([FROZEN, LIFTED]), min_size=1, max_size=6), st.data())
def test_whatever_order_entries_are_read_in_the_newest_holds(hub: Any, said: list[str], data: st.DataObject) -> None:
    person = next(PEOPLE).to_bytes(16)
    entries = [
        act(Operation.LOOKUPS_FROZEN, 1_000 + at, "frz_1", outcome, insurer=AMC, person=person)
        for at, outcome in enumerate(said)
    ]
    for entry in data.draw(st.permutations(entries)):
        frozen_again(hub.freezes, [entry])
    assert hub.freezes.is_frozen(AMC, person) == (said[-1] == FROZEN)


def test_another_process_sees_it_within_the_time_it_says(hub: Any, tmp_path: Path) -> None:
    other, person = open_freezes(tmp_path), next(PEOPLE).to_bytes(16)
    assert not other.is_frozen(AMC, person)
    hub.freezes.freeze(AMC, person, 1)
    time.sleep(other.seen_after_s)
    assert other.is_frozen(AMC, person)
    hub.freezes.lift(AMC, person, at_us=2, told_us=2)
    time.sleep(other.seen_after_s)
    assert not other.is_frozen(AMC, person)
    other.close()


def test_what_was_changed_meanwhile_was_not_told_again(hub: Any) -> None:
    goes, person = Going(before_us=50, undone_since_us=0), next(PEOPLE).to_bytes(16)
    hub.freezes.freeze(AMC, person, 1)
    read = hub.freezes.resting(goes, None, 10)
    hub.freezes.lift(AMC, person, at_us=2, told_us=2)
    hub.freezes.told(read, 100)
    (left,) = hub.freezes.resting(goes, None, 10)
    assert (left.is_frozen, left.at_us) == (False, 2)
    hub.freezes.told([left], 100)
    assert hub.freezes.resting(goes, None, 10) == []


def test_a_file_from_before_changes_were_numbered_is_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "gate.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE freeze (insurer TEXT NOT NULL, person BLOB NOT NULL, frozen INTEGER NOT NULL, at_us INTEGER NOT NULL,"
            " PRIMARY KEY (insurer, person)) STRICT, WITHOUT ROWID"
        )
        connection.execute("INSERT INTO freeze VALUES (?, ?, 1, 1)", (AMC, bytes(16)))
    for _ in range(2):
        freezes = open_freezes(tmp_path)
        assert freezes.is_frozen(AMC, bytes(16))
        freezes.close()
