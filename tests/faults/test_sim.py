"""A simulated village under whose hub things break: whatever breaks, whenever, every answer, cent and table is audited."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest

from ecluse.kernel.days import PARIS, paris_day
from sim.auditor import privacy
from sim.run import Advance, Run
from tests.faults.breaks import FAULTS, Clock, Fault, Place, clock_set, disk_full, killed
from tests.faults.disk import LOG
from tests.faults.proxy import cable
from tests.faults.trouble import Planned, Troubled, planned
from tests.servers import Server, started
from tests.stores import VARIABLE

PEOPLE = 150
PEOPLE_EACH_TIME = 90  # where few things break: the tests that are always run
FEW = {"switch": 1, "feed": 1, "exchanges": 2, "run": 1, "statement": 1}  # faults of each stage in a day
MANY = {"switch": 4, "feed": 4, "exchanges": 6, "run": 2, "statement": 2}
EMBEDDED = ("feed", "exchanges", "run", "statement")
CONNECTIONS = (2, 1, 8)  # of a process to the server, for each role; sixteen desks ask at once
PAUSES_S = (0.3, 1.5, 5.0)  # of a network, and half that of a lock: shorter and longer than what the hub waits for
HARD = [pytest.param(seed, MANY, PAUSES_S[seed // 3 % 3], marks=pytest.mark.slow) for seed in range(100, 120)]
SEEDS = [(1, FEW, 0.3), pytest.param(3, FEW, 0.3, marks=pytest.mark.slow), *HARD]
SKEWS_S = (3000, 0, -20, 1800, -10)  # tokens of the development issuer live a day, and may be 30 s early
PUT_OFF = {
    "database_unavailable",
    "database_busy",
    "ConnectionResetError",
    "IncompleteReadError",
    "ConnectionRefusedError",
}


class Silence:
    """Tells nobody."""

    @contextmanager
    def stage(self, _title: str, _total: int) -> Iterator[Advance]:
        """Nothing."""
        yield lambda _: None


def plan(seed: int, counts: dict[str, int], faults: Sequence[Fault]) -> dict[str, list[Planned]]:
    """Stages take kinds of faults in turn, from one that the seed says: a few seeds have every kind in every stage."""
    draw = random.Random(seed)
    kinds = {stage: cycle(turned(faults, seed + n)) for n, stage in enumerate(counts)}
    return {stage: [planned(draw, stage, next(kinds[stage])) for _ in range(count)] for stage, count in counts.items()}


def turned(faults: Sequence[Fault], by: int) -> Sequence[Fault]:
    """The same, from another one on."""
    return [faults[(by + n) % len(faults)] for n in range(len(faults))]


def village(seed: int, out: Path, operator: Troubled) -> Run:
    """A day of the village under this operator: nobody was told anything but to come again, and the auditor finds no fault."""
    people = PEOPLE_EACH_TIME if seed < 100 else PEOPLE
    run = Run(seed, people, out, paris_day(datetime.now(UTC)), Silence(), operator)
    run.whole()
    assert set(run.put_off) <= PUT_OFF, run.put_off
    assert run.listener.oath.held["the ledger sums to zero"] == 1
    privacy.search(run.world, [operator.log], run.listener.oath)
    return run


def fell_in_all(operator: Troubled) -> None:
    """A fault fell in every stage; the moment of some may not have come, as a command that is run again has less to do."""
    assert {stage for stage, each in operator.past if each.fell} == operator.plan.keys()


@pytest.mark.parametrize(("seed", "counts", "pause_s"), SEEDS)
def test_on_postgres(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, counts: dict[str, int], pause_s: float
) -> None:
    with started() as server:
        on_server(seed, tmp_path, monkeypatch, server, plan(seed, counts, FAULTS), Place(pause_s=pause_s))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_on_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Path, seed: int) -> None:
    with started(disk=disk, settings=LOG) as server:
        place = Place(pause_s=1.5, disk=disk)
        on_server(seed, tmp_path, monkeypatch, server, plan(seed, FEW | {"exchanges": 3}, (disk_full,)), place)


@pytest.mark.slow
@pytest.mark.skipif(not Clock.LIBRARIES, reason="a clock of its own takes Debian's package libfaketime")
@pytest.mark.parametrize("seed", range(100, 104))
def test_under_a_clock_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Set ahead and back while the hub answers and commands run; the day stays the same, and tokens valid."""
    clock = Clock(tmp_path / "clock", SKEWS_S)
    if datetime.now(PARIS).hour in (0, 23):
        pytest.skip("the day would not stay the same")
    with started() as server:
        for name, value in clock.environment.items():
            monkeypatch.setenv(name, value)
        place = Place(clock=clock)
        on_server(seed, tmp_path, monkeypatch, server, plan(seed, FEW | {"exchanges": 4}, (clock_set,)), place)


def on_server(
    seed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: Server,
    plan: dict[str, list[Planned]],
    place: Place,
) -> None:
    """A village on this server, with what is planned; its log too is searched."""
    place.server, place.database = server, server.fresh()
    with cable(server.url(place.database)) as place.cable:
        monkeypatch.setenv(VARIABLE, place.cable.url)
        monkeypatch.setenv("ECLUSE_STORE_CONNECTIONS_MAX", str(CONNECTIONS[seed % len(CONNECTIONS)]))
        operator = Troubled(place, plan, tmp_path / "commands.log")
        operator.is_on_time = place.clock is None
        run = village(seed, tmp_path / "run", operator)
        fell_in_all(operator)
        privacy.search(run.world, [server.home / "log"], run.listener.oath)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 110))])
def test_on_the_embedded_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """There is no server to break: processes of the hub are killed."""
    monkeypatch.delenv(VARIABLE, raising=False)
    counts = {stage: (FEW if seed < 100 else MANY)[stage] for stage in EMBEDDED}
    operator = Troubled(Place(), plan(seed, counts, (killed,)), tmp_path / "commands.log")
    village(seed, tmp_path / "run", operator)
    assert any(each.fell for _, each in operator.past)
