"""What a door hands on of two questions in a row: classes, from which no number comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.features import Course, Features, Last, Step, features

FIRST = "2790615123045"


@pytest.mark.parametrize(
    ("nir", "step"),
    [
        ("2790615123046", Step.NEXT),
        ("2790615123065", Step.NEXT),
        ("2790615123066", Step.NEAR),
        ("2790675123045", Step.NEAR),
        ("1790615123046", Step.FAR),
        ("2790715123046", Step.FAR),
        (FIRST, Step.FAR),
    ],
)
def test_how_far_a_number_is_from_the_last(nir: str, step: Step) -> None:
    _, last = features(FIRST, 0, None)
    told, _ = features(nir + "00", 60, last)
    assert told.step is step


def test_a_sorted_list_goes_on_and_people_turn() -> None:
    courses, last = [], None
    for at_s, nir in enumerate(["1500101001001", "1600101001001", "1700101001001", "1650101001001", "1600101001001"]):
        told, last = features(nir, at_s * 60, last)
        courses.append(told.course)
    assert courses == [Course.NONE, Course.NONE, Course.SAME, Course.TURNED, Course.SAME]


@pytest.mark.parametrize(
    ("waits_s", "paced"),
    [((40, 2.9), True), ((40, 41), True), ((40, 36), True), ((40, 35), False), ((40, 60), False), ((40,), False)],
)
def test_a_machine_is_fast_or_regular(waits_s: tuple[float, ...], paced: bool) -> None:
    told, last = features(FIRST, 0, None)
    at_s = 0.0
    for wait_s in waits_s:
        at_s += wait_s
        told, last = features(FIRST, at_s, last)
    assert told.machine_paced is paced


@pytest.mark.parametrize(
    ("place", "department"),
    [("75123", 75), ("2A004", 19), ("2B033", 18), ("97105", 97), ("99109", 99), ("XX000", 0)],
)
def test_the_department_of_birth(place: str, department: int) -> None:
    assert features(f"27906{place}045", 0, None)[0].birth_department == department


NIRS = st.builds(
    "{}{:04}{}{:06}".format,
    *(st.sampled_from(each) for each in ("12", range(10_000))),
    st.sampled_from(["2A", "2B", "75", "99"]),
    st.integers(0, 999_999),
)


@given(st.lists(st.tuples(NIRS, st.floats(0, 1e5)), max_size=20))
def test_what_is_handed_on_holds_no_number_and_what_is_kept_has_no_text(asked: list[tuple[str, float]]) -> None:
    last: Last | None = None
    for nir, at_s in asked:
        told, last = features(nir, at_s, last)
        assert told == Features(*(getattr(told, name) for name in Features.__struct_fields__))
        assert told.birth_department < 100
        assert told.step in Step
        assert -1 <= told.gap_s <= 3600
        assert nir not in f"{told!r} {last!r} {last}"
