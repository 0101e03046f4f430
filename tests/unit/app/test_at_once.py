"""Of long works so many are under way at once: of one asker, and of all; who is refused counts for nothing."""

from __future__ import annotations

import pytest

from ecluse.app.at_once import AtOnce, Kind
from ecluse.kernel.errors import Refused

LOOKS, OTHERS = Kind("looks", 2, 3), Kind("others", 1, 1)


def test_more_than_ones_own_and_more_than_everybodys_are_refused_until_one_ends() -> None:
    at_once = AtOnce()
    with at_once.one(LOOKS, "a"):
        with at_once.one(LOOKS, "a"):
            with pytest.raises(Refused, match="2 of yours"), at_once.one(LOOKS, "a"):
                pass
            beside = at_once.one(LOOKS, "b"), at_once.one(OTHERS, "a")
            with beside[0], beside[1], pytest.raises(Refused, match="3 of everybody's"), at_once.one(LOOKS, "c"):
                pass
        with at_once.one(LOOKS, "a"):
            pass


def test_a_work_that_fails_leaves_its_place() -> None:
    at_once = AtOnce()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), at_once.one(OTHERS, "a"):
            _ = 1 / 0
