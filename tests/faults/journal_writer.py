"""Writers of a journal, killed at random: each appends and says, after `append` returned, what was acknowledged.

`python -m tests.faults.journal_writer JOURNAL HEADS SEED ROUNDS` forks two writers a round, reads what they say, kills both,
and holds the journal to every promise it ever made. Months last `MONTH_S`, segments and publishing are tiny, so that rolls,
freezes, retirements are under way whenever a kill falls.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import sys
import time
import traceback
import warnings
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecluse.app.ports import Mark
from ecluse.engines.local import LocalLog, wal
from ecluse.engines.local import log as log_module
from tests.faults.promises import Promises
from tests.faults.verifier import faults
from tests.journal import SIGNER

WRITERS = 2
MONTH_S = 0.08
LIFE_S = (0.0, 0.12)
ROUNDS_A_JOURNAL = 6  # what is held to its promises grows with each round
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def entry_of(name: str) -> bytes:
    """An entry that anybody can make again from its name; from a few bytes to some hundreds."""
    return name.encode() + b"." * (sum(name.encode()) * 7 % 311)


def clock(started_s: float, setback_months: int) -> Callable[[], datetime]:
    """Months that pass in a blink; now and then of a machine whose clock was set back."""
    return lambda: BEGIN + timedelta(days=31) * ((time.monotonic() - started_s) / MONTH_S - setback_months)


def write(journal: Path, heads: Path, at: Callable[[], datetime], draw: random.Random, tag: str, told: int) -> None:
    """Append until killed."""
    log, number = LocalLog(journal, SIGNER, at, heads), 0
    while True:
        names = [f"{tag}-{number + each}" for each in range(draw.choice((1, 3, 40, 90)))]
        number += len(names)
        mark = log.append([entry_of(name) for name in names])
        root = (journal / mark.slot / "head").read_text().split("\n")[2]
        os.write(told, f"{mark.slot} {mark.position} {root} {' '.join(names)}\n".encode())


def one_round(journal: Path, heads: Path, started_s: float, draw: random.Random, tag: str) -> dict[str, str]:
    """Fork the writers, kill them; what each said."""
    running: dict[int, tuple[int, str]] = {}
    for number in range(WRITERS):
        reading, writing = os.pipe()
        own, at = random.Random(draw.random()), clock(started_s, draw.random() < 0.2)
        name = f"{tag}{number}"
        if (pid := os.fork()) == 0:
            for each in (reading, *running):
                os.close(each)  # a writer whose parent is gone is told so by its pipe
            try:
                write(journal, heads, at, own, name, writing)
            except Exception:  # noqa: BLE001 - told whatever it is, and the writer has failed
                traceback.print_exc()
            finally:
                os._exit(3)
        os.close(writing)
        running[reading] = (pid, name)
    ends_s = {reading: time.monotonic() + draw.uniform(*LIFE_S) for reading in running}
    return {name: _said(reading, pid, ends_s[reading]) for reading, (pid, name) in running.items()}


def _said(reading: int, pid: int, until_s: float) -> str:
    said = b""
    while (left_s := until_s - time.monotonic()) > 0:
        if select.select([reading], [], [], left_s)[0]:
            said += os.read(reading, 1 << 16)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "a writer stopped by itself"
    while more := os.read(reading, 1 << 16):
        said += more
    os.close(reading)
    return said.decode()


def hear(promises: Promises, said: str) -> int:
    """Remember what was acknowledged; how many entries. A line cut by the kill was heard by nobody."""
    lines = said.split("\n")[:-1]
    for line in lines:
        shard, position, root, *names = line.split(" ")
        promises.acknowledged(Mark(shard, int(position)), [entry_of(name) for name in names])
        promises.heads[shard][int(position)] = b64decode(root)
    return sum(line.count(" ") - 2 for line in lines)


def campaign(journal: Path, heads: Path, seed: int, rounds: int) -> dict[str, int]:
    """So many rounds; how many entries were acknowledged, how many shards there were."""
    draw, count = random.Random(seed), {"rounds": 0, "entries": 0, "shards": 0, "heads": 0}
    wal.SEGMENT_BYTES, log_module.PUBLISH_S = 3000, 0.004
    warnings.simplefilter("ignore")  # torn ends, and heads half written, are what this is about
    while count["rounds"] < rounds:
        promises, started_s = Promises(), time.monotonic()
        for number in range(min(ROUNDS_A_JOURNAL, rounds - count["rounds"])):
            for said in one_round(journal, heads, started_s, draw, f"{number}.").values():
                count["entries"] += hear(promises, said)
            _held(promises, journal, heads, clock(started_s, 0))
            count["rounds"] += 1
        count["shards"] += len(promises.heads)
        count["heads"] += sum(map(len, promises.heads.values()))
        shutil.rmtree(journal)
        shutil.rmtree(heads)
    return count


def _held(promises: Promises, journal: Path, heads: Path, at: Callable[[], datetime]) -> None:
    """As the kill left it, and as the next start makes it."""
    log = LocalLog(journal, SIGNER, at, heads)
    log.append([b"after"])
    promises.look(journal, heads)
    log.close()
    promises.look(journal, heads)
    promises.hold(journal)
    found = faults(journal)
    assert not found, found


if __name__ == "__main__":
    told = campaign(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(" ".join(f"{count} {what}" for what, count in told.items()) + "\n")
