"""An operator of the simulated hub under whom things break, where a seed says; who runs again what broke, until it is done.

A fault falls on one message between hub and server: the cable holds it, or its answer, and whatever happens happens right there.
Without a server it falls after a while, drawn from the seed.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from sim import hub
from tests.faults.disk import fill
from tests.faults.proxy import Cable, Moment
from tests.journeys.site import ECLUSE
from tests.servers import Server

AGAIN_S = 0.1  # before a command is run again
COMMAND_S = 60  # until a command must have succeeded, whatever breaks once
LOCKED = "claim, remittance, engagement, feed"  # tables of every stage


class Clock:
    """The clock of every process started with `environment`, set while they run, from one of `skews_s` to the next."""

    LIBRARIES = tuple(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))  # Debian's package libfaketime

    def __init__(self, file: Path, skews_s: Sequence[int]) -> None:
        self._file, self._skews_s = file, cycle(skews_s)
        self.set()
        self.environment = {
            "LD_PRELOAD": str(self.LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self) -> None:
        """To the next."""
        self._file.write_text(f"{next(self._skews_s):+d}s")


@dataclass
class Place:
    """Where a fault falls: the server and the cable to it, if there is one, and the process of the hub that is at work."""

    server: Server | None = None
    cable: Cable | None = None
    database: str = ""
    victim: subprocess.Popen[Any] | None = None
    pause_s: float = 0.5
    disk: Path | None = None
    clock: Clock | None = None

    def resume(self) -> None:
        """What was held goes on."""
        if self.cable is not None:
            self.cable.resume()


def cut(place: Place) -> None:
    """The network breaks, and is mended."""
    assert place.cable is not None
    place.cable.cut()
    time.sleep(place.pause_s)
    place.resume()


def silent(place: Place) -> None:
    """The network passes nothing on for a while."""
    time.sleep(place.pause_s)
    place.resume()


def server_killed(place: Place) -> None:
    """`kill -9` of the database server."""
    assert place.server is not None
    place.server.kill()
    place.resume()
    place.server.start()


def server_stopped(place: Place) -> None:
    """The database server is stopped at once, as a machine that goes down."""
    assert place.server is not None
    place.server.stop("immediate")
    place.resume()
    place.server.start()


def locked(place: Place) -> None:
    """Somebody locks the tables: every connection of the pool waits, and those who want one wait for it."""
    assert place.server is not None
    place.resume()
    with suppress(subprocess.CalledProcessError):  # the one of two who wait for each other that the server ended
        query = f"BEGIN; LOCK TABLE {LOCKED} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({2 * place.pause_s}); COMMIT"
        place.server.sql(query, place.database)


def disk_full(place: Place) -> None:
    """The server's disk has no room left for a while; a server that could not write its log stops itself, and is started."""
    assert place.server is not None
    assert place.disk is not None
    ballast = fill(place.disk)
    place.resume()
    time.sleep(place.pause_s)
    ballast.unlink()
    if place.server.has_stopped():
        place.server.start()


def clock_set(place: Place) -> None:
    """The clock of the hub's machine is set, ahead or back."""
    assert place.clock is not None
    place.clock.set()
    place.resume()


def killed(place: Place) -> None:
    """`kill -9` of the process of the hub that is at work; what it had sent still arrives."""
    assert place.victim is not None
    place.victim.kill()
    place.victim.wait()
    place.resume()


Fault = Callable[[Place], None]
FAULTS: tuple[Fault, ...] = (server_killed, killed, cut, locked, server_stopped, silent)

# Stage: the words its moments begin after, and how many messages follow them. Measured on a village of 150 people.
SWITCH = (b"lock_timeout",)
STAGES: dict[str, tuple[tuple[bytes, ...], int]] = {
    "feed": ((), 90),
    "switch": (SWITCH, 10),
    "exchanges": ((), 150),
    "run": ((), 120),
    "statement": ((), 40),
}
LAST = (b"COMMIT",)  # half of all faults fall on a commit: whether it was one is then known to the server alone
COMMITS = {"feed": 4, "switch": 2, "exchanges": 12, "run": 2, "statement": 1}
COMMANDS = {("feed", "load"): ("switch", "feed"), ("pay", "run"): ("run",), ("pay", "statement"): ("statement",)}
WHILE_S = {"feed": 0.6, "exchanges": 0.25, "run": 0.4, "statement": 0.4}  # from its start, where there is no cable


@dataclass
class Planned:
    """A fault that is to fall in a stage."""

    fault: Fault
    moment: Moment
    after_s: float
    fell: bool = False


