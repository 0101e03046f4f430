"""Dated counts as an e-process: honest accounts of long history are not moved, thefts are, whenever hits come to be known."""

from __future__ import annotations

from itertools import accumulate, product
from math import log10, prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.betting import CAREER_S, Capital, Row
from ecluse.gate.dated import BETS, DAY_S, Counted, alert_of, every_day, row_of, rows_of
from ecluse.gate.signals import SIGNALS, Name, Step

OPENED = 20_000
DATED = sorted(BETS)
Days = list[Counted]


def openings(draw: Random, days: range, a_day: int, rate: float) -> Days:
    """Five days a week so many people, each of whom says "not me" at this rate."""
    return [
        Counted(day, a_day, sum(draw.random() < rate for _ in range(a_day))) for day in days if day % 7 not in (2, 3)
    ]


def strongest(name: Name, days: Days) -> float:
    """The highest E an account ever had, looked at after each hit."""
    _, *rows = rows_of(name, days, OPENED)
    return max((row.e_value for day, row in zip(days, rows, strict=True) if day.hits), default=0.0)


@pytest.mark.parametrize("name", DATED, ids=str)
@pytest.mark.parametrize("gap", [1, 90, 900])
def test_no_account_below_its_bound_gains_in_the_mean(name: Name, gap: int) -> None:
    """Every history of ten days at the bound, exactly: the mean of E and of what is not paid in yet stays at 1 at most."""
    p0, mean = SIGNALS[name].usual, 0.0
    for hits in product((0, 1), repeat=10):
        days = [Counted(OPENED + number * gap, 1, hit) for number, hit in enumerate(hits)]
        row = row_of(name, days, OPENED)
        mean += prod(p0 if hit else 1 - p0 for hit in hits) * (row.e_value + 1 - row.paid)
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize("name", DATED, ids=str)
def test_how_it_came_to_stand_there_is_what_it_stood_at_on_each_day(name: Name) -> None:
    days = [Counted(OPENED + 3 * number, 5, number % 4 == 3) for number in range(12)]
    for since_day in (0, OPENED + 10):
        rows = [*rows_of(name, days, OPENED, since_day)]
        assert rows == [row_of(name, days[:end], OPENED, since_day) for end in range(len(days) + 1)]


Histories = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=30)


