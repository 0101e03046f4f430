"""Asks counted together are counted as they would be one after the other: refusals, standings, and what the watcher is told."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.ports.allowances import Ask
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.gate.allowance import OTHER, Caps, CapTable
from ecluse.gate.features import NOTHING
from ecluse.gate.presence import Presence
from ecluse.gate.sensing import Question
from ecluse.kernel.days import DAY_US
from ecluse.wiring.gate import FILE, open_allowances
from tests.laws import examples

TABLE = CapTable(date(2026, 11, 30), "a test", {OTHER: Caps(debt=4, burst=3, refill_per_day=2, yearly=6)})
START_US = 20_800 * DAY_US

asks = st.builds(
    lambda account, person, presence, hour, is_noted: Ask(
        account=f"rpps:{account}",
        practice=f"37000{account % 2}",
        profession="",
        person=person.to_bytes(8) * 2 if person else b"",
        presence=presence,
        at_us=START_US + hour * DAY_US // 24,
        question=Question(hour, not person, False, person, "0075123456", NOTHING, "", "", "") if is_noted else None,
    ),
    st.integers(1, 2),
    st.integers(0, 9),
    st.sampled_from((Presence.TYPED, Presence.TYPED, Presence.TYPED, Presence.PASS)),
    st.integers(0, 60),
    st.booleans(),
)


@contextmanager
def counters() -> Iterator[tuple[LocalAllowances, Path]]:
    """New ones, and their file."""
    with tempfile.TemporaryDirectory() as folder:
        made = open_allowances(Path(folder), TABLE)
        made.caught_up()
        yield made, Path(folder) / FILE
        made.close()


def kept(file: Path) -> dict[str, list[Any]]:
    """Everything that follows from asks; happenings without their ids, which are times."""
    with closing(sqlite3.connect(file)) as connection:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY {order}").fetchall()
            for table, columns, order in (
                ("account", "*", "id"),
                ("practice", "*", "id"),
                ("place", "*", "practice, account"),
                ("opening", "*", "account, person"),
                ("happening", "account, what", "id"),
            )
        }


@examples(60)
@given(st.lists(asks, max_size=40), st.integers(2, 12))
def test_together_as_one_by_one(asked: list[Ask], size: int) -> None:
    asked.sort(key=lambda ask: ask.at_us)
    with counters() as (together, one_file), counters() as (alone, other_file):
        batches = [asked[start : start + size] for start in range(0, len(asked), size)]
        refused = [each for batch in batches for each in together.take(batch)]
        assert refused == [each for ask in asked for each in alone.take([ask])]
        assert kept(one_file) == kept(other_file)
