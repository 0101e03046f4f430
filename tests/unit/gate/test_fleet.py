"""Fleet breakers: what honest mass events open does not trip them, what many stolen logins open together does."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.containment import CapReached, Kind
from ecluse.gate.fleet import LEARNT_DAYS, TAUGHT_TIMES, Breaker, FleetCap, cap_of, department, lifted, opened, places
from ecluse.wiring.gate import built_in_caps

CAPS = built_in_caps().fleet
CAP = CAPS[Kind.INSURER]
DAY = 20_000


def lived(people: list[int], cap: FleetCap = CAP, start: int = DAY) -> tuple[Breaker, list[int]]:
    """A breaker after days of so many people, and the days it tripped."""
    breaker, tripped = Breaker(), []
    for day, count in enumerate(people, start):
        for _ in range(count):
            breaker, reached = opened(breaker, cap, day)
            if reached and day not in tripped:
                tripped.append(day)
    return breaker, tripped


def weeks(number: int, monday: int) -> list[int]:
    """Honest weeks: Mondays the highest, Sundays a twentieth, and chance."""
    draw, shape = Random(24), (1.0, 0.9, 0.85, 0.9, 0.8, 0.3, 0.05)
    return [round(monday * each * draw.uniform(0.9, 1.1)) for _ in range(number) for each in shape]


def test_every_kind_that_the_desk_holds_questions_to_has_a_cap() -> None:
    named = places("0075000001", "750000018", "logiciel", "192.0.2.0/24")
    assert {kind for kind, _ in named} == set(CAPS)


# Honest: what comes after twelve usual weeks of 1 000 on a Monday.
EVENTS = {
    "a Monday of a flu after a holiday": [0, 0, 0, 2_700],
    "a winter of flu": [1_500] * 30,
    "ten thousand members more from another insurer": [1_000 + 900] * 14,
    "a strike of two weeks and the day after": [*[30] * 14, 2_000],
    "a quiet August and its Monday after": [*weeks(4, 500), 1_800],
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_honest_mass_events_trip_nothing(event: list[int]) -> None:
    assert lived(weeks(12, 1_000) + event)[1] == []


def test_a_hundred_stolen_logins_at_once_trip_an_insurer_of_usual_size() -> None:
    usual = weeks(6, 1_000)
    breaker, tripped = lived([*usual, 1_000 + 100 * 61])
    assert tripped == [DAY + len(usual)]
    assert breaker.people > cap_of(breaker, CAP)


def test_a_new_one_has_a_fixed_cap_until_it_is_known() -> None:
    small = FleetCap(least=10, times=5, new=100)
    assert lived([100], small)[1] == []
    assert lived([101], small)[1] == [DAY]
    breaker, _ = lived([1] * (LEARNT_DAYS + 1), small)
    assert cap_of(breaker, small) == 10


def test_operators_let_it_count_that_day_anew() -> None:
    small = FleetCap(least=2, times=5, new=2)
    breaker, tripped = lived([3], small)
    assert tripped
    assert opened(lifted(breaker), small, DAY)[1] is None


def test_what_it_trips_with_says_how_many_of_how_many() -> None:
    small = FleetCap(least=2, times=5, new=2)
    assert opened(lived([2], small)[0], small, DAY)[1] == CapReached("fleet", 3, 2)


@given(st.lists(st.integers(0, 40), min_size=20, max_size=60), st.integers(1, 30))
def test_an_attack_raises_the_mean_slowly_whatever_it_opens(people: list[int], every: int) -> None:
    small = FleetCap(least=1, times=5, new=10)
    breaker, _ = lived([10] * 30, small)
    usual = breaker.usual
    breaker, _ = lived([*[10] * 30, *people], small)
    assert breaker.usual <= usual * (1 + (TAUGHT_TIMES - 1) / 28) ** len(people) + 1
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(breaker), type=Breaker) == breaker


@pytest.mark.parametrize(
    ("practice", "found"),
    [
        ("750000018", "75"),
        ("2A0000014", "2A"),
        ("970100012", "971"),
        ("970400012", "974"),
        ("980500012", "976"),
        ("975000012", "975"),
        ("974000012", "974"),
        ("9D0000012", "974"),
        ("12345678901234", ""),
        ("", ""),
    ],
)
def test_the_departement_of_a_practice(practice: str, found: str) -> None:
    assert department(practice) == found
