"""The processes beside those that answer: who dies is started again, until too many have."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Pipe
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from ecluse.doors.cli import beside
from ecluse.doors.cli.beside import Beside
from ecluse.wiring import init_hub

STARTED_S = 20


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Beside:
    """Those of a fresh hub, which may die three times."""
    monkeypatch.setattr(beside, "AGAIN_S", 0.0)
    monkeypatch.setattr(beside, "DEATHS_MAX", 3)
    init_hub(tmp_path / "hub")
    return Beside(tmp_path / "hub")


def killed(others: Beside, name: str) -> BaseProcess:
    """Kill one, and wait for who takes its place."""
    before = others.running[name]
    assert before.pid
    os.kill(before.pid, signal.SIGKILL)
    deadline_s = time.monotonic() + STARTED_S
    while others.running[name] is before:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return others.running[name]


def test_who_dies_is_started_again_until_too_many_have(others: Beside) -> None:
    assert set(others.running) == {"loader", "exporter", "watcher"}
    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(others.keep)
        killed(others, "loader")
        last = killed(others, "watcher")
        assert not keeping.done()
        assert last.pid
        os.kill(last.pid, signal.SIGKILL)
        assert keeping.result(STARTED_S)
    for each in others.end():
        each.join(STARTED_S)
        assert each.exitcode is not None


def test_deaths_in_the_middle_of_received_files_stop_nobody(others: Beside, tmp_path: Path) -> None:
    """The file is refused in the end; but a loader that dies with nothing in its hands is like any other."""
    notes = tmp_path / "hub" / "spool"
    notes.mkdir(exist_ok=True)
    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(others.keep)
        for feed in ("fee_1", "fee_1", "fee_2", "fee_2"):
            with (notes / f"{feed}.begun").open("ab") as begun:
                begun.write(b".")
            killed(others, "loader")
        (notes / "fee_2.begun").unlink()
        for _ in range(2):
            killed(others, "loader")
        assert not keeping.done()
        last = others.running["loader"]
        assert last.pid
        os.kill(last.pid, signal.SIGKILL)
        assert keeping.result(STARTED_S)
    for each in others.end():
        each.join(STARTED_S)


def test_who_ends_because_the_hub_does_stays_ended(others: Beside) -> None:
    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(others.keep)
        ended = others.end()
        assert not keeping.result(STARTED_S)
    for each in ended:
        each.join(STARTED_S)
    assert list(others.running.values()) == ended


def test_it_waits_for_those_that_answer_too(others: Beside) -> None:
    reader, writer = Pipe(duplex=False)
    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(others.keep, [reader.fileno()])
        killed(others, "exporter")
        writer.close()
        assert keeping.result(STARTED_S)
    for each in others.end():
        each.join(STARTED_S)
