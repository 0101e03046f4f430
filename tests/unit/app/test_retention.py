"""Which months of the journal are due: by the clock, where the journal bears it out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ecluse.app.ports.journal import ShardState
from ecluse.app.retention import due, going
from ecluse.exposure.gaps import month_of
from ecluse.kernel.days import DAY_US

YEAR = [*(f"2025-{month:02}" for month in range(10, 13)), *(f"2026-{month:02}" for month in range(1, 13))]
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def shards(*months: str, pruned: tuple[str, ...] = ()) -> list[ShardState]:
    """One of each month, over, with entries; of those that are pruned, without."""
    return [
        ShardState(f"{each}-w0", each, "frozen", 9, "", 9 * (each in pruned), has_entries=each not in pruned)
        for each in months
    ]


@pytest.mark.parametrize(
    ("months", "now", "expected"),
    [
        pytest.param(YEAR, DECEMBER, ["2025-10", "2025-11"], id="the clock is right"),
        pytest.param(YEAR[:-1], DECEMBER, ["2025-10", "2025-11"], id="nothing written yet this month"),
        pytest.param(YEAR, datetime(2028, 1, 5, tzinfo=UTC), ["2025-10", "2025-11"], id="ahead"),
        pytest.param(
            [*YEAR, "2028-01"], datetime(2028, 1, 5, tzinfo=UTC), ["2025-10", "2025-11"], id="ahead, and written to"
        ),
        pytest.param([*YEAR, "2028-01"], DECEMBER, ["2025-10", "2025-11"], id="right again, after it was ahead"),
        pytest.param(YEAR[:8], datetime(2026, 12, 1, tzinfo=UTC), [], id="quiet since May"),
        pytest.param([*YEAR[:8], "2026-12"], datetime(2026, 12, 9, tzinfo=UTC), [], id="asked again, this month"),
        pytest.param([*YEAR[:8], "2026-12"], datetime(2027, 1, 1, tzinfo=UTC), YEAR[:3], id="asked again, last month"),
        pytest.param(["2024-03"], DECEMBER, [], id="all there is"),
        pytest.param([], DECEMBER, [], id="empty"),
    ],
)
def test_months_are_due_by_the_clock_where_the_journal_bears_it_out(
    months: list[str], now: datetime, expected: list[str]
) -> None:
    there = shards(*months)
    assert [each.month for each in due(there, now, 12)] == expected
    kept = [each.month for each in there if each.month not in expected]
    assert all(month_of(each)[0] + DAY_US >= going(there, now, 12).before_us for each in kept)


def test_a_month_that_was_pruned_is_one_that_had_entries() -> None:
    assert [each.month for each in due(shards("2025-01", "2026-11", pruned=("2026-11",)), DECEMBER, 12)] == ["2025-01"]
