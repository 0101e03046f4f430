""" "Not me": mistakes are expected, and counted against how many people were opened."""

from __future__ import annotations

from math import exp, factorial

import pytest

from ecluse.gate.denials import MISTAKEN, Said, Weight, chance_of_mistake, months, step_due, step_for, weight
from ecluse.gate.signals import Step


@pytest.mark.parametrize(
    ("denied", "opened", "step"),
    [
        (0, 0, Step.OPEN),
        (0, 500, Step.OPEN),
        (1, 10, Step.OPEN),
        (2, 50, Step.OPEN),
        (3, 10, Step.OPEN),
        (4, 10, Step.PRESENCE_ONLY),
        (5, 10, Step.QUARANTINED),
        (4, 50, Step.OPEN),
        (5, 50, Step.SLOWED),
        (6, 50, Step.STEP_UP),
        (7, 50, Step.QUARANTINED),
        (8, 400, Step.OPEN),
        (10, 400, Step.PRESENCE_ONLY),
        (12, 400, Step.QUARANTINED),
        (40, 10_000, Step.OPEN),
        (55, 10_000, Step.QUARANTINED),
    ],
)
def test_how_many_lead_where(denied: int, opened: int, step: Step) -> None:
    assert step_for(denied, opened) is step


@pytest.mark.parametrize("opened", [1, 30, 400, 9_000])
def test_the_chance_is_a_bound_for_a_poisson(opened: int) -> None:
    mean = opened * MISTAKEN
    for denied in range(1, 60):
        below = sum(exp(-mean) * mean**count / factorial(count) for count in range(denied))
        assert 1 - below <= chance_of_mistake(denied, opened) + 1e-12


@pytest.mark.parametrize("opened", [5, 50, 183, 1_000])
def test_no_insurer_alone_does_more_than_ask_for_passes(opened: int) -> None:
    for denied in range(opened + 1):
        alone = step_due(denied, opened, denied)
        assert alone is min(step_for(denied, opened), Step.PRESENCE_ONLY)
        for others in range(min(3, opened - denied)):
            due = step_due(denied + others, opened, denied)
            assert alone <= due <= max(Step.PRESENCE_ONLY, step_for(others, opened))


@pytest.mark.parametrize(
    ("said", "cap", "due"),
    [
        (Said(4, 4, 10), 12, Weight.COUNTED),
        (Said(5, 5, 10), 12, Weight.HELD),  # a practice that starts again, and one insurer's word
        (Said(44, 44, 10_000), 183, Weight.COUNTED),
        (Said(45, 45, 10_000), 183, Weight.HELD),
        (Said(0, 19, 10), 183, Weight.COUNTED),
        (Said(0, 20, 10), 183, Weight.HELD),
        (Said(0, 99, 10_000), 183, Weight.COUNTED),
        (Said(0, 100, 10_000), 183, Weight.HELD),
    ],
)
def test_what_one_insurer_may_say(said: Said, cap: int, due: Weight) -> None:
    assert weight(said, cap) is due


def test_months_are_those_of_the_calendar() -> None:
    january = 1_767_225_600_000_000  # 2026-01-01
    assert months(january) == months(january + 30 * 86_400_000_000) == (january, january - 31 * 86_400_000_000)
    assert months(january - 1)[0] == january - 31 * 86_400_000_000
