"""`ecluse serve`: one process that answers, or several behind one port; one each that loads member files, exports, watches.

They share nothing but files: each holds its own slot of the journal and its own connections. One that answers and dies stops the
others, so that whoever supervises the hub (systemd) starts it whole again; one of the others is started again (`beside.py`).
Told to stop once, they finish (`doors/http/server.py`); told twice, they end.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Sequence
from errno import EADDRNOTAVAIL
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from ecluse.doors.cli.beside import Beside, spawn
from ecluse.doors.cli.screen import ERRORS, HERE, Dir, tell_held
from ecluse.doors.log import bugs_told, configure
from ecluse.doors.notify import READY, STOPPING, notify
from ecluse.kernel.errors import Refused, refusal
from ecluse.settings import read_settings
from ecluse.wiring import OpenHub, open_hub

BACKLOG = 1024  # connections the kernel holds while the workers are busy
STOP_S = 25  # after its drain, a process has a second's last call and 20 s to finish what it began; then it is killed
COLLECTED_OBJECTS = 20_000  # made and not let go of since the last time: some 4 MB
WORKERS_MAX = 32  # each holds a journal slot, and commands that write need some too

PORT_TAKEN = refusal(
    "port_taken", 500, "The port is taken", fix="Choose another with --port, or stop what listens there."
)
PORTS = range(65_536)
ADDRESS_INVALID = refusal(
    "address_invalid",
    400,
    "This is no address to listen on",
    fix="Name an address of this machine with --host, as 127.0.0.1, and a port of 0 to 65535 with --port.",
)


def serve(
    directory: Dir = HERE,
    host: Annotated[str | None, typer.Option(help="Address to listen on; ecluse.toml's by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=WORKERS_MAX, help="Processes that answer.")] = 1,
) -> None:
    """Answer over HTTP until stopped (Ctrl-C or SIGTERM): what was begun is finished first.

    GET /readyz says when it is ready, /schema describes every call, /metrics is for Prometheus.
    """
    http = read_settings(directory).http
    with open_hub(directory) as hub:
        copied = _recovered(hub)
    listening = listen(host or http.host, http.port if port is None else port)
    address = "http://{}:{}".format(*listening.getsockname()[:2])
    tell_held()
    ERRORS.print(f"Écluse answers on {address} ({copied} journal entries recovered)")
    healthy = _beside(directory, listening) if workers == 1 else _together(directory, listening, workers, http.drain_s)
    if not healthy:
        ERRORS.print("a process of the hub died: the others were stopped")
        raise typer.Exit(1)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises `address_invalid`, `port_taken`."""
    if port not in PORTS:
        raise ADDRESS_INVALID(f"{port} is no port")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as broken:
        if isinstance(broken, socket.gaierror) or broken.errno == EADDRNOTAVAIL:
            raise ADDRESS_INVALID(f"{host} is no address of this machine") from None
        raise PORT_TAKEN(f"{host}:{port} cannot be listened on") from None
    except ValueError:  # what no name of a machine is written as (RFC 1035): a part of 64 letters, a NUL
        raise ADDRESS_INVALID("this is no name of a machine") from None
    listening.listen(BACKLOG)
    return listening


def _answer(
    directory: Path, listening: socket.socket, name: str, tell: Callable[[str], object], died: Callable[[], bool]
) -> bool:
    """Answer in this process until told to stop, or until `died`, which waits, says that another process did: then False."""
    from ecluse.doors.http.meters import MeteredLog  # a third of a second to import: only this command pays it
    from ecluse.doors.http.server import Server

    with open_hub(directory, MeteredLog) as hub:
        configure(hub.settings.log.level, name)
        _recovered(hub)
        serving = Server(hub, name, tell)
        found = _when(died, serving.stop)
        quiet_collector()
        serving.answer(listening)
        return not found


def _recovered(hub: OpenHub) -> int:
    """Copy what the last stop left; a database that is down gets it when it is back, the others answer meanwhile."""
    try:
        return hub.run(hub.recover())
    except Refused as refused:
        if refused.refusal.status != 503:  # not a server that may come back, but a journal that is not whole
            raise
        ERRORS.print(str(refused), markup=False)
        return 0


def quiet_collector() -> None:
    """What is loaded now stays loaded: the collector need not walk it again, which holds every request up for 30 ms. Of what
    answers make next to nothing is left for it: after Python's own 700 objects it comes once in 30, for 4 µs an answer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_OBJECTS)


def _beside(directory: Path, listening: socket.socket) -> bool:
    """Answer in this process, and keep the others up beside it; False when too many of them died."""
    others = Beside(directory)

    def tell(what: str) -> None:
        if what == STOPPING:
            others.rest()
        notify(what)

    try:
        return _answer(directory, listening, "w0", tell, others.keep)
    finally:
        _join(others.end(), STOP_S)


def _together(directory: Path, listening: socket.socket, workers: int, drain_s: float) -> bool:
    """Start them, wait; when told to stop, or when one that answers has died, stop them all. False when one died."""
    pipes = [multiprocessing.Pipe(duplex=False) for _ in range(workers)]
    others = Beside(directory)
    processes = [spawn(_work, directory, listening, f"w{n}", writer) for n, (_, writer) in enumerate(pipes)]
    told: list[int] = []

    def stop_all(*_: object) -> None:
        told.append(1)
        others.rest()
        notify(STOPPING)
        for process in processes:  # told twice, a process ends at once
            process.terminate()

    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, stop_all)
    listening.close()  # a connection must wait at a process that answers, not here
    sentinels = [process.sentinel for process in processes]
    if all(_started(reader, sentinels) for reader, _ in pipes):
        notify(READY)
        others.keep(sentinels)
    healthy = bool(told)
    if not healthy:
        for process in processes:
            process.terminate()
    _join([*processes, *others.end()], drain_s + STOP_S)
    return healthy


def _started(reader: Connection, sentinels: Sequence[int]) -> bool:
    """Wait until the process at the other end of the pipe takes requests; False when one of them ended first."""
    return reader in wait([reader, *sentinels]) and reader.recv() == READY


def _work(directory: Path, listening: socket.socket, name: str, telling: Connection) -> None:
    """One of several processes that answer; it stops when its parent, which would tell it to, is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    configure(read_settings(directory).log.level, name)
    with bugs_told():
        _answer(directory, listening, name, telling.send, lambda: bool(wait([parent.sentinel])))


def _join(processes: Sequence[BaseProcess], within_s: float) -> None:
    """Wait for the end of all; whoever has not ended `within_s` seconds from now is killed."""
    deadline_s = time.monotonic() + within_s
    for process in processes:
        process.join(max(0.0, deadline_s - time.monotonic()))
        process.kill()


def _when(died: Callable[[], bool], stop: Callable[[], None]) -> list[bool]:
    """Call `stop` once `died` says so; the list is no longer empty then."""
    found: list[bool] = []

    def watch() -> None:
        if died():
            found.append(True)
            stop()

    Thread(target=watch, daemon=True).start()
    return found
