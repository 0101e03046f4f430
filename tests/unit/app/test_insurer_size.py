"""How large an insurer is told to be: by powers of two, so that nearly never one person more shows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.insurer_size import rounded_up


@given(st.integers(1, 10_000_000))
def test_as_many_or_more_and_never_twice_as_many(people: int) -> None:
    told = rounded_up(people)
    assert people <= told < 2 * people
    assert rounded_up(told) == told


def test_nobody_is_nobody() -> None:
    assert rounded_up(0) == 0
