"""The processes beside those that answer: the loader, the exporter, the watcher. One that dies is started again.

All they do waits in files, and whoever takes over goes on there: nobody who answers is stopped because a file killed the loader.
A process that dies again and again is another matter: then the hub stops, so that whoever supervises it (systemd) starts it
whole, and a person sees it. A death in the middle of a received file is not counted so: the file is refused after five, and files
come from outside, as many as anybody sends.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock

from ecluse.doors import exporter, loader, watcher
from ecluse.doors.cli.screen import ERRORS
from ecluse.settings import read_settings
from ecluse.wiring import files_begun

AGAIN_S = 1.0  # before a dead one is started again: two starts a second would be load themselves
DEATHS_MAX = 12  # of all of them, within DEATHS_S; a death in the middle of a received file is counted with the file
DEATHS_S = 600.0


def spawn(target: Callable[..., None], *given: object) -> BaseProcess:
    """A process of the hub, started."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ecluse.doors.preloaded"])
    process = context.Process(target=target, args=given)
    process.start()
    return process


class Beside:
    """The processes beside, started. `keep` them up, then `end` them."""

    def __init__(self, directory: Path) -> None:
        """The loader; the exporter unless the lake is filled by hand; the watcher unless detectors are off."""
        settings = read_settings(directory)
        wanted = {
            "loader": (loader.main, True),
            "exporter": (exporter.main, bool(settings.lake.every_s)),
            "watcher": (watcher.main, settings.gate.detectors != "off"),
        }
        self._directory = directory
        self._mains = {name: main for name, (main, is_wanted) in wanted.items() if is_wanted}
        self.running = {name: spawn(main, directory) for name, main in self._mains.items()}
        self._deaths: deque[float] = deque(maxlen=DEATHS_MAX)
        self._begun = files_begun(directory)
        self._ending = False
        self._lock = Lock()  # of `running`: nobody is started once the others are being ended

    def keep(self, also: Sequence[int] = ()) -> bool:
        """Wait: True when too many have died or one of the sentinels `also` is ready, False when all are to end."""
        while True:
            with self._lock:
                sentinels = [process.sentinel for process in self.running.values()]
            gone = wait([*sentinels, *also])
            if self._ending or set(gone) & set(also) or not self._again():
                return not self._ending

    def rest(self) -> None:
        """Whoever ends from now on was told to (Ctrl-C tells every process). For signal handlers too: takes no lock."""
        self._ending = True

    def end(self) -> list[BaseProcess]:
        """Tell them to end, and start none any more; who they are."""
        self.rest()
        with self._lock:
            running = list(self.running.values())
        for process in running:
            process.terminate()
        return running

    def _again(self) -> bool:
        """Start the dead ones again; False when too many have died, or all are being ended."""
        time.sleep(AGAIN_S)
        with self._lock:
            if self._ending:
                return False
            for name in [name for name, process in self.running.items() if process.exitcode is not None]:
                ERRORS.print(f"the {name} died ({self.running[name].exitcode})", markup=False)
                now_s = time.monotonic()
                if not self._in_a_file(name):
                    self._deaths.append(now_s)
                if len(self._deaths) == DEATHS_MAX and now_s - self._deaths[0] < DEATHS_S:
                    return False
                self.running[name] = spawn(self._mains[name], self._directory)
        return True

    def _in_a_file(self, name: str) -> bool:
        """Whether who died had begun a received file since the last look, and not ended it."""
        if name != "loader":
            return False
        before, self._begun = self._begun, files_begun(self._directory)
        return any(loads > before.get(feed, 0) for feed, loads in self._begun.items())
