"""`ecluse witness`: watch somebody else's journal, and sign its heads for as long as each continues the one before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ecluse.doors.cli.screen import ERRORS, Json, print_json
from ecluse.doors.cli.serve import listen
from ecluse.doors.log import configure
from ecluse.wiring.journal import create_witness, open_witness

app = typer.Typer(help="Watch a hub's journal from outside, and sign its heads.", no_args_is_help=True)

Where = Annotated[Path, typer.Argument(metavar="DIR", help="The witness's directory.")]
PORT = 8410


@app.command("init")
def init(
    directory: Where,
    name: Annotated[str, typer.Option(help="The witness's name for ever, like insurer.example/witness.")],
    json: Json = False,
) -> None:
    """Draw a witness's keys and print them as hubs are given them: Ed25519, then ML-DSA-44 (C2SP vkeys).

    Example: ecluse witness init /srv/witness --name mutuelle.example/ecluse-witness
    """
    keys = create_witness(directory, name).keys
    if json:
        print_json({"vkeys": [key.text for key in keys]})
    else:
        typer.echo("\n".join(key.text for key in keys))


@app.command("trust")
def trust(
    directory: Where,
    vkey: Annotated[str, typer.Argument(help="As `ecluse journal key` prints it.")],
    json: Json = False,
) -> None:
    """Watch one more log, or every log under a name that ends in / (a hub's journal has one a month and writer)."""
    key = open_witness(directory).trust(vkey)
    if json:
        print_json({"trusted": key.text})
        return
    typer.echo(f"watching {key.name}{'…' if key.name.endswith('/') else ''}")


@app.command("show")
def show(directory: Where, json: Json = False) -> None:
    """Print the witness's own keys and those it watches."""
    book = open_witness(directory)
    if json:
        print_json({"vkeys": [key.text for key in book.keys], "trusted": [key.text for key in book.trusted()]})
        return
    for key in book.keys:
        typer.echo(key.text)
    for key in book.trusted():
        typer.echo(f"watching {key.text}")


@app.command("serve")
def serve(
    directory: Annotated[Path, typer.Option("--dir", help="The witness's directory.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = PORT,
) -> None:
    """Answer logs (C2SP tlog-witness) until stopped; it needs no hub."""
    from ecluse.doors.witness import serve as answer  # a third of a second to import: only this command pays it

    book = open_witness(directory)
    held = book.take()
    try:
        configure("info", "witness")
        listening = listen(host, port)
        ERRORS.print("witness answers on http://{}:{}".format(*listening.getsockname()[:2]))
        answer(book, listening)
    finally:
        os.close(held)
