"""The record of what was told: about whom, which fields; and windows that cut no exchange in two."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from honest import Honest
from hypothesis import given
from hypothesis import strategies as st

from sim.auditor.questions import having_bits, quiet_instants
from sim.auditor.told import Page, Record, fields_in, network_of
from sim.exchange import Visit
from sim.player import Played
from sim.workload import staff_by_account
from sim.world import World


@pytest.fixture(scope="module")
def played(small: World, visits: list[Visit]) -> list[Played]:
    return Honest(small, small.day).play(visits)


def heard(world: World, played: list[Played]) -> Record:
    record = Record(world, staff_by_account(world))
    for each in played:
        record.hear(each)
    return record


def test_what_is_told_is_about_whom_the_plan_says(small: World, played: list[Played]) -> None:
    """The plan knows the person; the record finds them again from card, engagement, approval or claim."""
    for each in played:
        told = heard_alone(small, played, each)
        must = each.planned.must
        if must.outcome in ("confirmed", "quoted", "granted", "accepted"):
            person = small.people[must.person]
            assert [(one.insurer, one.birth_date, one.birth_rank) for one in told] == [
                (must.insurer, person.birth_date, person.birth_rank)
            ]
        elif must.outcome in ("not_confirmed", "error", "listed"):
            assert told == []


def heard_alone(small: World, played: list[Played], last: Played) -> list[Any]:
    """Whom the last one told of, after the others of its visit."""
    own = [each for each in played if each.planned.visit == last.planned.visit]
    before = own[: own.index(last)]
    first = heard(small, before)
    known = len(first.tellings)
    first.hear(last)
    return [told.member for told in first.tellings[known:]]


@pytest.mark.parametrize("scenario", ["refused:borrowed_engagement", "refused:not_covered"])
def test_a_refusal_about_nobody_confirmed_tells_of_nobody(small: World, played: list[Played], scenario: str) -> None:
    refused = [each for each in played if each.planned.scenario == scenario and each.planned.must.outcome == "refused"]
    assert refused
    assert [heard_alone(small, played, each) for each in refused] == [[] for _ in refused]


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ({"check_id": "chk_1", "outcome": "not_confirmed"}, {"outcome"}),
        ({"claim_id": "clm_1", "status": "refused", "refusals": [{"code": "x"}]}, {"claim", "reason"}),
        ({"claim_id": "clm_1", "amc_cents": 0, "refusals": []}, {"claim", "split"}),
        ({"quote_id": "quo_1", "lines": [{"amo_cents": 1, "because": ["."]}]}, {"split", "guarantee"}),
        ({"approval_id": "pec_1", "valid_until": None}, {"approval"}),
        ({"claims": [], "next_cursor": None}, set()),
    ],
)
def test_fields_are_those_that_hold_something(answer: dict[str, Any], fields: set[str]) -> None:
    assert fields_in(json.loads(json.dumps(answer))) == fields


def test_every_answer_counts_once_more_when_it_is_sent_again(small: World, played: list[Played]) -> None:
    first = next(each for each in played if each.planned.must.outcome == "confirmed")
    assert len(heard(small, [first, replace(first, sent_at=9.0)]).tellings) == 2


@pytest.mark.parametrize(
    ("address", "network"), [("", ""), ("198.18.7.9", "198.18.7.0/24"), ("2001:db8:7:9::1", "2001:db8:7::/48")]
)
def test_networks_are_prefixes(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.integers(1, 200))
def test_two_values_never_are_in_the_same_questions(count: int) -> None:
    values = [f"{number:03d}" for number in range(count)]
    asked = [held for _, held in having_bits(values)]
    patterns = {tuple(value in held for held in asked) for value in values}
    assert len(patterns) == count
    assert all(any(pattern) for pattern in patterns)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**4)), min_size=1, max_size=40))
def test_windows_cut_no_exchange(spans: list[tuple[int, int]]) -> None:
    exchanges = [Page("a", sent, sent + took, 1) for sent, took in spans]
    instants = quiet_instants(exchanges)
    assert instants == sorted(set(instants))
    for at in instants:
        assert all(at <= each.sent_us or each.received_us <= at for each in exchanges)
