"""Waves: everybody in exactly one, none above what its hours bear, in the order of the rule, whatever is limited."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.containment import Kind, Reach
from ecluse.gate.reopening import H_US, ORDER, Limit, planned, rank, target
from ecluse.gate.signals import Step
from ecluse.kernel.errors import Refused

NOON_US = 1_790_000_000_000_000
CARES = ["", "pharmacy", "PHAR", "optician", "OPTI", "nurse", "diviner", "MED"]


@st.composite
def limits(draw: st.DrawFn) -> list[Limit]:
    names = draw(st.sets(st.tuples(st.sampled_from([*Kind]), st.integers(0, 30)), max_size=60))
    found = []
    for kind, number in sorted(names):
        bottom = Step.STEP_UP if kind is Kind.ACCOUNT else Reach.CLOSED
        care = draw(st.sampled_from(CARES)) if kind in (Kind.ACCOUNT, Kind.DOMAIN) else ""
        logins = 1 if kind is Kind.ACCOUNT else draw(st.integers(1, 500))
        since_us = NOON_US - draw(st.integers(0, 5)) * H_US
        found.append(Limit(kind, f"n{number}", care, bottom, target(kind), since_us, logins))
    return draw(st.permutations(found))


@given(limits(), st.integers(1, 200), st.integers(1, 5))
def test_everybody_is_in_one_wave_none_is_too_full_and_the_order_is_the_rules(
    found: list[Limit], per_h: int, wave_h: int
) -> None:
    plan = planned(found, per_h, wave_h, NOON_US, NOON_US)
    order = [each for wave in plan.waves for each in wave.limits]
    assert sorted(map(repr, order)) == sorted(map(repr, found)), "everybody, once"
    assert order == sorted(order, key=lambda each: (rank(each), each.since_us, each.kind, each.name))
    starts_us = NOON_US
    for number, wave in enumerate(plan.waves, 1):
        assert (wave.number, wave.starts_us) == (number, starts_us)
        assert wave.logins == sum(each.logins for each in wave.limits) <= per_h * wave.hours
        assert wave.limits
        assert wave.hours == wave_h or len(wave.limits) == 1, "only what is too large alone lasts longer"
        assert (wave.hours - 1) * per_h < wave.logins or wave.hours == wave_h, "no longer than it needs"
        starts_us += wave.hours * H_US
    assert plan == planned(found[::-1], per_h, wave_h, NOON_US, NOON_US), "the same limits, the same waves"
    for before, after in zip(plan.waves, plan.waves[1:], strict=False):
        assert before.logins + after.limits[0].logins > per_h * wave_h, "no wave ends before it is full"


@pytest.mark.parametrize(("per_h", "wave_h"), [(0, 1), (-1, 1), (1, 0)])
def test_no_capacity_makes_no_plan(per_h: int, wave_h: int) -> None:
    with pytest.raises(Refused, match="reopening_invalid"):
        planned([], per_h, wave_h, NOON_US, NOON_US)


CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": Kind.INSURER}, {"kind": Kind.ACCOUNT, "care": "pharmacy"}),
    ({"kind": Kind.DOMAIN, "care": "PHAR"}, {"kind": Kind.DOMAIN, "care": "OPTI"}),
    ({"care": "pharmacy"}, {"care": "optician"}),
    ({"care": "general_practitioner"}, {"care": "dentist"}),
    ({"care": "optician"}, {"care": "nobody knows"}),
    ({"since_us": NOON_US - 1}, {"since_us": NOON_US}),
]


@pytest.mark.parametrize(("first", "second"), CASES)
def test_who_comes_before_whom(first: dict[str, Any], second: dict[str, Any]) -> None:
    plain: dict[str, Any] = {
        "kind": Kind.ACCOUNT,
        "care": "pharmacy",
        "step": 3,
        "to_step": 1,
        "since_us": NOON_US,
        "logins": 1,
    }
    one, two = Limit(**plain | {"name": "b"} | first), Limit(**plain | {"name": "a"} | second)
    assert [each.limits for each in planned([two, one], 1, 1, 0, 0).waves] == [(one,), (two,)]


def test_the_last_row_of_the_rule_takes_every_kind_that_has_care() -> None:
    assert not ORDER[-1].care
    assert {kind for row in ORDER for kind in row.kinds if not row.care} == {*Kind}
