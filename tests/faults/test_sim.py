"""A simulated village under whose hub things break: whatever breaks, whenever, every answer, cent and table is audited as ever."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecluse.kernel.days import paris_day
from sim.auditor import privacy
from sim.run import Advance, Run
from tests.faults.proxy import cable
from tests.faults.trouble import FAULTS, Place, Planned, Troubled, killed, planned
from tests.servers import started
from tests.stores import VARIABLE

PEOPLE = 150
FEW = {"switch": 1, "feed": 1, "exchanges": 2, "run": 1, "statement": 1}  # faults of each stage
MANY = {"switch": 4, "feed": 3, "exchanges": 6, "run": 4, "statement": 3}
PUT_OFF = {"database_unavailable", "database_busy", "ConnectionResetError", "IncompleteReadError", "ConnectionRefusedError"}


class Silence:
    """Tells nobody."""

    @contextmanager
    def stage(self, _title: str, _total: int) -> Iterator[Advance]:
        """Nothing."""
        yield lambda _: None


def plan(seed: int, counts: dict[str, int]) -> dict[str, list[Planned]]:
    """Stages take kinds of faults in turn, from one that the seed says: a few seeds have every kind in every stage."""
    draw = random.Random(seed)
    turn = seed
    plans: dict[str, list[Planned]] = {}
    for stage, count in counts.items():
        plans[stage] = [planned(draw, stage, FAULTS[(turn + n) % len(FAULTS)]) for n in range(count)]
        turn += 1
    return plans


def village(seed: int, out: Path, operator: Troubled) -> Run:
    """A day of the village under this operator; every fault fell, and nobody was told anything but to come again."""
    run = Run(seed, PEOPLE, out, paris_day(datetime.now(UTC)), Silence(), operator)
    run.whole()
    assert set(run.put_off) <= PUT_OFF, run.put_off
    assert run.listener.oath.held["the ledger sums to zero"] == 1
    assert [(stage, each.fault.__name__, each.moment) for stage, each in operator.past if not each.fell] == []
    privacy.search(run.world, [operator.log], run.listener.oath)
    return run


def on_postgres(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: dict[str, int], pause_s: float) -> None:
    with started() as server, cable(server.url(database := server.fresh())) as between:
        monkeypatch.setenv(VARIABLE, between.url)
        monkeypatch.setenv("ECLUSE_STORE_CONNECTIONS_MAX", str((2, 1, 8)[seed % 3]))
        place = Place(server, between, database, pause_s=pause_s)
        operator = Troubled(place, plan(seed, counts), tmp_path / "commands.log")
        run = village(seed, tmp_path / "run", operator)
        assert all(not left for left in operator.plan.values())
        privacy.search(run.world, [server.home / "log"], run.listener.oath)


@pytest.mark.parametrize("seed", [0, 3])
def test_a_village_on_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    on_postgres(seed, tmp_path, monkeypatch, FEW, pause_s=0.4)
