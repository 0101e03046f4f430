"""`ecluse backup`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.wiring.copying import backup_hub


def backup(
    to: Annotated[Path, typer.Argument(metavar="DIR", help="A folder for the copy, on another disk.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Copy the hub while it answers, keys aside: database, rights, engagements, then the journal. Again copies what changed.

    On PostgreSQL it copies the journal and files alone: back its servers up first, with their own tools.
    """
    copied = backup_hub(directory, to)
    if json:
        print_json(copied)
    else:
        typer.echo(f"{copied.place}: {copied.files} files, {copied.copied} copied now. The keys are not in it.")
