"""The hub's clock, moved: weeks of a slow theft go by in seconds, in the server's process and in commands alike.

The hub asks its `Clock` port and nothing else what time it is; here another is put in its place, as whoever assembles a hub may.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecluse.engines.clock import SystemClock

VARIABLE = "ECLUSE_SIM_CLOCK"  # names the file that holds the seconds the clock is ahead, for the server's process
MODULE = "sim.clock"  # run in the place of `ecluse`; processes that a server starts import it, too
_SECONDS = struct.Struct("<d")


class Ahead:
    """A clock that is ahead by what a file says."""

    def __init__(self, file: Path) -> None:
        self.file = file
        if not file.exists():
            self.set(0.0)

    @property
    def seconds(self) -> float:
        """How far it is ahead."""
        (seconds,) = _SECONDS.unpack(self.file.read_bytes())
        return float(seconds)

    def set(self, seconds: float) -> None:
        """Move it; every process sees it at its next question."""
        beside = self.file.with_suffix(".new")
        beside.write_bytes(_SECONDS.pack(seconds))
        beside.replace(self.file)

    def now(self) -> datetime:
        """This instant, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    @contextlib.contextmanager
    def ruling(self) -> Iterator[None]:
        """In this process, and in servers started meanwhile, the hub's clock is this one."""
        before, said = SystemClock.now, os.environ.get(VARIABLE)
        SystemClock.now = lambda _: self.now()  # type: ignore[method-assign, assignment]
        os.environ[VARIABLE] = str(self.file)
        try:
            yield
        finally:
            SystemClock.now = before  # type: ignore[method-assign]
            os.environ.pop(VARIABLE)
            if said is not None:
                os.environ[VARIABLE] = said


if __name__ in ("__main__", "__mp_main__"):  # the server, and each process of its own
    stack = contextlib.ExitStack()
    stack.enter_context(Ahead(Path(os.environ[VARIABLE])).ruling())
    if __name__ == "__main__":
        from ecluse.doors.cli.main import run

        run()
