"""`ecluse serve`: one process that answers, or several behind one port, and one that loads received member files.

They share nothing but files: each holds its own slot of the journal and its own connections. One that dies stops the others,
so that whoever supervises the hub (systemd) starts it whole again.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Any

import typer

from ecluse.doors import worker
from ecluse.doors.cli.screen import ERRORS, HERE, Dir
from ecluse.kernel.errors import Refused, refusal
from ecluse.wiring import OpenHub, open_hub

BACKLOG = 1024  # connections the kernel holds while the workers are busy
KEEP_ALIVE_S = 75  # practice software asks every few minutes at most; longer only holds memory
STOP_S = 20  # a stopping worker finishes what it has begun
WORKERS_MAX = 32  # each holds a journal slot, and commands that write need some too

PORT_TAKEN = refusal(
    "port_taken", 500, "The port is taken", fix="Choose another with --port, or stop what listens there."
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
    with open_hub(directory) as hub:
        copied = _recovered(hub)
        listening = _listen(host or hub.settings.http.host, hub.settings.http.port if port is None else port)
        address = "http://{}:{}".format(*listening.getsockname()[:2])
        ERRORS.print(f"Écluse answers on {address} ({copied} journal entries recovered)")
        if workers == 1:
            healthy = _beside(hub, listening, _spawn(worker.main, directory))
    if workers > 1:
        healthy = _together(
            [_spawn(worker.main, directory), *(_spawn(_work, directory, listening) for _ in range(workers))]
        )
    if not healthy:
        ERRORS.print("a process of the hub died: the others were stopped")
        raise typer.Exit(1)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        raise PORT_TAKEN(f"{host}:{port} cannot be listened on") from None
    listening.listen(BACKLOG)
    return listening


def _answer(hub: OpenHub, listening: socket.socket) -> None:
    import uvicorn  # a third of a second to import: only this command pays it

    from ecluse.doors.http.app import build

    # uvicorn stops on these by itself, then raises them again: without a handler the hub would not be closed.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: None)
    config = uvicorn.Config(
        build(hub, hub.issuers, in_flight_max=hub.settings.http.in_flight_max),
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    _quiet_collector()
    hub.run(_until_stopped(hub, uvicorn.Server(config).serve(sockets=[listening])))


async def _until_stopped(hub: OpenHub, serving: Coroutine[Any, Any, None]) -> None:
    keeping_up = asyncio.create_task(hub.keep_up())
    try:
        await serving
    finally:
        keeping_up.cancel()


def _recovered(hub: OpenHub) -> int:
    """Copy what the last stop left; a database that is down gets it when it is back, the others answer meanwhile."""
    try:
        return hub.run(hub.recover())
    except Refused as refused:
        if refused.refusal.status != 503:  # not a server that may come back, but a journal that is not whole
            raise
        ERRORS.print(str(refused), markup=False)
        return 0


def _quiet_collector() -> None:
    """What is loaded now stays loaded: the collector need not walk it again, which holds every request up for 30 ms."""
    gc.collect()
    gc.freeze()


def _spawn(target: Callable[..., None], *given: object) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=target, args=given)
    process.start()
    return process


def _beside(hub: OpenHub, listening: socket.socket, loader: BaseProcess) -> bool:
    """Answer in this process, and stop if the loader dies; False when it did."""
    died = _stop_when_gone(loader.sentinel)
    _answer(hub, listening)
    healthy = not died.is_set()
    loader.terminate()
    loader.join(STOP_S)
    return healthy


def _together(processes: list[BaseProcess]) -> bool:
    """Wait; when told to stop, or when one has died, stop them all, each told once. False when one died."""
    told: list[int] = []

    def stop_all(*_: object) -> None:
        if not told:
            told.append(1)
            for process in processes:
                process.terminate()

    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, stop_all)
    wait([process.sentinel for process in processes])
    healthy = bool(told)
    stop_all()
    for process in processes:
        process.join(STOP_S)
    return healthy


def _work(directory: Path, listening: socket.socket) -> None:
    """One of several processes that answer; it stops when its parent, which would tell it to, is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    _stop_when_gone(parent.sentinel)
    with open_hub(directory) as hub:
        _recovered(hub)
        _answer(hub, listening)


def _stop_when_gone(sentinel: int) -> Event:
    """Send this process SIGTERM when the other one ends; the event says that it happened."""
    gone = Event()

    def watch() -> None:
        wait([sentinel])
        gone.set()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=watch, daemon=True).start()
    return gone
