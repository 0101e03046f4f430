"""`ecluse journal export`: the journal's entries as Parquet, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ecluse.app.ports.lake import LakeTold
from ecluse.doors.cli.screen import ERRORS, HERE, Dir, Json, print_json
from ecluse.wiring import lake_files

DIFFERS_EXIT = 2  # as `ecluse doctor`: something is wrong, and what to do is printed


def export(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make every file anew, then put them in place.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the lake is what the journal gives.")
    ] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Bring the lake (Parquet, docs/lake.md) to the journal's signed heads; a hub that serves does it by itself.

    The same entries give the same bytes: --check makes them again beside and compares; exit code 2 when a file differs.
    """
    files = lake_files(directory)
    with _bar(quiet=json) as told:
        if check:
            _say_differing(files.differences(told), json=json)
            return
        files.export(told, anew=rebuild)
    covered = files.covered()
    if json:
        print_json({"shards": covered})
        return
    for each in covered:
        typer.echo(f"{each.shard:14} {each.size:>13,} entries{', frozen' if each.is_frozen else ''}")


def _say_differing(found: list[str], *, json: bool) -> None:
    if json:
        print_json({"same": not found, "differing": found})
    else:
        typer.echo("\n".join(found) if found else "every file is, byte for byte, what the journal gives")
    if found:
        ERRORS.print("make them anew: ecluse journal export --rebuild")
        raise typer.Exit(DIFFERS_EXIT)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[LakeTold]:
    """A progress bar on stderr when it is a terminal, one line a shard; else nothing."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERRORS, disable=quiet or not ERRORS.is_terminal, transient=True) as progress:
        tasks = {}

        def told(shard: str, done: int, of: int) -> None:
            if shard not in tasks:
                tasks[shard] = progress.add_task(shard)
            progress.update(tasks[shard], completed=done, total=of)

        yield told
