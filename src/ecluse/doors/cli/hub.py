"""`ecluse init` and `ecluse serve`."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

from ecluse.doors.cli.screen import ERRORS, HERE, Dir, Json, print_json
from ecluse.kernel.errors import refusal
from ecluse.settings import FILE
from ecluse.wiring import OpenHub, init_hub, open_hub

BACKLOG = 1024  # connections the kernel holds while the worker is busy
KEEP_ALIVE_S = 75  # practice software asks every few minutes at most; longer only holds memory
STOP_S = 20  # a stopping worker finishes what it has begun

PORT_TAKEN = refusal(
    "port_taken", 500, "The port is taken", fix="Choose another with --port, or stop what listens there."
)


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new directory for this hub.")] = HERE,
    json: Json = False,
) -> None:
    """Make a hub: settings (ecluse.toml, every one commented), keys, development issuer, database.

    Set ECLUSE_KEYS_PASSPHRASE first to seal the keys; without it they are for development only.
    """
    init_hub(directory)
    if json:
        print_json({"directory": str(directory), "settings": str(directory / FILE)})
    else:
        typer.echo(
            f"A hub is ready in {directory}. Next: ecluse product load FILE.yaml --insurer AMC --dir {directory}"
        )


def serve(
    directory: Dir = HERE,
    host: Annotated[str | None, typer.Option(help="Address to listen on; ecluse.toml's by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Answer over HTTP until stopped (Ctrl-C or SIGTERM): what was begun is finished first.

    GET /readyz says when it is ready, /schema describes every call, /metrics is for Prometheus.
    """
    with open_hub(directory) as hub:
        copied = hub.recover()
        listening = _listen(host or hub.settings.http.host, hub.settings.http.port if port is None else port)
        address = "http://{}:{}".format(*listening.getsockname()[:2])
        ERRORS.print(f"Écluse answers on {address} ({copied} journal entries recovered)")
        _run(hub, listening)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        raise PORT_TAKEN(f"{host}:{port} cannot be listened on") from None
    listening.listen(BACKLOG)
    return listening


def _run(hub: OpenHub, listening: socket.socket) -> None:
    import uvicorn  # a third of a second to import: only this command pays it

    from ecluse.doors.http.app import build

    # uvicorn stops on these by itself, then raises them again: without a handler the hub would not be closed.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: None)
    config = uvicorn.Config(
        build(hub, hub.issuers, in_flight_max=hub.settings.http.in_flight_max),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    uvicorn.Server(config).run(sockets=[listening])
