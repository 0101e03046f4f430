"""`ecluse journal`; here what it has and the databases lack, after one was restored to an earlier time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
import typer

from ecluse.app.missing import Missing, Window, missing
from ecluse.doors.cli import journal_prove, journal_verify, retention
from ecluse.doors.cli.screen import HERE, Dir, Json, bar, instant, print_json
from ecluse.wiring import open_hub

app = typer.Typer(help="The journal: verified, proved, and against the databases.", no_args_is_help=True)
_COMMANDS: dict[str, Callable[..., None]] = {**journal_verify.COMMANDS, **journal_prove.COMMANDS, **retention.COMMANDS}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)

LACKS_EXIT = 2  # as `ecluse doctor`: something is wrong, and what to do is printed


@app.command("missing")
def missing_ones(
    since: Annotated[str, typer.Option(help="Only what was told from this instant on (ISO 8601).")] = "",
    until: Annotated[str, typer.Option(help="Only what was told before this instant.")] = "",
    practices: Annotated[bool, typer.Option("--practices", help="Say too which practice was told each.")] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """List what the journal has and the databases lack: claims, cancellations, engagements, feeds, products, payment runs.

    Ids and instants, nothing about a person. Exit code 0 when nothing lacks, 2 when something does. It changes nothing.
    Example: ecluse journal missing --since 2026-11-25T08:30:00+01:00
    """
    window = Window(*(instant(text, default) for text, default in zip((since, until), _ALWAYS, strict=True)))
    with open_hub(directory) as hub, bar("reading", quiet=json) as told:
        now_ts_us = hub.now_ts_us
        found = hub.run(missing(hub.journal, hub.stores.upkeep, hub.payments, hub.post, window, now_ts_us, told))
    found = found if practices else _unnamed(found)
    if json:
        print_json({"missing": not found.is_whole, **msgspec.structs.asdict(found)})
    else:
        _print(found)
    if not found.is_whole:
        raise typer.Exit(LACKS_EXIT)


_ALWAYS = msgspec.structs.astuple(Window())


def _unnamed(found: Missing) -> Missing:
    """The same without practices."""
    bare = {
        kind: msgspec.structs.replace(
            each, listed=tuple(msgspec.structs.replace(one, practice="") for one in each.listed)
        )
        for kind, each in found.kinds.items()
    }
    return msgspec.structs.replace(found, kinds=bare)


def _print(found: Missing) -> None:
    for kind, each in found.kinds.items():
        typer.echo(f"{kind:14} {each.journalled:>10,} in the journal, {each.lacking:,} lacking")
        for one in each.listed:
            typer.echo(f"  {one.at.isoformat()} {one.id} {one.practice}".rstrip())
        if each.lacking > len(each.listed):
            typer.echo(f"  and {each.lacking - len(each.listed):,} more: narrow it with --since and --until")
        if each.lacking:
            typer.echo(f"  → {each.todo}")
    typer.echo(f"{'payment runs':14} {len(found.runs)} known by the journal or their files only")
    for run in found.runs:
        typer.echo(f"  {run}")
    if found.runs:
        typer.echo(f"  → {found.runs_todo}")
