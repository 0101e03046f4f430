"""Any call to the journal's disk fails, power is cut, the process killed: what was acknowledged is there at the next start."""

from __future__ import annotations

import random
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.engines.local import LocalLog, wal
from ecluse.engines.local import log as log_module
from ecluse.kernel.errors import Refused
from tests.faults.power import PowerCut
from tests.faults.promises import Promises
from tests.faults.test_journal_kills import MEMORY
from tests.faults.verifier import faults
from tests.journal import SIGNER

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Months:
    """A clock that passes a day when told."""

    def __init__(self) -> None:
        self.instant = BEGIN

    def __call__(self) -> datetime:
        return self.instant


def live(log: LocalLog, clock: Months, promises: Promises, draw: random.Random, tag: str) -> None:
    """Some batches, while tiles are published and months pass; until the disk fails."""
    for number in range(6):
        if draw.random() < 0.2:
            clock.instant += timedelta(days=20)
        size = draw.choice((1, 2, 90, 200))
        batch = [f"{tag}-{number}-{each}".encode() * draw.randint(1, 9) for each in range(size)]
        promises.acknowledged(log.append(batch), batch)
        time.sleep(draw.choice((0, 0, 0.004)))


def lives(folder: Path, seed: int, ends: list[tuple[int, str]]) -> None:
    """One start after the other, each with the call that fails and how it ends; at the end, every promise is held."""
    draw, clock, promises = random.Random(seed), Months(), Promises()
    journal, heads = folder / "journal", folder / "heads"
    disk = PowerCut(journal, draw)
    for number, (fails, end) in enumerate([*ends, (0, "stop")]):
        disk.mend(fails)
        log = LocalLog(journal, SIGNER, clock, heads, disk)
        refused = ""
        try:
            live(log, clock, promises, draw, f"{number}")
        except (Refused, OSError) as said:
            refused = repr(said)
        assert disk.broke or not refused, f"start {number}: {refused}"
        if end != "stop":
            disk.kill()
        log.close()
        if end == "power":
            disk.cut()
    promises.look(journal, heads)
    promises.hold(journal)
    assert faults(journal) == []


ENDS = st.lists(st.tuples(st.integers(0, 45), st.sampled_from(["stop", "kill", "power"])), min_size=1, max_size=4)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments and pauses so small that everything happens in a few batches."""
    monkeypatch.setattr(wal, "SEGMENT_BYTES", 1500)
    monkeypatch.setattr(log_module, "PUBLISH_S", 0.002)
    warnings.simplefilter("ignore")


def played(seed: int, ends: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torn ends and heads half written are what this is about
        lives(Path(folder), seed, ends)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), ends=ENDS)
def test_whatever_fails_nothing_acknowledged_is_lost_and_the_next_start_goes_on(
    seed: int, ends: list[tuple[int, str]]
) -> None:
    played(seed, ends)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), ends=ENDS)
def test_whatever_fails_many_times(seed: int, ends: list[tuple[int, str]]) -> None:
    played(seed, ends)
