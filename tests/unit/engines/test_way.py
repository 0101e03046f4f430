"""Where a command that moves an insurer leads, from what the home database says."""

from __future__ import annotations

import pytest

from ecluse.engines.postgres.moves import Way, way_to
from ecluse.kernel.errors import Refused

ON_SOUTH = ("south", False)


@pytest.mark.parametrize(
    ("asked", "state", "way"),
    [
        ("west", None, "copying"),
        ("west", "copying", "copying"),
        ("west", "switching", "copying"),  # the old server serves again, and all begins anew
        ("west", "cleaning", "cleaning"),
        ("south", "copying", "returning"),
        ("south", "switching", "returning"),
        ("south", "returning", "returning"),
    ],
)
def test_a_move_begins_goes_on_or_is_taken_back(asked: str, state: str | None, way: str) -> None:
    under_way = None if state is None else ("south", "west", state, "fee_1", 1, 7)
    assert way_to(asked, under_way, ON_SOUTH) == Way("south", "west", way)


@pytest.mark.parametrize(
    ("asked", "under_way", "placed", "code"),
    [
        ("west", None, None, "insurer_nowhere"),
        ("south", None, ON_SOUTH, "already_there"),
        ("north", ("south", "west", "copying"), ON_SOUTH, "move_in_progress"),
        ("south", ("south", "west", "cleaning"), ("west", True), "move_in_progress"),
        ("west", ("south", "west", "returning"), ON_SOUTH, "move_in_progress"),
    ],
)
def test_a_move_that_leads_nowhere_is_refused(asked: str, under_way: object, placed: object, code: str) -> None:
    with pytest.raises(Refused, match=code):
        way_to(asked, under_way, placed)
