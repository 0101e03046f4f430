"""`ecluse practice load` and `ecluse insurer load`: bank details in, never out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.directory import Loaded, load_insurers, load_practices
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.screen import ERRORS, HERE, Dir, Json, print_json
from ecluse.formats.directory import FILE_BYTES_MAX
from ecluse.wiring import open_hub

practices = typer.Typer(help="Practices that can be paid.", no_args_is_help=True)
insurers = typer.Typer(help="Insurers and how they settle.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="UTF-8, comma, header.")]
Replace = Annotated[bool, typer.Option("--replace", help="Take changed accounts, once checked by telephone.")]
REFUSED_EXIT = 2


@practices.callback()
def practice_root() -> None:
    """Practices that can be paid."""


@insurers.callback()
def insurer_root() -> None:
    """Insurers and how they settle."""


@practices.command("load")
def load_practice_file(file: File, directory: Dir = HERE, json: Json = False) -> None:
    """Load bank details of practices: columns practice (FINESS or SIRET), name, iban, bic (may be empty).

    The whole file or nothing. Loading it again changes nothing. The account of a known practice changes by `ecluse practice rib`
    only. Example: ecluse practice load cabinets.csv
    """
    data = read_file(file, FILE_BYTES_MAX)
    with open_hub(directory) as hub:
        _tell(hub.run(load_practices(hub.keys, hub.directory, data)), json=json)


@insurers.command("load")
def load_insurer_file(file: File, replace: Replace = False, directory: Dir = HERE, json: Json = False) -> None:
    """Load insurers: columns insurer (AMC number), name, iban, mandate, mandate_signed_on (the last two may be empty).

    An insurer with a mandate is collected by direct debit, the others pay each call for funds by transfer. A new
    insurer is given its keys. The whole file or nothing.
    """
    data = read_file(file, FILE_BYTES_MAX)
    with open_hub(directory) as hub:
        _tell(hub.run(load_insurers(hub.keys, hub.directory, data, replace=replace)), json=json)


def _tell(loaded: Loaded, *, json: bool) -> None:
    if json:
        print_json(loaded)
    elif not loaded.refused:
        typer.echo(f"{loaded.added} added, {loaded.changed} changed, {loaded.unchanged} unchanged.")
    if loaded.refused:
        for row in [] if json else loaded.refused:
            ERRORS.print(f"line {row.line}, {row.column or 'row'}: {row.code}: {row.detail} ({row.fix})", markup=False)
        typer.echo("directory_refused: nothing was kept (Mend the rows above and load the file again.)", err=True)
        raise typer.Exit(REFUSED_EXIT)
