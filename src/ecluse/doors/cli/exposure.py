"""`ecluse exposure`: who was really shown what by stolen accounts; `ecluse exposure open`, at the insurer's side."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ecluse.app.exposure.ask import INVESTIGATOR, expose, place_of_file
from ecluse.app.exposure.evidence import Told
from ecluse.app.exposure.naming import question_typed
from ecluse.app.exposure.proofs import Proofs
from ecluse.doors.cli.explain import FILE_UNWRITABLE
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.proofs_folder import FolderOfProofs
from ecluse.doors.cli.screen import ERRORS, HERE, OUT, USAGE_INVALID, Dir, Json, print_json
from ecluse.doors.exposures.page import page
from ecluse.doors.exposures.text import as_tables
from ecluse.exposure.answer import Exposure
from ecluse.exposure.question import Question
from ecluse.formats.exposure_counts import counts_as_parquet
from ecluse.gate.admission import Request
from ecluse.wiring import ENVELOPES, OpenHub, open_hub
from ecluse.wiring.journal import provable

LIST_BYTES_MAX = 8 << 30  # a list of 33 million people is 5 GB; it is opened in memory
IDENTITY_BYTES_MAX = 4096

app = typer.Typer(help="Who was really shown what, after a login is known stolen.", no_args_is_help=True)

Many = list[str]


@app.callback(invoke_without_command=True)
def exposure(
    context: typer.Context,
    accounts: Annotated[
        Many, typer.Option("--account", help="An account, as the journal has it: rpps:…; repeat.")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    start: Annotated[str, typer.Option("--from", help="From this instant on (ISO 8601; UTC without offset).")] = "",
    end: Annotated[str, typer.Option("--to", help="Until before this instant, which is past.")] = "",
    insurers: Annotated[Many, typer.Option("--insurer", help="Only members of this insurer; repeat.")] = [],  # noqa: B006
    sessions: Annotated[
        Many, typer.Option("--session", help="Only this login (sid or jti of its tokens); repeat.")
    ] = [],  # noqa: B006
    networks: Annotated[Many, typer.Option("--network", help="Only from this address or its /24, /48; repeat.")] = [],  # noqa: B006
    lists: Annotated[Path | None, typer.Option(help="Write each insurer its encrypted list into this folder.")] = None,
    proofs: Annotated[
        Path | None,
        typer.Option(
            help="Write the proof of each display into this folder, or go on there; with --lists, to insurers."
        ),
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write the counts to this Parquet file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page in French to this file.")] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Count who was referenced, reachable and really displayed to these accounts: by insurer, field, day, account, place.

    That it was asked is in the journal before anything is shown. Example:

    ecluse exposure --account rpps:10000000001 --from 2026-11-02 --to 2026-11-21T08:00:00+01:00 --html exposition.html
    """
    if context.invoked_subcommand:
        return
    with open_hub(directory) as hub, asking(quiet=json) as told:
        question = question_typed(hub, accounts, start, end, insurers=insurers, sessions=sessions, networks=networks)
        asked = Request(INVESTIGATOR, hub.ids.new("exp_"))
        proving = _proving(hub, question, proofs, lists) if proofs is not None else None
        found = hub.run(expose(hub, asked, question, told, lists=lists is not None, proofs=proving)).answer
        if lists is not None:
            _copy(hub, found, lists)
    warn_of_strangers(found.never_met)
    if parquet is not None:
        write_file(parquet, counts_as_parquet(found))
    if html is not None:
        write_file(html, page(found).encode())
    if json:
        print_json(found)
    elif html is None and parquet is None:
        OUT.print(as_tables(found))


@app.command("open")
def open_list(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list as it was sent: ….csv.age or ….parquet.age.")],
    identity: Annotated[Path, typer.Option(help="The secret key's file, as `age-keygen -o` made it.")],
    out: Annotated[Path | None, typer.Option(help="Write it to this file; without it, to standard output.")] = None,
    json: Json = False,
) -> None:
    """Open an encrypted list, at the insurer's: no hub is needed. `age -d -i key.txt FILE` does the same.

    With --json: the rows of a CSV list as objects; with --out too, which file was written, of how many bytes.
    """
    key = read_file(identity, IDENTITY_BYTES_MAX).decode("ascii", "replace")
    content = ENVELOPES.open(key, read_file(file, LIST_BYTES_MAX))
    if out is not None:
        write_file(out, content)
        if json:
            print_json({"file": str(out), "bytes": len(content)})
    elif json:
        print_json(_rows(content))
    else:
        sys.stdout.buffer.write(content)


def _rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a list in CSV. Raises `usage_invalid` for Parquet, which is no text."""
    try:
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    except UnicodeDecodeError:
        raise USAGE_INVALID("--json reads lists in CSV", fix="open the ….csv.age, or name a file with --out") from None


def _proving(hub: OpenHub, question: Question, folder: Path, lists: Path | None) -> Proofs:
    """What proofs are made from; they go to insurers where lists do. Raises `proofs_there`."""
    return Proofs(provable(hub), FolderOfProofs(folder, question, lists or folder), lists is not None)


def _copy(hub: OpenHub, found: Exposure, folder: Path) -> None:
    """The lists out of the hub's own folder, into the one that was named."""
    for name in [name for each in found.lists for name in each.files]:
        write_file(folder / name, hub.post.read(place_of_file(found.exposure_id, name)))


def warn_of_strangers(accounts: Iterable[str]) -> None:
    """Say which accounts this hub never met, as far as it can tell: that such a name showed nobody is no answer about anybody."""
    for each in accounts:
        typer.echo(f"warning: this hub never met {each}. Is the name right?", err=True)


def write_file(file: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file and the folders above it; a new one with this mode, from its first byte on. Raises `file_unwritable`."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "wb", opener=partial(os.open, mode=mode)) as written:
            written.write(content)
    except OSError as broken:
        raise FILE_UNWRITABLE(f"{file}: {broken.strerror}") from None


@contextmanager
def asking(*, quiet: bool) -> Iterator[Told]:
    """A progress bar on stderr when it is a terminal; else nothing."""
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, disable=quiet or not ERRORS.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda step, done, of: progress.update(task, description=step, completed=done, total=of)