def planned(draw: random.Random, stage: str, fault: Fault) -> Planned:
    """This fault at a moment of the stage that `draw` chooses."""
    begins, messages = STAGES[stage]
    is_commit = draw.random() < 0.5
    last, count = (LAST, COMMITS[stage]) if is_commit else ((b"",), messages)
    moment = Moment((*begins, *last), draw.randint(1, count), is_answered=draw.random() < 0.5)
    return Planned(fault, moment, draw.uniform(0.1, 1) * WHILE_S.get(stage, 1.0))


@dataclass
class Troubled(hub.Operator):
    """The operator. `plan` has the faults of each stage still to fall; those of the past are in `past`."""

    place: Place
    plan: dict[str, list[Planned]]
    log: Path
    past: list[tuple[str, Planned]] = field(default_factory=list)
    patience_s: float = 60.0
    server: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> Any:
        """Run until it succeeds; in a process of its own when a fault is to fall in it. A refusal is in words, never a bug."""
        stage = next((each for each in COMMANDS.get(words[:2], ()) if self.plan.get(each)), None)
        if stage is None:
            return super().command(*words)
        if words[:2] == ("feed", "load"):
            super().command(*words[:2], str(earlier(Path(words[2]))), *words[3:])
        until_s = time.monotonic() + COMMAND_S
        faults = self.plan[stage]
        while True:
            now, faults[:1] = faults[:1], []
            done = self._run(stage, now, words)
            if done is not None:
                return done
            assert time.monotonic() < until_s, self.log.read_text()[-2000:]
            time.sleep(AGAIN_S)

    @contextmanager
    def serving(self, directory: Path, log: Path) -> Iterator[hub.Address]:
        """The server, started again on its port whenever it was killed."""
        self.directory, self.port, self.serve_log = directory, hub.free_port(), log
        self.server = hub.start(directory, self.port, log)
        try:
            yield hub.HERE, self.port
        finally:
            hub.stop(self.server)

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Every fault of the stage falls while desks ask and bill, one after the other."""
        faults = self.plan["exchanges"]
        with self._falling("exchanges", faults):
            yield
        faults.clear()
        self._ready()

    def _run(self, stage: str, faults: Sequence[Planned], words: Sequence[str]) -> Any:
        """What the command printed; None when it was refused or killed."""
        with self.log.open("a") as said:
            command = subprocess.Popen([ECLUSE, *words, "--json"], stdout=subprocess.PIPE, stderr=said, text=True)
        self.place.victim = command
        with self._falling(stage, faults):
            printed, _ = command.communicate(timeout=COMMAND_S)
        assert command.returncode in (0, 2, -signal.SIGKILL), self.log.read_text()[-2000:]
        if self.server is not None:
            self._ready()
        return json.loads(printed) if command.returncode == 0 else None

    @contextmanager
    def _falling(self, stage: str, faults: Sequence[Planned]) -> Iterator[None]:
        over = threading.Event()
        with ThreadPoolExecutor(1) as beside:
            falling = beside.submit(self._fall, stage, faults, over)
            try:
                yield
            finally:
                over.set()
            falling.result()

    def _fall(self, stage: str, faults: Sequence[Planned], over: threading.Event) -> None:
        for each in faults:
            self.past.append((stage, each))
            if stage == "exchanges":
                self.place.victim = self.server
            each.fell = self._comes(each, over)
            if each.fell:
                each.fault(self.place)
            if self.place.victim is self.server and each.fault is killed and each.fell:
                self.server = hub.start(self.directory, self.port, self.serve_log)

    def _comes(self, each: Planned, over: threading.Event) -> bool:
        """Wait for the moment of a fault; False when the stage is over before."""
        if self.place.cable is None:
            return not over.wait(each.after_s)
        self.place.cable.stall_at(each.moment)
        while not each.moment.reached.wait(0.01):
            if over.is_set():
                self.place.cable.stall_at(None)
                return each.moment.reached.is_set()
        return True

    def _ready(self) -> None:
        """The hub answers again."""
        assert self.server is not None
        hub.wait_until_ready(self.port, self.server, self.serve_log)


def earlier(file: Path) -> Path:
    """The member file of the day before: half of today's people had come, each with another code."""
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    column = head.split(",").index("csr")
    changed = [",".join([*cells[:column], "0000", *cells[column + 1 :]]) for cells in (row.split(",") for row in rows)]
    before = file.with_name(f"{file.stem}-before.csv")
    before.write_text("\n".join([head, *changed[: len(changed) // 2 + 1]]) + "\n", encoding="utf-8")
    return before
