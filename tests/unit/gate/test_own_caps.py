"""An account's own cap: it follows debts that settled claims ended, by two people a day at most, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.ports.allowances import Ask
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.gate.allowance import (
    DAY_US,
    FLOOR,
    HEADROOM,
    LEARNT_DAYS,
    RISE_PER_DAY,
    Caps,
    CapTable,
    Opened,
    Standing,
    counted,
    opened,
)
from ecluse.gate.presence import Presence

LARGE = Caps(debt=500, burst=200, refill_per_day=200, yearly=1000)
TABLE = CapTable(date(2026, 11, 29), "a test", {"other": LARGE})
START_DAY = 20_000
LEARNT = START_DAY + LEARNT_DAYS
ACCOUNT, PLACE = "rpps:1", "750000001"
PEOPLE = range(1, 91)  # typed on one day: a cap of 135, where all are settled

openings = st.lists(
    st.builds(
        lambda day, delay, shown: Opened(
            day, None if delay is None else day + delay, shown=shown and delay is not None
        ),
        st.integers(START_DAY - 200, START_DAY),
        st.none() | st.integers(0, 40),
        st.booleans(),
    ).filter(lambda each: each.justified is None or each.justified <= START_DAY),
    max_size=80,
)


@given(rows=openings, asks=st.integers(0, 20))
def test_what_is_counted_is_what_was_added_one_by_one(rows: list[Opened], asks: int) -> None:
    grown = counted(Standing(), rows, LARGE, START_DAY)
    for _ in range(asks):
        grown = opened(grown, LARGE, START_DAY * DAY_US)
    anew = counted(grown, [*rows, *[Opened(START_DAY)] * asks], LARGE, START_DAY)
    assert (anew.debt, anew.year) == (grown.debt, grown.year)


@given(rows=openings, cap=st.integers(1, 200), days=st.integers(0, 30))
def test_an_own_cap_rises_slowly_and_costs_settled_claims(rows: list[Opened], cap: int, days: int) -> None:
    before = Standing(cap=cap, day=START_DAY - days)
    after = counted(before, rows, LARGE, START_DAY).cap
    assert after <= cap + RISE_PER_DAY * days
    is_learnt = START_DAY - min((row.day for row in rows), default=START_DAY) >= LEARNT_DAYS
    settled = sum(row.is_settled for row in rows)
    # one more person costs 0.8 settled claims, all open at once; passes buy nobody; who was away keeps what they had
    assert after <= max(FLOOR, -(-settled * HEADROOM // 1), 0 if is_learnt else cap)
    assert is_learnt or after >= cap


@pytest.mark.parametrize("idle", [0, 100, 239, 246, 300, 365, 400, 900])
def test_silence_widens_no_cap(idle: int) -> None:
    """A small practice opens two people a day, whose claims are settled after six; then its account is not used."""
    rows = [Opened(START_DAY - back, START_DAY - back + 6) for back in range(300, 6, -1) for _ in range(2)]
    at_work = counted(Standing(), rows, LARGE, START_DAY)
    assert at_work.cap == FLOOR
    assert counted(at_work, rows, LARGE, START_DAY + idle).cap == FLOOR


def test_an_account_that_is_new_has_no_cap_of_its_own_yet() -> None:
    """Its profession's holds, whatever that becomes: a table that is widened widens it at once."""
    assert counted(Standing(), [Opened(START_DAY - 100)], LARGE, START_DAY).cap == 0


BUSY = [Opened(START_DAY - 150, START_DAY - 140)] * 200  # a cap of 300


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=60))
def test_an_own_cap_rises_by_the_day_whichever_process_counts(counts: list[tuple[int, bool]]) -> None:
    """At midnight one process is in the next day already, another is not yet; they count by turns."""
    standing, today = Standing(cap=FLOOR, day=START_DAY), START_DAY
    for days, is_behind in counts:
        today += days
        standing = counted(standing, BUSY, LARGE, today - is_behind)
        assert standing.cap <= FLOOR + RISE_PER_DAY * (today - START_DAY)
    assert counted(standing, BUSY, LARGE, today + 9).cap == FLOOR + RISE_PER_DAY * (today + 9 - START_DAY)


def test_a_cap_rises_on_after_a_clock_that_was_ahead() -> None:
    left = counted(Standing(cap=FLOOR, day=START_DAY + 300), BUSY, LARGE, START_DAY)
    assert left.cap == FLOOR
    assert counted(left, BUSY, LARGE, START_DAY + 10).cap >= FLOOR + RISE_PER_DAY * 9


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[LocalAllowances]:
    made = LocalAllowances(tmp_path / "gate.db", TABLE)
    yield made
    made.close()


