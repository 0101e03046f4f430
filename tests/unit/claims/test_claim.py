"""The table of states and moves."""

from __future__ import annotations

from itertools import product

import pytest

from ecluse.claims.claim import MOVES, Move, State, after
from ecluse.kernel.errors import Refused

LIFE = {
    "accept": {"received": "accepted"},
    "refuse": {"received": "refused"},
    "order": {"accepted": "ordered", "returned": "ordered"},
    "settle": {"ordered": "settled"},
    "return": {"ordered": "returned", "settled": "returned"},
    "cancel": dict.fromkeys(("accepted", "ordered", "settled", "returned"), "cancelled"),
}


@pytest.mark.parametrize(("state", "move"), list(product(State, Move)))
def test_each_move_from_each_state(state: State, move: Move) -> None:
    expected = LIFE[move].get(state)
    if expected is not None:
        assert after(state, move) == expected
        return
    with pytest.raises(Refused) as refused:
        after(state, move)
    assert refused.value.code == "move_not_allowed"


def test_a_new_claim_can_reach_every_state_and_refused_and_cancelled_are_final() -> None:
    reached, new = {State.RECEIVED}, {State.RECEIVED}
    while new:
        new = {to for (start, _), to in MOVES.items() if start in reached} - reached
        reached |= new
    assert reached == set(State)
    assert {state for state in State if not any(start is state for start, _ in MOVES)} == {
        State.REFUSED,
        State.CANCELLED,
    }
