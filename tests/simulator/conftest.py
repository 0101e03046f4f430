"""One small world and its day, for all the tests of the simulator."""

from __future__ import annotations

from datetime import date

import pytest

from sim import workload, world
from sim.exchange import Visit
from sim.world import World

DAY = date(2026, 11, 24)


@pytest.fixture(scope="session")
def small() -> World:
    return world.build(7, 1_500, DAY)


@pytest.fixture(scope="session")
def visits(small: World) -> list[Visit]:
    return workload.day_of_care(small, DAY)
