"""`ecluse init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.doors.cli.screen import HERE, Json, print_json
from ecluse.settings import FILE
from ecluse.wiring import init_hub


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", envvar="ECLUSE_DIR", help="A new directory for this hub.")
    ] = HERE,
    json: Json = False,
) -> None:
    """Make a hub: settings (ecluse.toml, every one commented), keys, development issuer, database.

    Set ECLUSE_KEYS_PASSPHRASE first to seal the keys; without it they are for development only, until `ecluse keys passphrase`.
    """
    init_hub(directory)
    if json:
        print_json({"directory": str(directory), "settings": str(directory / FILE)})
    else:
        typer.echo(
            f"A hub is ready in {directory}.\n"
            f"Next, for production, in {directory / FILE}: hub.mode, journal.origin, [bank], [[issuers]], http.public_url; "
            "the first load signs the journal under its name, for ever.\n"
            f"Then: ecluse insurer load FILE.csv --dir {directory}\n"
            f"      ecluse product load FILE.yaml --insurer AMC --dir {directory}"
        )
