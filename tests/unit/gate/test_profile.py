"""What an account usually does is learnt from what proved honest, forgets, is small, and is dear to train."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from math import exp, lgamma, log

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate import profile as profiles
from ecluse.gate.profile import (
    CREDIT_MAX,
    DELTA,
    GROWTH,
    GULP,
    Lesson,
    Profile,
    Rate,
    Taught,
    cold,
    hour_class,
    insurer_class,
    learn,
    usual,
)
from ecluse.gate.signals import PROFESSIONS, SIGNALS, Name, Proof, usual_rate

GP = "general_practitioner"


def day(number: int, /, clean: bool = True, **taught: Taught) -> Lesson:
    return Lesson(number, clean, {Name[name]: each for name, each in taught.items()})


def honest_day(number: int) -> Lesson:
    """Twenty-five look-ups of a general practitioner: 21 settle, one of 25 misses, every fourth is of somebody new."""
    taught = Taught(5, 21, 1, 4)
    asked = {Name.MISSES: Taught(0, 21, 1, 4), Name.UNCLAIMED: Taught(0, 21, 4, 4), Name.STRANGERS: taught}
    return Lesson(number, True, asked, 6, {7: 20, 9: 1}, {75: 18, 92: 3}, {9: 2})


def after(profile: Profile, lessons: int, of: Callable[[int], Lesson] = honest_day) -> Profile:
    for number in range(profile.day + 1, profile.day + 1 + lessons):
        profile = learn(profile, of(number))
    return profile


def tail(hits: float, others: float, rate: float) -> float:
    """P(Beta(hits, others) > rate), summed in small steps from above."""
    steps, width = 20_000, (1 - rate) / 20_000
    scale = lgamma(hits + others) - lgamma(hits) - lgamma(others)
    middles = (rate + (step + 0.5) * width for step in range(steps))
    return sum(exp(scale + (hits - 1) * log(x) + (others - 1) * log(1 - x)) * width for x in middles)


@pytest.mark.parametrize(
    ("hits", "others"), [(0.6, 59.4), (1.8, 58.2), (27, 33), (120, 3880), (1800, 2200), (3600, 400), (6, 1994)]
)
def test_the_bound_is_passed_by_less_than_delta(hits: float, others: float) -> None:
    bound = profiles.upper(hits, others)
    assert tail(hits, others, bound) < DELTA
    assert bound - hits / (hits + others) < 8 * (0.25 / (hits + others)) ** 0.5  # and it is no empty promise


@pytest.mark.parametrize("profession", [*PROFESSIONS, "", "somebody_else"])
def test_a_new_account_has_the_habits_of_its_profession_and_is_given_room(profession: str) -> None:
    known = usual(cold(profession))
    for signal, mean, bound in zip(SIGNALS, known.means, known.bounds, strict=True):
        assert mean == pytest.approx(usual_rate(profession, signal))
        assert bound > mean or signal.proof is Proof.FIXED
        assert 0 < bound < 1
    assert not known.insurers
    assert known.people_max > 20


def test_an_account_becomes_known() -> None:
    begun, known = usual(cold(GP)), usual(after(cold(GP), 250))
    assert known.bounds[Name.MISSES] < 0.065 < begun.bounds[Name.MISSES]
    assert known.bounds[Name.UNCLAIMED] < 0.21 < begun.bounds[Name.UNCLAIMED]
    assert known.means[Name.MISSES] == pytest.approx(0.04, abs=0.005)
    assert known.insurers == {7, 9}
    assert known.departments == {75, 92}


def test_a_profile_is_small() -> None:
    full = cold(GP)
    for number in range(1, 300):
        many = {key * 977: 50 for key in range(60)}
        full = learn(full, Lesson(number, True, {Name.MISSES: Taught(1, 9, 0, 0)}, 5, many, many, many))
    encoded = msgspec.msgpack.encode(full)
    assert len(encoded) < 1024
    assert msgspec.msgpack.decode(encoded, type=Profile) == full


def test_old_habits_fade() -> None:
    elsewhere = {5: 21}
    known = after(cold(GP), 300)
    moved = after(known, 600, lambda number: msgspec.structs.replace(honest_day(number), insurers=elsewhere))
    assert usual(moved).insurers == {5}


@pytest.mark.parametrize(
    "lesson",
    [
        day(5, MISSES=Taught(0, 20, 1, 1)),
        day(4, MISSES=Taught(0, 20, 1, 1)),
        day(6, clean=False, MISSES=Taught(0, 20, 1, 1)),
        day(6, MISSES=Taught(0, 0, 30, 30)),
        day(6),
    ],
    ids=["again", "older", "not clean", "nothing proved", "empty"],
)
def test_what_does_not_teach(lesson: Lesson) -> None:
    known = learn(cold(GP), day(5, MISSES=Taught(0, 20, 1, 1)))
    assert learn(known, lesson) == known


def test_fixed_rates_are_not_learnt() -> None:
    assert learn(cold(GP), day(1, COURSE=Taught(50, 50))).rates[Name.COURSE] == cold(GP).rates[Name.COURSE]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 400), st.integers(0, 400)), max_size=40))
def test_what_is_not_proved_teaches_no_more_than_what_is_proved_allows(days: list[tuple[int, int, int]]) -> None:
    """Whatever is asked: misses taken are at most 1.25 × the highest usual odds for each settled claim, and one gulp."""
    rate, taken, allowed, gulp = cold(GP).rates[Name.MISSES], 0.0, 0.0, 0.0
    for settled, missed, unclaimed in days:
        odds, credit = rate.mean / (1 - rate.mean), rate.credit
        rate = profiles._learn_rate(rate, SIGNALS[Name.MISSES], Taught(0, settled, missed, missed + unclaimed), 0.15)
        gulp = max(gulp, CREDIT_MAX, GULP * odds * settled)
        allowed += GROWTH * odds * settled
        if rate.credit < credit + GROWTH * odds * settled - 1e-9 and rate.credit < CREDIT_MAX:
            taken += missed
        assert taken <= allowed + gulp + 1e-6


def worn(signal: Name, factor: float) -> tuple[int, int]:
    """Settled claims until a known account's bound is `factor` times as high, for the best trainer there is (as many hits as
    are taken, whenever they are), and the look-ups that go into it."""
    rate = after(cold(GP), 400).rates[signal]
    settled, hits = 0, 0
    aim = factor * profiles.upper(rate.hits, rate.others)
    while profiles.upper(rate.hits, rate.others) < aim:
        most = max(CREDIT_MAX, int(GULP * rate.mean / (1 - rate.mean) * 21))
        asked = most if rate.credit >= 0 else 0
        rate = profiles._learn_rate(rate, SIGNALS[signal], Taught(0, 21, asked, asked), 0.15)
        settled, hits = settled + 21, hits + asked
    return settled, hits


@pytest.mark.parametrize(("signal", "claims_min"), [(Name.MISSES, 2_500), (Name.UNCLAIMED, 2_500)])
def test_a_thief_pays_thousands_of_settled_claims_to_double_a_bound(signal: Name, claims_min: int) -> None:
    settled, _ = worn(signal, 2)
    assert settled > claims_min


def test_a_rate_says_its_mean() -> None:
    assert Rate(3, 97).mean == pytest.approx(0.03)


def test_classes_of_habits() -> None:
    friday, sunday = datetime(2026, 11, 27, 9, 30, tzinfo=UTC), datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
    assert [hour_class(friday), hour_class(sunday)] == [10, 0]  # Paris is an hour ahead: it is Monday there
    assert len({insurer_class(f"00{number:08}") for number in range(400)}) > 395
    assert all(low <= high for low, high in pairwise(sorted(profiles.upper(1, n) for n in (900, 90, 9))))
