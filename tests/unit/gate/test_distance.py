"""How far apart practices are: what one can travel is never too far, a copied pass is."""

from __future__ import annotations

import pytest

from ecluse.exposure.places import MAINLAND, OVERSEAS
from ecluse.gate.distance import REMEMBERED_S, WHERE, apart_km, too_far

H = 3600

KILOMETRES = [
    ("75", "13", 660),
    ("59", "13", 835),
    ("29", "67", 880),
    ("75", "2A", 920),
    ("75", "974", 9_370),
    ("33", "33", 0),
]


def test_every_departement_has_its_place() -> None:
    assert {*WHERE} == MAINLAND | {*OVERSEAS.values()}


@pytest.mark.parametrize(("one", "other", "km"), KILOMETRES)
def test_kilometres_are_those_of_the_map(one: str, other: str, km: int) -> None:
    assert apart_km(one, other) == pytest.approx(km, abs=max(15, km * 0.02))
    assert apart_km(one, other) == apart_km(other, one)


# Journeys as fast as there are: trains from centre to centre, flights with three quarters of an hour at each end.
TRAVELLED = [
    ("75", "69", 1.93),
    ("75", "33", 2.07),
    ("75", "13", 3.05),
    ("75", "59", 1.0),
    ("75", "67", 1.77),
    ("75", "35", 1.42),
    ("69", "13", 1.65),
    ("75", "06", 2.9),
    ("75", "2A", 3.0),
    ("31", "75", 2.8),
    ("92", "75", 0.0),
    ("59", "62", 0.2),
    ("38", "73", 0.5),
    ("971", "972", 1.5),
    ("75", "974", 13.0),
]


@pytest.mark.parametrize(("one", "other", "hours"), TRAVELLED)
def test_whoever_travels_is_not_too_far(one: str, other: str, hours: float) -> None:
    assert not too_far(one, other, hours * H)


@pytest.mark.parametrize(
    ("one", "other", "hours"),
    [("59", "13", 1), ("75", "06", 0.5), ("29", "67", 1.5), ("75", "974", 3), ("2A", "75", 1)],
)
def test_a_pass_in_two_places_is_too_far(one: str, other: str, hours: float) -> None:
    assert too_far(one, other, hours * H)
    assert too_far(other, one, -hours * H)  # two processes wrote them down the other way round


def test_what_is_unknown_or_long_ago_is_never_too_far() -> None:
    assert not too_far("75", "", 1)
    assert not too_far("98", "75", 1)
    assert not too_far("75", "974", REMEMBERED_S + 1)
