"""What can break around a hub: each fault as a function of the place where it falls, which lets go what was held there."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.faults.disk import fill
from tests.faults.proxy import Cable
from tests.servers import Server

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
