"""`ecluse gate decoy`: people, rows and accounts that exist for thieves only, planted in a copy that may leak."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.decoys import DecoysShown, Planting, drop_decoys, list_decoys, plant_account, plant_drawn, plant_people
from ecluse.doors.cli.exposure import write_file
from ecluse.doors.cli.gate import Operator, Reason
from ecluse.doors.cli.given import read_file, read_whole
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.formats.decoy_rows import DECOY_ROWS_INVALID, read_rows, rows_as_csv
from ecluse.gate.decoys import BATCH_MAX
from ecluse.wiring import open_hub

FILE_BYTES_MAX = 64 << 20  # a million rows of an export; more say nothing more of what they look like

app = typer.Typer(help="Decoys: who touches one is quarantined, and says which copy leaked.", no_args_is_help=True)

Label = Annotated[str, typer.Option("--label", help="Where the copy goes: it is what a touch tells. Sealed.")]


@app.command("add")
def add(
    label: Label,
    operator: Operator,
    reason: Reason,
    insurer: Annotated[str, typer.Option("--insurer", metavar="AMC", help="Whose members they look like.")],
    count: Annotated[int, typer.Option("--count", min=1, max=BATCH_MAX, help="How many to draw.")] = 5,
    like: Annotated[
        Path | None,
        typer.Option(
            "--like", help="CSV of the copy itself, to draw from: member_number, nir, birth_date, birth_rank."
        ),
    ] = None,
    rows: Annotated[Path | None, typer.Option("--rows", help="CSV of your own decoys, instead of drawing.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the rows there, and not on the screen.")] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Plant people who are nobody. Mix the rows into the copy and delete them: the hub keeps only keyed beginnings of pseudonyms.

    ecluse gate decoy add --insurer 0075123456 --label "export mutuelle X, décembre" --like export.csv --count 5 --out rows.csv …
    """
    planting = Planting(label, operator, reason)
    with open_hub(directory) as hub:
        if rows is not None:
            given = read_rows(read_whole(rows, FILE_BYTES_MAX, DECOY_ROWS_INVALID))
            shown = hub.run(plant_people(hub, planting, insurer, given))
        else:
            around = read_rows(_beginning(like)) if like else []
            shown, given = hub.run(plant_drawn(hub, planting, insurer, around, count))
    text = rows_as_csv(given)
    if out is not None:
        write_file(out, text.encode(), 0o600)
    if json:
        print_json(
            {"batch": shown, "rows": list(csv.DictReader(io.StringIO(text))) if out is None and rows is None else []}
        )
        return
    typer.echo(_line(shown))
    if out is None and rows is None:
        typer.echo(text, nl=False)


def _beginning(file: Path) -> bytes:
    """Whole lines of a file, as many as say what the others look like."""
    content = read_file(file, FILE_BYTES_MAX)
    return content if len(content) <= FILE_BYTES_MAX else content[: content.rfind(b"\n") + 1]


@app.command("account")
def account(
    name: Annotated[str, typer.Argument(metavar="ACCOUNT", help="As tokens would name it: rpps:… that nobody has.")],
    label: Label,
    operator: Operator,
    reason: Reason,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Plant an account that no honest person has: register it at the issuer, leave its key where a thief would look.

    Whoever comes with a token of it has been there; the hub quarantines it and says so.
    """
    with open_hub(directory) as hub:
        _tell(hub.run(plant_account(hub, Planting(label, operator, reason), name)), json=json)


@app.command("list")
def show(directory: Dir = HERE, json: Json = False) -> None:
    """Show the decoys that stand, where they were planted, and who touched them. Their identifiers are kept nowhere."""
    with open_hub(directory) as hub:
        found = list_decoys(hub)
    if json:
        print_json(found)
        return
    for each in found:
        typer.echo(_line(each))
        for touch in each.touched:
            typer.echo(
                f"  touched: n° {touch.place} by {touch.account}, {touch.times} times, from {touch.network or 'unknown'}"
            )
    if not found:
        typer.echo("No decoy stands.")


@app.command("drop")
def drop(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="As the list names it: dcy_….")],
    operator: Operator,
    reason: Reason,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Drop a batch, once the copy it stands in is destroyed: what touches it then is a question about nobody."""
    with open_hub(directory) as hub:
        _tell(hub.run(drop_decoys(hub, batch, operator, reason)), json=json)


def _tell(shown: DecoysShown, *, json: bool) -> None:
    print_json(shown) if json else typer.echo(_line(shown))


def _line(each: DecoysShown) -> str:
    what = ", ".join(each.accounts) or f"{each.people} of insurer {each.insurer}"
    return f"{each.batch}  {each.label}: {what}, planted by {each.planted_by} on {each.planted_at:%Y-%m-%d}"
