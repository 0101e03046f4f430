"""`ecluse db`: the schema of the hub's databases, brought up to this program, or only looked at."""

from __future__ import annotations

import typer

from ecluse.doors.cli.screen import ERRORS, HERE, Dir, Json, print_json
from ecluse.wiring.databases import check_databases, upgrade_databases

app = typer.Typer(help="The databases' schema.", no_args_is_help=True)


@app.command("upgrade")
def upgrade(directory: Dir = HERE, json: Json = False) -> None:
    """Bring every database of the hub to this program's schema; a second time changes nothing.

    All of it or nothing. A SQLite file is first copied beside itself (hub.db.0001 holds what there was). Stop the
    hub first, start the new version after.
    """
    upgraded = upgrade_databases(directory)
    if json:
        print_json(upgraded)
        return
    for each in upgraded:
        done = f"{each.before or 'empty'} → {each.after}" if each.before != each.after else f"already at {each.after}"
        typer.echo(f"{each.database}: {done}" + (f" (what there was is kept in {each.kept})" if each.kept else ""))
        _tell(each.notes)


@app.command("check")
def check(directory: Dir = HERE, json: Json = False) -> None:
    """Print each database's revision, changing nothing; refused when one is not this program's."""
    found = check_databases(directory)
    if json:
        print_json(found)
    for each in found:
        if not json:
            typer.echo(f"{each.database}: {each.revision or 'empty'}, this program needs {each.head}")
            _tell(each.notes)
    for each in found:
        each.hold()


def _tell(notes: tuple[str, ...]) -> None:
    for note in notes:
        ERRORS.print(note, markup=False)
