""" "Not me": mistakes are expected, and counted against how many people were opened."""

from __future__ import annotations

from math import exp, factorial

import pytest

from ecluse.gate.denials import MISTAKEN, chance_of_mistake, step_for
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
