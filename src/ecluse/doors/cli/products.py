"""`ecluse product`: guarantee tables."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.products import Checked, check_product, load_product
from ecluse.coverage.product import schema
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.kernel.days import paris_day, parse_day
from ecluse.rules.book import open_book
from ecluse.wiring import open_hub

app = typer.Typer(help="Guarantee tables of insurers.", no_args_is_help=True)

FILE_BYTES_MAX = 1 << 20  # the longest guarantee table has two hundred rows


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
        loaded = hub.run(load_product(hub, insurer, read_file(file, FILE_BYTES_MAX)))
    if json:
        print_json(loaded)
    else:
        typer.echo(f"{loaded.product}: {loaded.rows} rows, version {loaded.version[:12]}, " + _said(loaded.changed))


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The product file to try out.")],
    on: Annotated[str, typer.Option(metavar="DAY", help="Try it out from this day on; today by default.")] = "",
    json: Json = False,
) -> None:
    """Try out a product file without loading it: can it be read, and is it as responsible as it says? Exit code 2 if not.

    Every obligation of the contrat responsable is priced in every situation the rows tell apart, on every day on which the
    table or the law changes.
    """
    today = parse_day(on) if on else paris_day(datetime.now(UTC))
    checked = check_product(open_book(), read_file(file, FILE_BYTES_MAX), today)
    if json:
        print_json(checked)
    else:
        _show(checked)
    raise typer.Exit(2 if checked.breaches else 0)


def _show(checked: Checked) -> None:
    kind = "responsible" if checked.responsible else "not said to be responsible"
    typer.echo(f"{checked.product}: {checked.rows} rows, version {checked.version[:12]}, {kind}.")
    for each in checked.breaches:
        place = f"row {each.row} « {each.label} »" if each.row else "a row is missing"
        typer.echo(f"\n{place}, from {each.since}\n  {each.what}\n  against: {each.reference}\n  to do: {each.fix}")
    if checked.responsible and not checked.breaches:
        typer.echo("Nothing found against the obligations of a responsible contract.")


@app.command("schema")
def print_schema(_json: Json = False) -> None:
    """Print the JSON Schema of a product file: JSON with --json and without."""
    print_json(schema())


def _said(changed: bool) -> str:
    return "now in force." if changed else "was in force already."
