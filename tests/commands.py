"""`ecluse` for tests: each command a process of its own, forked from one that has imported the command line already.

An interpreter that starts and imports is half a second of the processor, a server's twice that, and the tests run a thousand
commands and hundreds of servers: a third of all they cost. What a command does after its imports is the same: arguments,
environment, files, exit code, signals, and its memory are its own. Some tests start theirs from nothing, as a shell does.

`python -m tests.commands SOCKET` is that process. It ends with its standard input, which whoever started it holds open.
"""

from __future__ import annotations

import array
import contextlib
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest.mock
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

STREAMS = 3  # standard input, output, errors: files
START_S = 30  # a second, on a machine that is busy more
REQUEST_BYTES_MAX = 200_000  # an environment, and words; a datagram on Linux may have as much
ENGINES = (
    "uvloop",
    "ecluse.engines.upgrade",
    "ecluse.engines.sqlite",
    "ecluse.engines.journal_search",
    "ecluse.doors.http.server",
    "ecluse.doors.http.meters",
)  # imported when they are used: nearly always


def ecluse(words: tuple[str, ...], environment: Mapping[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `ecluse` with these words, in this directory."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        given.write(stdin.encode())
        given.seek(0)
        code = Begun(words, environment, (given, said, told)).wait()
        texts = []
        for each in (said, told):
            each.seek(0)
            texts.append(each.read().decode())
    return subprocess.CompletedProcess(["ecluse", *words], code, *texts)


class Begun:
    """A command that goes on: what `subprocess.Popen` calls a process, as far as tests ask for it."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str], streams: Sequence[IO[Any]]) -> None:
        """Begin it, in this directory; `streams`: what it reads, says, and says of errors."""
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._told.connect(_preloaded()[0])
        request = json.dumps([words, dict(environment), str(Path.cwd())]).encode()
        passed = array.array("i", [each.fileno() for each in streams])
        self._told.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, REQUEST_BYTES_MAX)
        self._told.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
        self.pid = int(self._told.recv(16))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has one. Raises `subprocess.TimeoutExpired`."""
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired("ecluse", timeout or 0.0)
        return code

    def send_signal(self, what: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, what)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout_s: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout_s)[0]:
            self.returncode = int(self._told.recv(16) or -signal.SIGKILL)
            self._told.close()
        return self.returncode


@cache
def _preloaded() -> tuple[str, subprocess.Popen[bytes]]:
    """The socket of the process that forks, and the process: started once a test process, and ended with it."""
    place = str(Path(tempfile.mkdtemp(prefix="ecluse-commands-")) / "socket")
    command = [sys.executable, "-m", "tests.commands", place]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline_s = time.monotonic() + START_S
    while not Path(place).exists():
        assert process.poll() is None, "the process to fork commands from ended"
        assert time.monotonic() < deadline_s, "no process to fork commands from"
        time.sleep(0.02)
    return place, process


def serve(place: str) -> bool:
    """Fork a process for each request. True in such a process, with everything set as its command expects; false at the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(place + ".part")
        door.listen(64)
        Path(place + ".part").rename(place)
        while sys.stdin not in select.select([door, sys.stdin], [], [])[0]:
            asked = door.accept()[0]
            if os.fork() == 0:
                door.close()
                return _command(asked)
            asked.close()
    return False


def _command(asked: socket.socket) -> bool:
    """In a process that waits: one that runs the command, and its number and exit code told."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, ancillary, _, _ = asked.recvmsg(REQUEST_BYTES_MAX, socket.CMSG_SPACE(STREAMS * 4))
    streams = array.array("i", ancillary[0][2])
    if pid := os.fork():
        asked.send(b"%d" % pid)
        _, status = os.waitpid(pid, 0)
        asked.send(b"%d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    asked.close()
    words, environment, directory = json.loads(request)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    sys.argv = ["ecluse", *words]
    return True


if __name__ == "__main__":
    from ecluse.doors.cli.main import COMMANDS, run, typed
    from ecluse.kernel.errors import Refused

    for _, module, _ in COMMANDS:
        import_module(f"ecluse.doors.cli.{module}")
    for engine in ENGINES:
        import_module(engine)
    with contextlib.suppress(Refused), unittest.mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO())):
        typed(["quote"])(["quote", "--json"], standalone_mode=False)  # what parsing imports
    gc.collect()
    gc.freeze()  # else the first collection of each process copies everything that was imported: 0.3 s
    if serve(sys.argv[1]):
        run()
