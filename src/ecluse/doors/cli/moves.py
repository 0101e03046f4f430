"""`ecluse insurer list` and `ecluse insurer move`: which server holds whom."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ecluse.app.moves import move_insurer
from ecluse.doors.cli.screen import ERRORS, HERE, Dir, Json, print_json
from ecluse.wiring import open_hub


def list_insurers(directory: Dir = HERE, json: Json = False) -> None:
    """Print the server that holds each insurer's rights."""
    with open_hub(directory) as hub:
        where = hub.run(hub.moves.where())
    if json:
        print_json(where)
        return
    for insurer, server in sorted(where.items()):
        typer.echo(f"{insurer}  {server}")


def move(
    insurer: Annotated[str, typer.Argument(metavar="AMC", help="The insurer's AMC number.")],
    to: Annotated[str, typer.Option("--to", metavar="SERVER", help="A name of [store.servers], or home.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Move an insurer's rights and engagements to another PostgreSQL server, while it is asked about.

    Everything is copied, counted and hashed on both servers before the switch. A move that was interrupted is gone on
    with by the same command; until its switch is done, the name of the server it comes from takes it back.
    """
    columns = (TextColumn("{task.description:<20}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, disable=not ERRORS.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=4)
        with open_hub(directory) as hub:
            told = move_insurer(
                hub, insurer, to, lambda step, done, _: bar.update(task, description=step, completed=done)
            )
            moved = hub.run(told)
    if json:
        print_json(moved)
    else:
        rows = f"{moved.rights:,} rights, {moved.members:,} member numbers, {moved.engagements:,} engagements"
        way = (
            f"the move to {moved.source} is taken back"
            if moved.taken_back
            else f"it was on no server for {moved.paused_ms} ms"
        )
        typer.echo(f"{moved.insurer} is on {moved.target}: {rows}; {way}.")
