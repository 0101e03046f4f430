"""Words that every command of `ecluse incident` shares, and the hub as they open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from ecluse.wiring import OpenHub, open_hub

Many = list[str]
Named = Annotated[str, typer.Argument(metavar="INCIDENT", help="inc_…, as `ecluse incident list` prints it.")]
By = Annotated[str, typer.Option("--by", help="Who acts, by name and function: it is written in the journal.")]
# What signs nothing may be done by whoever is logged in here; what is told to others (decide, notified, close) is signed by name.
ByMe = Annotated[
    str,
    typer.Option(
        "--by", default_factory=getuser, help="Who acts, by name and function, for the journal; by default this login."
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a sentence: it is written in the journal.")]


@contextmanager
def opened(directory: Path) -> Iterator[OpenHub]:
    """The hub, with what its journal tells of incidents put back where gate.db was lost."""
    with open_hub(directory) as hub:
        hub.run(hub.recover())
        yield hub
