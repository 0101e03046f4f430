"""The table of an approval's states and moves, and what a claim that names none is compared by."""

from __future__ import annotations

from itertools import product

import msgspec
import pytest

from ecluse.app.claims import ClaimSent
from ecluse.claims.approval import MOVES, Move, State, after
from ecluse.kernel.errors import Refused

LIFE = {
    "grant": {"asked": "granted"},
    "refuse": {"asked": "refused"},
    "use": {"granted": "used", "used": "used"},
    "give_back": {"used": "used"},
    "reopen": {"used": "granted"},
    "cancel": {"granted": "cancelled"},
    "withdraw": {"granted": "cancelled", "used": "used"},
    "expire": {"granted": "expired"},
}


@pytest.mark.parametrize(("state", "move"), list(product(State, Move)))
def test_each_move_from_each_state(state: State, move: Move) -> None:
    expected = LIFE[move].get(state)
    if expected is not None:
        assert after(state, move) == expected
        return
    with pytest.raises(Refused) as refused:
        after(state, move)
    assert refused.value.code == "approval_closed"


def test_every_state_is_reached_and_three_are_final() -> None:
    reached = {State.ASKED, *MOVES.values()}
    assert reached == set(State)
    assert set(State) - {start for start, _ in MOVES} == {State.REFUSED, State.CANCELLED, State.EXPIRED}


def test_claims_that_name_no_approval_are_compared_by_the_bytes_they_always_were() -> None:
    plain = msgspec.convert(
        {"invoice": "F1", "engagement": "E26", "lines": [{"line": 1, "act": "CS", "date": "2026-11-23", "expense_cents": 1,
                                                         "base_cents": 1, "amo_rate": "70%"}]}, ClaimSent,
    )  # fmt: skip
    compared = msgspec.msgpack.decode(msgspec.msgpack.Encoder(order="deterministic").encode(plain))
    assert list(compared) == [
        "invoice", "lines", "engagement", "insurer", "beneficiary", "domain", "care_date", "replaces",
    ]  # fmt: skip
