"""What a person's rights become under the rows of a file: the laws of `combine`."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.days import FOREVER, Period
from ecluse.rights.changes import Change, combine
from ecluse.rights.model import Domain, Right

DAY = date(2026, 1, 1)


def right(contract: str, start: int, end: int | None, product: str = "A") -> Right:
    last = FOREVER if end is None else DAY + timedelta(days=end)
    return Right(contract, "M1", product, (Domain.MED,), Period(DAY + timedelta(days=start), last), "SV", "1", True, 1)


CASES = {
    "set adds": ([], [(False, right("C", 0, 10))], [right("C", 0, 10)], []),
    "set takes the place": ([right("C", 0, 10)], [(False, right("C", 0, 20, "B"))], [right("C", 0, 20, "B")], []),
    "end closes, and changes nothing else": (
        [right("C", 0, None)],
        [(True, right("C", 0, 10, "B"))],
        [right("C", 0, 10)],
        [],
    ),
    "adjacent is fine": (
        [right("C", 0, 10)],
        [(False, right("C", 10, 20))],
        [right("C", 0, 10), right("C", 10, 20)],
        [],
    ),
    "end then set, in any order": (
        [right("C", 0, None)],
        [(False, right("C", 10, None)), (True, right("C", 0, 10))],
        [right("C", 0, 10), right("C", 10, None)],
        [],
    ),
    "other contracts may overlap": (
        [right("C", 0, 10)],
        [(False, right("D", 5, 9))],
        [right("C", 0, 10), right("D", 5, 9)],
        [],
    ),
    "end of nothing": ([right("C", 0, 10)], [(True, right("C", 1, 5))], None, [(1, "nothing_to_end")]),
    "overlap with what is kept": ([right("C", 0, 10)], [(False, right("C", 9, 20))], None, [(1, "period_overlaps")]),
    "overlap of two rows": (
        [],
        [(False, right("C", 5, 10)), (False, right("C", 0, 6))],
        None,
        [(2, "period_overlaps")],
    ),
    "the same row twice": ([], [(False, right("C", 0, 10)), (False, right("C", 0, 10))], None, [(2, "row_twice")]),
    "set and end of one right": ([], [(False, right("C", 0, 10)), (True, right("C", 0, 5))], None, [(2, "row_twice")]),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_applied_to_one_person(name: str) -> None:
    kept, rows, rights, refused = CASES[name]
    combined = combine(kept, [Change(line, ends, row) for line, (ends, row) in enumerate(rows, 1)])
    assert list(combined.refused) == refused
    if rights is not None:
        assert [each for each, _ in combined.rights] == rights


RIGHTS = st.builds(
    lambda contract, start, length, product: right(contract, start, start + length, product),
    st.sampled_from("CD"),
    st.integers(0, 30),
    st.integers(1, 10),
    st.sampled_from("AB"),
)


@given(st.lists(RIGHTS, max_size=4), st.lists(st.tuples(st.booleans(), RIGHTS), max_size=4))
def test_what_is_not_refused_never_overlaps(kept: list[Right], rows: list[tuple[bool, Right]]) -> None:
    before = combine([], [Change(line, False, each) for line, each in enumerate(kept, 1)])
    if before.refused:
        return
    after = combine([each for each, _ in before.rights], [Change(line, *row) for line, row in enumerate(rows, 1)])
    if not after.refused:
        ordered = [each for each, _ in after.rights]
        assert all(
            first.contract != second.contract or first.valid.end <= second.valid.start
            for first, second in pairwise(ordered)
        )


@given(
    st.lists(st.tuples(st.booleans(), RIGHTS), max_size=4).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(rows))
    )
)
def test_order_in_the_file_does_not_matter(rows: tuple[list[tuple[bool, Right]], list[tuple[bool, Right]]]) -> None:
    kept = [right("C", 0, 5), right("D", 0, None)]
    one, other = (combine(kept, [Change(line, *row) for line, row in enumerate(some, 1)]) for some in rows)
    assert bool(one.refused) == bool(other.refused)
    if not one.refused:
        assert [each for each, _ in one.rights] == [each for each, _ in other.rights]
