"""The exporter: brings the lake to the journal every so often, in a process of its own, while the hub answers.

Nothing waits for it. Whatever breaks an export is told and tried again: the lake says how far it goes, and refuses what it lacks.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Event, Thread

from ecluse.doors.loader import end_with_parent
from ecluse.doors.log import LOG, bugs_told, configure
from ecluse.kernel.errors import Refused
from ecluse.settings import read_settings
from ecluse.wiring import lake_files

NICE = 10  # whoever waits for an answer goes first


def run(directory: Path, stop: Event, every_s: float) -> None:
    """Export, wait, and again, until told to stop."""
    while not stop.wait(every_s):
        try:
            lake_files(directory).export(lambda *_: None)
        except Refused as said:
            LOG.warning("lake waits", code=said.code)
        except Exception as bug:  # noqa: BLE001 - a full disk or a bug here must not stop those who answer: told, tried again
            LOG.error("lake waits", exc_info=bug)


def main(directory: Path) -> None:
    """Run until SIGTERM or SIGINT, or until the parent is gone; what a kill interrupts is gone on with later."""
    Thread(target=end_with_parent, daemon=True).start()
    os.nice(NICE)
    settings = read_settings(directory)
    configure(settings.log.level, "exporter")
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    with bugs_told():
        run(directory, stop, settings.lake.every_s)