@given(st.sampled_from([Name.DENIALS]), Histories, st.data())
def test_what_is_not_known_yet_only_ever_makes_it_smaller(
    name: Name, history: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    day, whole, part = OPENED, [], []
    for gap, tries, hits in history:
        day, hits = day + gap, min(tries, hits)
        whole.append(Counted(day, tries, hits))
        part.append(Counted(day, tries, data.draw(st.integers(0, hits))))
    assert row_of(name, part, OPENED).e_value <= row_of(name, whole, OPENED).e_value * (1 + 1e-9)


@pytest.mark.parametrize("a_day", [4, 25, 175])
def test_honest_patients_who_forget_a_visit_never_move_an_account(a_day: int) -> None:
    for seed in range(6):
        days = openings(Random(seed), range(OPENED, OPENED + 900), a_day, SIGNALS[Name.DENIALS].usual)
        assert strongest(Name.DENIALS, days) < 10


@pytest.mark.parametrize("years", [1, 12])
def test_honest_changes_of_bank_never_move_an_account(years: int) -> None:
    """Two days a year at the most, as often as the signal allows; and a change asked again on the next day."""
    for seed in range(4):
        draw, until = Random(seed), OPENED + 365 * years
        hits = {day for day in range(OPENED, until) if draw.random() < SIGNALS[Name.DETAILS].usual}
        assert strongest(Name.DETAILS, [*every_day(OPENED, until, hits)]) < 200
        mistyped = [*every_day(OPENED, until + 1, [until - 200, until, until + 1])]
        assert row_of(Name.DETAILS, mistyped, OPENED).e_value < 200


# A practice of two years: what a thief adds a working day, how many of these say so, and after how many denials it has to pass.
THEFTS = [
    ("two a day, one in twenty says so", 8, 2, 0.05, 26),
    ("two a day, one in five", 8, 2, 0.20, 14),
    ("as many as the practice", 8, 8, 0.05, 14),
    ("all of a sudden", 8, 40, 0.20, 20),
    ("behind a large laboratory", 50, 10, 0.20, 24),
]


@pytest.mark.parametrize(
    ("a_day", "more", "rate", "most"), [each[1:] for each in THEFTS], ids=[each[0] for each in THEFTS]
)
def test_a_theft_that_patients_tell_of_asks_for_passes(a_day: int, more: int, rate: float, most: int) -> None:
    for seed in range(3):
        draw, since = Random(seed), OPENED + 730
        days = openings(draw, range(OPENED, since), a_day, SIGNALS[Name.DENIALS].usual)
        robbed = range(since, since + 400)
        honest = openings(draw, robbed, a_day, SIGNALS[Name.DENIALS].usual)
        stolen = openings(draw, robbed, more, rate)
        both = [Counted(own.day, own.tries + n.tries, own.hits + n.hits) for own, n in zip(honest, stolen, strict=True)]
        rows = [*rows_of(Name.DENIALS, [*days, *both], OPENED)][-len(both) :]
        for said, day, row in zip(accumulate(day.hits for day in both), both, rows, strict=True):
            alert = alert_of(Name.DENIALS, row, day.day * DAY_S)
            if alert and alert.step is Step.PRESENCE_ONLY:
                assert said <= most
                break
        else:
            pytest.fail("never seen")


# How far apart changes of the bank are, and after how many the account is slowed, and has to prove itself.
CHANGES = [(1, 4, 5), (3, 5, 7), (7, 7, 9)]


@pytest.mark.parametrize(("gap", "slowed", "step_up"), CHANGES)
@pytest.mark.parametrize("years", [1, 8])
def test_several_changes_of_bank_move_an_account(gap: int, slowed: int, step_up: int, years: int) -> None:
    first, steps = OPENED + 365 * years, []
    for count in range(1, 12):
        hits = [first + number * gap for number in range(count)]
        alert = alert_of(
            Name.DETAILS, row_of(Name.DETAILS, every_day(OPENED, hits[-1], hits), OPENED), hits[-1] * DAY_S
        )
        steps.append(alert.step if alert else Step.OPEN)
    assert steps == sorted(steps)
    assert (steps.index(Step.STEP_UP) + 1, max(steps)) <= (step_up, Step.STEP_UP)
    assert next(count for count, step in enumerate(steps, 1) if step) <= slowed


def test_what_two_operators_looked_at_is_not_held_against_it() -> None:
    hits = [OPENED + 700 + number for number in range(6)]
    days = [*every_day(OPENED, hits[-1] + 3, hits)]
    looked = hits[-1]
    before, after = row_of(Name.DETAILS, days, OPENED), row_of(Name.DETAILS, days, OPENED, looked)
    assert before.e_value > 1e4
    assert after.e_value < 1e-2
    assert 0 < after.paid <= before.paid <= 1
    again = [*every_day(OPENED, looked + 40, [*hits, *range(looked + 30, looked + 36)])]
    assert row_of(Name.DETAILS, again, OPENED, looked).e_value > 1e3  # and goes on from there


def test_all_that_is_ever_paid_in_is_one_at_most() -> None:
    career = int(CAREER_S / DAY_S) + 2_000
    days = [*every_day(OPENED, OPENED + career, range(OPENED, OPENED + career, 100))]
    assert row_of(Name.DETAILS, days, OPENED).paid <= 1 + 1e-9
    assert Capital(0, 0).paid(10**12) <= 1


def test_no_number_of_hits_breaks_the_sum() -> None:
    row = row_of(Name.DENIALS, [Counted(OPENED, 100_000, 100_000), Counted(OPENED + 1, 5, 5)], OPENED)
    assert 1e29 < row.e_value < 1e31


def test_evidence_is_the_days_that_speak_against_the_account() -> None:
    days = [*openings(Random(1), range(OPENED, OPENED + 300), 10, 0.0), Counted(OPENED + 300, 30, 8)]
    alert = alert_of(Name.DENIALS, row_of(Name.DENIALS, days, OPENED), (OPENED + 310) * DAY_S)
    assert alert
    seen = alert.evidence
    assert (seen.hits, seen.tries, seen.since_s // DAY_S) == (8, 30, OPENED + 300)
    assert alert.e_value_log10 == pytest.approx(log10(row_of(Name.DENIALS, days, OPENED).e_value))
    assert alert_of(Name.DENIALS, Row(), 0) is None
