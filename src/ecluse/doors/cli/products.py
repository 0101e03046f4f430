"""`ecluse product`: guarantee tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.products import load_product
from ecluse.coverage.product import schema
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.kernel.errors import refusal
from ecluse.wiring import open_hub

app = typer.Typer(help="Guarantee tables of insurers.", no_args_is_help=True)

FILE_BYTES_MAX = 1 << 20  # the longest guarantee table has two hundred rows

PRODUCT_FILE = refusal("file_unreadable", 500, "The file cannot be read", fix="Check its path and its rights.")


@app.command("load")
def load(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.yaml", help="The product, as `ecluse product schema` describes.")
    ],
    insurer: Annotated[str, typer.Option(help="The insurer's AMC number, 8 to 10 digits.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Put a guarantee table in force. Loading it again changes nothing; loading another version keeps the old one for
    engagements already given."""
    with open_hub(directory) as hub:
        loaded = hub.run(load_product(hub, insurer, _read(file)))
    if json:
        print_json(loaded)
    else:
        typer.echo(f"{loaded.product}: {loaded.rows} rows, version {loaded.version[:12]}, " + _said(loaded.changed))


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of a product file."""
    print_json(schema())


def _said(changed: bool) -> str:
    return "now in force." if changed else "was in force already."


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_BYTES_MAX + 1)
    except OSError as broken:
        raise PRODUCT_FILE(f"{file}: {broken.strerror}") from None
