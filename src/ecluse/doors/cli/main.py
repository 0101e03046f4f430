"""The command `ecluse`: exit code 0 done, 2 refused (one line on stderr), 1 a bug."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer

from ecluse import __version__
from ecluse.doors.cli import disks
from ecluse.doors.cli.screen import USAGE_INVALID, tell_held, warn
from ecluse.doors.log import places
from ecluse.kernel.errors import Refused, refusal

ADDITIONS = "ecluse.commands"  # a group of entry points: functions that take the application and add to it
HELP = "Third-party payment for complementary health insurance: rights, quotes, claims, payments, and their journal."

# Amounts, ledger entries and admissions are held to their laws by assertions, which `python -O` leaves out.
ASSERTIONS_OFF = refusal(
    "assertions_off",
    500,
    "Python runs without assertions, which guard money and data",
    fix="Start ecluse without -O, and unset PYTHONOPTIMIZE.",
)

# What is typed, the module beside this one that has it, and its name there: a command, or a group of them.
COMMANDS = (
    ("init", "hub", "init"),
    ("serve", "serve", "serve"),
    ("doctor", "doctor", "doctor"),
    ("quote", "quote", "quote"),
    ("explain", "explain", "explain"),
    ("backup", "backup", "backup"),
    ("product", "products", "app"),
    ("insurer", "directory", "insurers"),
    ("insurer list", "moves", "list_insurers"),
    ("insurer move", "moves", "move"),
    ("insurer key", "recipients", "key"),
    ("practice", "directory", "practices"),
    ("practice rib", "ribs", "app"),
    ("pay", "pay", "app"),
    ("pass", "passes", "app"),
    ("rules", "rules", "app"),
    ("feed", "feeds", "app"),
    ("db", "db", "app"),
    ("keys", "keys", "app"),
    ("journal", "journal", "app"),
    ("journal export", "lake", "export"),
    ("exposure", "exposure", "app"),
    ("gate", "gate", "app"),
    ("gate openings", "openings", "openings"),
    ("gate deny", "openings", "deny_opening"),
    ("gate denials", "openings", "denials"),
    ("gate freeze", "freezes", "freeze_member"),
    ("gate unfreeze", "freezes", "unfreeze_member"),
    ("gate decoy", "decoys", "app"),
    ("gate lost", "ribs", "lost"),
    ("gate reset", "ribs", "reset"),
    ("gate reopen-plan", "reopening", "reopen_plan"),
    ("gate reopen", "reopening", "reopen"),
    ("gate sessions", "portal", "sessions"),
    ("gate withdraw", "withdrawing", "withdraw"),
    ("portal", "portal", "app"),
    ("witness", "witness", "app"),
    ("breach", "breach", "app"),
    ("incident", "incidents", "app"),
    ("breach complaint", "breach_complaint", "complaint"),
    ("breach cross", "breach_cross", "crossed"),
    ("letters", "letters", "app"),
    ("letters render", "letters_render", "render"),
    ("letters batch", "letters_batch", "batch"),
    ("letters who-looked", "letters_looks", "who_looked"),
    ("letters professionals", "letters_render", "professionals"),
    ("letters check", "letters_render", "check"),
    ("dev", "dev", "app"),
)

# What typer raises for words it cannot read, and gives no public name.
UsageError: Any = typer.BadParameter.__mro__[1]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Third-party payment for complementary health insurance."""


@cache
def complete() -> typer.Typer:
    """Every command: ours, and those that installed packages add. The simulator adds `ecluse demo` and `ecluse sim`."""
    app = _with(word for word, _, _ in COMMANDS)
    for addition in entry_points(group=ADDITIONS):
        addition.load()(app)
    return app


def typed(words: list[str]) -> typer.Typer:
    """What these words need, a third less to import, or all where the first one is not ours."""
    mine = needed(words)
    return _with(mine) if mine else complete()


def needed(words: list[str]) -> list[str]:
    """The rows of the first word alone; of those that have a module for themselves, the one typed, or all where none is."""
    alone = words[1:2] if words[1:] and not words[1].startswith("-") else None
    rows = [row for row, _, _ in COMMANDS if words and row.split()[0] == words[0]]
    return [row for row in rows if alone is None or row.split()[1:] in ([], alone)]


def _with(wanted: Iterable[str]) -> typer.Typer:
    app = typer.Typer(name="ecluse", no_args_is_help=True, pretty_exceptions_enable=False, help=HELP)
    app.callback()(root)
    rows, groups = set(wanted), {"": app}
    for words, module, name in COMMANDS:
        if words in rows:
            found = getattr(import_module(f"ecluse.doors.cli.{module}"), name)
            under, _, word = words.rpartition(" ")
            if isinstance(found, typer.Typer):
                groups[words] = found
                groups[under].add_typer(found, name=word)
            else:
                groups[under].command(word)(found)
    return app


def run() -> None:
    """Run the command line: refusals become one line and exit code 2."""
    warnings.showwarning = warn  # type: ignore[assignment]
    try:
        if not __debug__:
            raise ASSERTIONS_OFF()
        code = obey(sys.argv[1:])
    except Refused as refused:
        typer.echo(str(refused), err=True)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as bug:  # noqa: BLE001 - told by its kind and its places: its message may quote who was asked about
        if outside := disks.told(bug):
            typer.echo(str(outside), err=True)
            sys.exit(2)
        _tell_bug(bug)
        sys.exit(1)
    tell_held()
    sys.exit(code)


def obey(words: list[str]) -> int:
    """Do what these words say; the exit code. Raises `usage_invalid`, and what the command refuses."""
    for place, word in enumerate(words, 1):
        if not _is_text(word):
            raise USAGE_INVALID(
                f"word {place} is not UTF-8", fix="Write it in UTF-8; give a file of such a name another."
            )
    try:
        ended = typed(words)(prog_name="ecluse", standalone_mode=False)
    except UsageError as unread:
        raise _unread(unread) from None
    except typer.Abort:
        raise USAGE_INVALID("what it asked for was not typed", fix="run it again, at a terminal") from None
    return ended if isinstance(ended, int) else 0


def _is_text(word: str) -> bool:
    """Python keeps the bytes of an argument that are not UTF-8 as surrogates, which no database and no terminal takes."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _unread(error: Any) -> Refused:
    """Words that typer cannot read, in one line; it has printed the help already where there were none."""
    detail = " ".join(error.format_message().split()).rstrip(".") or "a command is missing"
    command = error.ctx.command_path if error.ctx else "ecluse"
    return USAGE_INVALID(detail, fix=f"see {command} --help")


def _tell_bug(bug: Exception) -> None:
    if sys.flags.dev_mode:
        traceback.print_exception(bug)
        return
    typer.echo(f"bug: {type(bug).__name__}", err=True)
    for place in places(bug):
        typer.echo(f"  {place}", err=True)
    typer.echo("(its message may quote people's data: PYTHONDEVMODE=1 shows it, with invented data only)", err=True)
