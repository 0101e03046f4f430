"""The command `ecluse`: exit code 0 done, 2 refused (one line on stderr), 1 a bug."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated

import typer

from ecluse import __version__
from ecluse.doors.cli import (
    backup,
    db,
    dev,
    directory,
    doctor,
    explain,
    exposure,
    feeds,
    hub,
    journal,
    keys,
    lake,
    moves,
    pay,
    products,
    quote,
    recipients,
    rules,
    serve,
    witness,
)
from ecluse.doors.cli.screen import ERRORS
from ecluse.doors.log import places
from ecluse.kernel.errors import Refused

ADDITIONS = "ecluse.commands"  # a group of entry points: functions that take the application and add to it

app = typer.Typer(
    name="ecluse",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Third-party payment for complementary health insurance: rights, quotes, claims, payments, and their journal.",
)
app.command("init")(hub.init)
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)
app.command("quote")(quote.quote)
app.command("explain")(explain.explain)
app.command("backup")(backup.backup)
app.add_typer(products.app, name="product")
directory.insurers.command("list")(moves.list_insurers)
directory.insurers.command("move")(moves.move)
directory.insurers.command("key")(recipients.key)
app.add_typer(directory.insurers, name="insurer")
app.add_typer(directory.practices, name="practice")
app.add_typer(pay.app, name="pay")
app.add_typer(rules.app, name="rules")
app.add_typer(feeds.app, name="feed")
app.add_typer(db.app, name="db")
app.add_typer(keys.app, name="keys")
journal.app.command("export")(lake.export)
app.add_typer(journal.app, name="journal")
app.add_typer(exposure.app, name="exposure")
app.add_typer(witness.app, name="witness")
app.add_typer(dev.app, name="dev")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Third-party payment for complementary health insurance."""


@cache
def complete() -> typer.Typer:
    """Every command: ours, and those that installed packages add. The simulator adds `ecluse demo` and `ecluse sim`."""
    for addition in entry_points(group=ADDITIONS):
        addition.load()(app)
    return app


def run() -> None:
    """Run the command line: refusals become one line and exit code 2."""
    warnings.showwarning = _warn  # type: ignore[assignment]
    try:
        complete()()
    except Refused as refused:
        typer.echo(str(refused), err=True)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as bug:  # noqa: BLE001 - told by its kind and its places: its message may quote who was asked about
        _tell_bug(bug)
        sys.exit(1)


def _tell_bug(bug: Exception) -> None:
    if sys.flags.dev_mode:
        traceback.print_exception(bug)
        return
    typer.echo(f"bug: {type(bug).__name__}", err=True)
    for place in places(bug):
        typer.echo(f"  {place}", err=True)
    typer.echo("(its message may quote people's data: PYTHONDEVMODE=1 shows it, with invented data only)", err=True)


def _warn(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Unsafe defaults shout on stderr, in one line, once."""
    ERRORS.print(f"[yellow]{category.__name__}: {message}[/]")
