"""Tries are counted from the first on, for as long as is said, and of many keys the memory stays small."""

from __future__ import annotations

from ecluse.app.tries import HOUR_S, REMEMBERED_MAX, Tries


class Moved:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.at_s = 1_000.0

    def __call__(self) -> float:
        return self.at_s


def test_a_key_is_counted_for_its_time_and_then_anew() -> None:
    clock = Moved()
    tries = Tries(clock)
    for step_s, counted in ((0, 1), (HOUR_S / 2, 2), (HOUR_S / 2 - 1, 3), (1, 1), (HOUR_S - 1, 2)):
        clock.at_s += step_s
        tries.note("one")
        assert (tries.count("one"), tries.count("another")) == (counted, 0)
    clock.at_s += HOUR_S
    assert tries.count("one") == 0


def test_of_more_keys_than_it_may_remember_the_last_are_counted() -> None:
    tries = Tries()
    for number in range(REMEMBERED_MAX + 1):
        tries.note(f"{number}")
    assert (tries.count("0"), tries.count(f"{REMEMBERED_MAX}")) == (0, 1)