def person(number: int) -> bytes:
    return number.to_bytes(8) * 2


def asking(who: int, at_us: int, presence: Presence = Presence.TYPED) -> Ask:
    return Ask(ACCOUNT, PLACE, "", person(who), presence, at_us)


def ask_all(gate: LocalAllowances, day: int, presence: Presence = Presence.TYPED) -> None:
    assert gate.take([asking(who, day * DAY_US, presence) for who in PEOPLE]) == [""] * len(PEOPLE)


def settle(gate: LocalAllowances, day: int, *, stands: bool = True) -> None:
    people = {person(who) for who in PEOPLE} if stands else set()
    gate.settle(ACCOUNT, PLACE, people, people, day)


def stood(gate: LocalAllowances, day: int) -> Standing:
    found = gate.position(ACCOUNT, day)
    assert found
    return found.standing


def test_midnight_back_and_forth_raises_a_cap_once(gate: LocalAllowances, tmp_path: Path) -> None:
    fast = LocalAllowances(tmp_path / "gate.db", TABLE)
    gate.take([asking(1_000, START_DAY * DAY_US)])
    ask_all(gate, LEARNT - 20)
    assert stood(gate, LEARNT).cap == FLOOR
    settle(gate, LEARNT + 5)
    before, midnight_us = stood(gate, LEARNT + 5).cap, (LEARNT + 6) * DAY_US
    for turn in range(20):
        gate.take([asking(2_000 + turn, midnight_us - 1)])
        fast.take([asking(3_000 + turn, midnight_us)])
    fast.close()
    assert stood(gate, LEARNT + 6).cap == before + RISE_PER_DAY


def test_people_first_shown_by_pass_widen_no_cap(gate: LocalAllowances) -> None:
    """Sixty a day for four months, as a pharmacy scans, or as who stole an insurer's token may issue; all are billed."""
    for day in range(LEARNT_DAYS + 1):
        people = range(day * 60 + 1, day * 60 + 61)
        gate.take([asking(who, (START_DAY + day) * DAY_US, Presence.PASS) for who in people])
    everybody = {person(who) for who in range(1, 60 * LEARNT_DAYS)}
    gate.settle(ACCOUNT, PLACE, everybody, everybody, LEARNT)
    assert stood(gate, LEARNT).cap == FLOOR


def test_a_pass_after_a_typed_question_frees_its_place_and_widens_nothing(gate: LocalAllowances) -> None:
    ask_all(gate, START_DAY)
    ask_all(gate, START_DAY + 10, Presence.PASS)
    after = stood(gate, START_DAY + 10)
    assert (after.debt, after.year) == (0, 0)
    assert stood(gate, LEARNT).cap == FLOOR


@pytest.mark.parametrize("is_claim_first", [True, False])
def test_a_settled_claim_widens_whether_the_pass_came_before_or_after(
    gate: LocalAllowances, is_claim_first: bool
) -> None:
    """Who types, then scans at the visit, keeps the cap of their debts. A claim that comes back takes it along, but no pass."""
    ask_all(gate, START_DAY)
    if is_claim_first:
        settle(gate, START_DAY + 10)
    ask_all(gate, START_DAY + 20, Presence.PASS)
    settle(gate, START_DAY + 25)
    assert stood(gate, LEARNT).cap == len(PEOPLE) * HEADROOM
    settle(gate, LEARNT, stands=False)
    after = stood(gate, LEARNT)
    assert (after.cap, after.year) == (FLOOR, 0)


def test_a_file_of_before_passes_were_told_from_claims_is_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "gate.db")) as before:
        before.executescript((files("ecluse.engines.sqlite") / "allowances.sql").read_text())
        before.execute("ALTER TABLE opening DROP COLUMN settled")
        before.execute("INSERT INTO account VALUES (1, ?, 'other', 0, 0, 0, 0, 0)", (ACCOUNT,))
        rows = [(who, START_DAY, int(who % 3 > 0), START_DAY + 10) for who in range(300)]
        before.executemany("INSERT INTO opening VALUES (1, ?, 1, ?, ?, ?, 0)", rows)
        before.commit()
    gate = LocalAllowances(tmp_path / "gate.db", TABLE)
    assert stood(gate, LEARNT).cap == 100 * HEADROOM
    gate.close()
