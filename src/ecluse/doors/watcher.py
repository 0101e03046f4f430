"""The watcher: feeds the detectors with what was asked and moves the ladder, in a process of its own, while the hub answers.

Whatever breaks is told and tried again: what was read is taken away only with what came of it. A second watcher of the same hub
waits until the first has ended.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Event, Thread

from ecluse.app.ports.sensings import Alerting
from ecluse.app.watching import TOGETHER, Watcher
from ecluse.doors.loader import end_with_parent
from ecluse.doors.log import LOG, bugs_told, configure
from ecluse.kernel.errors import Refused
from ecluse.settings import read_settings
from ecluse.wiring import OpenHub, open_hub

NICE = 10  # whoever waits for an answer goes first: of a core that both want it has a tenth, so that no flood stops it
AGAIN_S = 2.0  # between two tries of what failed


def run(directory: Path, stop: Event, every_s: float) -> None:
    """Watch, wait, and again, until told to stop."""
    with open_hub(directory) as hub:
        while not stop.is_set():
            try:
                with hub.sensings.alone():
                    _watch(hub, hub.watcher, stop, every_s)
            except Refused as said:
                LOG.warning("accounts are not watched", code=said.code)
            except Exception as bug:  # noqa: BLE001 - a full disk or a bug here must not stop those who answer: told, tried again
                LOG.error("accounts are not watched", exc_info=bug)
            stop.wait(AGAIN_S)


def _watch(hub: OpenHub, watcher: Watcher, stop: Event, every_s: float) -> None:
    while not stop.is_set():
        taken, alerts = hub.run(watcher.watch())
        ripened, late = hub.run(watcher.ripen()) if taken < TOGETHER else (0, [])
        _count([*alerts, *late])
        if taken < TOGETHER and not ripened:
            stop.wait(every_s)


def _count(alerts: list[Alerting]) -> None:
    from ecluse.doors.http.meters import count_alert  # a third of a second to import: only this process pays it

    for each in alerts:
        count_alert(each.alert)


def main(directory: Path) -> None:
    """Run until SIGTERM or SIGINT, or until the parent is gone; what a kill interrupts is read again at the next start."""
    from ecluse.doors.http.meters import Board

    Thread(target=end_with_parent, daemon=True).start()
    os.nice(NICE)
    settings = read_settings(directory)
    configure(settings.log.level, "watcher")
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    with bugs_told(), Board(directory / "run", answers=False).telling():
        run(directory, stop, settings.gate.watch_s)
