"""The disclosure table: cut to a level an answer passes, uncut it is a bug, and no level is told less than the one below."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.claims import ClaimAnswer
from ecluse.app.rights import Promise, RightsAnswer
from ecluse.claims.claim import Fault, State
from ecluse.gate.disclosure import BITS, TABLE, allowed, cut, fields_of, overtold
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Field, Operation
from ecluse.rights.model import Domain

TODAY = date(2026, 11, 29)
FAR = date(2027, 12, 31)
WHOLE = RightsAnswer(
    "chk_1", "confirmed", True, FAR, Promise("E26", TODAY), "SV", "0001", "ended", ("Optique : rien",), (Domain.OPTI,)
)  # fmt: skip
BASE = ["outcome", "third_party_payment", "covered_until", "engagement", "convention_type", "csr"]
TOLD = {
    Presence.TYPED: BASE,
    Presence.PASS: [*BASE, "reason"],
    Presence.LIVE: [*BASE, "reason", "guarantee", "domains"],
}


@pytest.mark.parametrize("presence", Presence)
def test_a_rights_check_tells_what_its_level_may(presence: Presence) -> None:
    told = cut(WHOLE, Operation.RIGHTS_CHECK, presence, TODAY)
    assert set(msgspec.json.decode(msgspec.json.encode(told))) == {"check_id", *TOLD[presence]}
    assert told.covered_until == (TODAY + timedelta(days=30) if presence is Presence.TYPED else FAR)
    assert overtold(told, fields_of(told), Operation.RIGHTS_CHECK, presence, TODAY) == ""


def test_uncut_it_is_a_bug() -> None:
    found = overtold(WHOLE, fields_of(WHOLE), Operation.RIGHTS_CHECK, Presence.PASS, TODAY)
    assert found == "rights_check PASS: <Field.GUARANTEE|DOMAINS: 8448>"
    far = RightsAnswer("chk_1", "confirmed", covered_until=FAR)
    assert "too far" in overtold(far, fields_of(far), Operation.RIGHTS_CHECK, Presence.TYPED, TODAY)


@pytest.mark.parametrize("operation", TABLE)
def test_who_shows_more_is_told_no_less(operation: Operation) -> None:
    for lower, higher in pairwise(Presence):
        assert allowed(operation, lower) & ~allowed(operation, higher) == 0


@pytest.mark.parametrize("operation", sorted(set(Operation) - TABLE.keys()))
def test_an_operation_that_is_not_in_the_table_tells_nothing(operation: Operation) -> None:
    assert allowed(operation, Presence.LIVE) == 0
    assert overtold(WHOLE, fields_of(WHOLE), operation, Presence.LIVE, TODAY)


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([], Field.CLAIM),
        (["not_covered"], Field.CLAIM | Field.REASON),
        (["quantity_too_high", "amount_mismatch"], Field.CLAIM | Field.REASON | Field.SPLIT),
    ],
)
def test_a_refusal_that_says_the_right_amount_tells_the_split(codes: list[str], told: Field) -> None:
    refusals = tuple(Fault(code, "", "") for code in codes)
    assert fields_of(ClaimAnswer(claim_id="clm_1", status=State.REFUSED, refusals=refusals)) == told


def test_civil_status_is_told_to_the_members_own_insurer_only() -> None:
    tells = {operation for operation, row in TABLE.items() if any(level & Field.MEMBER for level in row)}
    assert tells == {Operation.JOURNAL_EXPORTED, Operation.OPENINGS_TOLD}


def answers() -> Any:
    kinds = st.sampled_from([Domain.MED, Domain.OPTI])
    days = st.none() | st.dates(date(2026, 1, 1), date(9999, 12, 31))
    return st.builds(
        RightsAnswer,
        check_id=st.just("chk_1"),
        outcome=st.sampled_from(["confirmed", "not_confirmed"]),
        third_party_payment=st.none() | st.booleans(),
        covered_until=days,
        engagement=st.none() | st.just(Promise("E26", TODAY)),
        reason=st.none() | st.just("ended"),
        guarantee=st.none() | st.just(("x",)),
        domains=st.none() | st.tuples(kinds),
    )


@given(answers(), st.sampled_from(list(Operation)), st.sampled_from(list(Presence)))
def test_whatever_was_cut_may_be_released(answer: RightsAnswer, operation: Operation, presence: Presence) -> None:
    told = cut(answer, operation, presence, TODAY)
    assert overtold(told, fields_of(told), operation, presence, TODAY) == ""
    assert cut(told, operation, presence, TODAY) == told
    for name in BITS.keys() & set(RightsAnswer.__struct_fields__):
        assert getattr(told, name) in (None, getattr(answer, name), TODAY + timedelta(days=30))
