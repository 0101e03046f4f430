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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim import hub
from tests.faults.breaks import Fault, Place, killed
from tests.faults.proxy import Moment
from tests.journeys.site import ECLUSE

AGAIN_S = 0.1  # before a command is run again
COMMAND_S = 180  # until a command must have succeeded, whatever breaks: several silences, on a busy machine

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

    def command(self, *words: str, sent: str = "") -> Any:
        """Run until it succeeds; in a process of its own when a fault is to fall in it. A refusal is in words, never a bug."""
        stage = next((each for each in COMMANDS.get(words[:2], ()) if self.plan.get(each)), None)
        if stage is None:
            return super().command(*words, sent=sent)
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
                try:
                    each.fault(self.place)
                finally:
                    self.place.resume()
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
