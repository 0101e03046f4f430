"""`ecluse journal verify`, `checkpoint`, `key`: what the journal is, for whoever does not want to believe it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ecluse.app.ports.journal_files import JournalFiles, SignedHead
from ecluse.app.verification import FAULTS_MAX, Verified, verify_journal
from ecluse.doors.cli.screen import HERE, Dir, Json, bar, print_json
from ecluse.journal.note import typed_key
from ecluse.kernel.errors import refusal
from ecluse.settings import read_settings
from ecluse.wiring.journal import copied_files, journal_files
from ecluse.wiring.keys import journal_family

WRONG_EXIT = 2  # as `ecluse doctor`

FILE_UNREADABLE = refusal(
    "journal_file_unreadable", 400, "This cannot be read as a head, proof or policy", fix="Check its name and rights."
)
SHARD_UNKNOWN = refusal(
    "shard_unknown", 404, "The journal has no such shard", fix="`ecluse journal checkpoint` prints all of them."
)

Shard = Annotated[list[str] | None, typer.Option(help="Only this shard, like 2026-11-w0; may be repeated.")]


def verify(
    shard: Shard = None,
    from_copy: Annotated[Path | None, typer.Option(help="A copy of journal/ instead of the hub's own.")] = None,
    key: Annotated[str, typer.Option(help="The journal's key (`ecluse journal key`): then no hub is opened.")] = "",
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A head kept elsewhere, by a witness: the log must continue it. Repeatable."),
    ] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Re-hash the journal from its entries up and compare every tile, every signed head, and what shards saw of one another.

    Exit code 0 when all is well, 2 when something is wrong, with the file and the entry. It changes nothing; the hub may answer
    meanwhile. Example: ecluse journal verify --from-copy /mnt/copy/journal --key ecluse.example/journal/+…
    """
    journal = copied_files(from_copy) if from_copy else journal_files(directory)
    logs = (typed_key(key),) if key else (journal_family(directory),)
    witnesses = () if key else tuple(typed_key(each.vkey) for each in read_settings(directory).journal.witnesses)
    heads = [SignedHead(str(each), text_of(each)) for each in head or ()]
    _known(journal, shard or ())
    with bar("verifying", quiet=json) as told:
        found = verify_journal(journal, logs, witnesses, only=shard or (), heads=heads, told=told)
    print_json({"sound": not found.faults, **msgspec.structs.asdict(found)}) if json else _print(found)
    if found.faults:
        raise typer.Exit(WRONG_EXIT)


def checkpoint(shard: Shard = None, directory: Dir = HERE, json: Json = False) -> None:
    """Print the newest signed head of every shard: notes (C2SP), to be kept elsewhere or compared with a witness's."""
    journal = journal_files(directory)
    _known(journal, shard or ())
    notes = {
        each.name: next((head.note for head in each.heads if head.file == "head"), each.heads[0].note)
        for each in journal.shards()
        if each.heads and (not shard or each.name in shard)
    }
    if json:
        print_json({"shards": [{"shard": name, "checkpoint": note} for name, note in notes.items()]})
        return
    for note in notes.values():
        typer.echo(note)


def key(directory: Dir = HERE, json: Json = False) -> None:
    """Print the journal's verifier key (C2SP vkey), for witnesses and auditors: its name ends in / and stands for every shard."""
    text = journal_family(directory).text
    print_json({"key": text}) if json else typer.echo(text)


def _print(found: Verified) -> None:
    for each in found.shards:
        seen = f", seen by {', '.join(each.witnesses)}" if each.witnesses else ""
        typer.echo(f"{each.name}: {each.entries:,} entries, signed up to {each.signed:,}{seen}")
        if each.earlier:
            typer.echo(
                f"  from entry {each.earlier[0]} on, {len(each.earlier):,} are minutes earlier than one before: a clock"
            )
    for fault in found.faults:
        at = "" if fault.index is None else f", entry {fault.index}"
        typer.echo(f"wrong: {'/'.join(filter(None, (fault.shard, fault.file)))}{at}: {fault.what}")
    if found.more:
        typer.echo(f"stopped after {FAULTS_MAX} faults")
    typer.echo(f"{len(found.faults)} faults" if found.faults else "sound")


def _known(journal: JournalFiles, shards: list[str] | tuple[()]) -> None:
    names = {each.name for each in journal.shards()} if shards else set()
    for each in shards:
        if each not in names:
            raise SHARD_UNKNOWN(each[:40])


def text_of(file: Path) -> str:
    """A small file somebody named. Raises `journal_file_unreadable`."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        raise FILE_UNREADABLE(str(file)) from None


COMMANDS: dict[str, Callable[..., None]] = {"verify": verify, "checkpoint": checkpoint, "key": key}
