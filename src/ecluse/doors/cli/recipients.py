"""`ecluse insurer key`: the public key to which the lists of an insurer's own members are encrypted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.recipients import Recipient, set_key, show_key
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.wiring import ENVELOPES, open_hub

KEY_BYTES_MAX = 4096  # a key is 62 characters, with a line or two of comments


def key(
    insurer: Annotated[str, typer.Argument(metavar="AMC", help="The insurer's AMC number.")],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Its age public key; without it, shows.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take a changed key, once checked by telephone.")] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Register, or show, the public key to which an insurer's lists of people are encrypted (`ecluse exposure --lists`).

    The insurer makes a pair with `age-keygen -o key.txt`, keeps that file, and sends what `age-keygen -y key.txt` prints.
    """
    with open_hub(directory) as hub:
        if file is None:
            told = hub.run(show_key(hub, insurer))
        else:
            text = read_file(file, KEY_BYTES_MAX).decode("ascii", "replace")
            told = hub.run(set_key(hub, ENVELOPES, insurer, text, replace=replace))
    if json:
        print_json(told)
    else:
        typer.echo(_said(told))


def _said(told: Recipient) -> str:
    if not told.recipient:
        return f"{told.insurer} has no public key: no list of its members can be written."
    return f"{told.insurer}  {told.recipient}{'  (registered: read it back to the insurer)' if told.changed else ''}"
