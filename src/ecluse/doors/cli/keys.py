"""`ecluse keys`: what keys there are, rotated, checked, destroyed by two, one person's too, or retired, copied, brought back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ecluse.app.destroying import destroy, forget, retire
from ecluse.app.keys import Rotated, Told, check, rotate_data, rotate_index, rotate_pass, scopes, shown
from ecluse.app.ports import HUB
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.screen import ERRORS, HERE, OUT, Dir, Json, print_json
from ecluse.journal.member import Member
from ecluse.kernel.errors import refusal
from ecluse.wiring import OpenHub, open_hub
from ecluse.wiring.keys import backup_keys, change_passphrase, restore_keys

app = typer.Typer(
    help="Keys: show, rotate, check, destroy, forget a person, retire one of passes, back up, restore.",
    no_args_is_help=True,
)

COPY_BYTES_MAX = (
    1 << 30
)  # a thousand insurers rotated a hundred times are 10 MB, a thousand people forgotten 6 MB a version
LOG_BYTES_MAX = 1 << 30  # an audit log is rotated long before
ALARM_EXIT = 2

PASSPHRASES_TWO = refusal(
    "passphrases_two",
    400,
    "Two lines are needed: the old passphrase, then the new one",
    fix="Leave the first line empty where the file is not sealed.",
)
ROTATE_WHAT = refusal(
    "rotate_what", 400, "Whose keys to rotate is not said", fix="Give --insurer AMC, --all, or --pass and nothing else."
)
COPY_THERE = refusal("copy_there", 409, "This file is there already", fix="Name a new file for the copy.")

Insurer = Annotated[str, typer.Option(help="The insurer's AMC number.")]
Operator = Annotated[str, typer.Option(help="Who does this, as your organisation names people.")]
Confirm = Annotated[str, typer.Option(help="The phrase, for the second operator.")]


@app.command("show")
def show(directory: Dir = HERE, json: Json = False) -> None:
    """Show every key: whose, for what, which versions, where it works. Never a key."""
    with open_hub(directory) as hub:
        held = shown(hub)
        url = hub.settings.keys.url.partition("?")[0]
    if json:
        print_json({"engine": url, "keys": held})
        return
    table = Table("scope", "purpose", "versions", "works in", title=url)
    for key in held:
        table.add_row(key.scope, key.purpose, " ".join(map(str, key.versions)), key.place)
    OUT.print(table)


@app.command("rotate")
def rotate(
    insurer: Insurer = "",
    every: Annotated[bool, typer.Option("--all", help="Every insurer, and the hub's own data key.")] = False,
    data: Annotated[bool, typer.Option("--data", help="The data key only.")] = False,
    index: Annotated[bool, typer.Option("--index", help="The index key only.")] = False,
    passes: Annotated[bool, typer.Option("--pass", help="The hub's key that signs passes, and no other.")] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Draw new data and index keys, and carry the rights that answer to the new index key, while the hub goes on answering.

    With --pass, a new key signs passes from now on; those that the keys of before signed hold until they expire.
    Killed, it is run again and goes on. Example: ecluse keys rotate --insurer 0075123456
    """
    if [bool(insurer), every, passes].count(True) != 1 or (passes and (data or index)):
        raise ROTATE_WHAT()
    rotated = []
    with open_hub(directory) as hub, _bar(quiet=json) as told:
        for scope in [HUB] if passes else scopes(hub) if every else [insurer]:
            done = hub.run(rotate_pass(hub)) if passes else _rotate(hub, scope, told, data=data, index=index)
            rotated.append(done)
            if not json:
                _tell(done)
    if json:
        print_json(rotated)


@app.command("check")
def check_use(
    audit: Annotated[
        Path | None, typer.Option(help="OpenBao's audit log (file device, JSON), since the hub was made.")
    ] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Compare how often index keys were used with how often the desk asked; exit code 2 when somebody else used them."""
    log = read_file(audit, LOG_BYTES_MAX) if audit else None
    with open_hub(directory) as hub:
        found = check(hub, log)
    if json:
        print_json(found)
    else:
        typer.echo(
            f"{found.totals.asked:,} look-ups asked, {found.totals.computed:,} pseudonyms computed for them "
            f"({found.unanswered:,} refused, failed or under way), {found.totals.filed:,} for member files"
        )
        if found.audited is not None:
            typer.echo(f"{found.audited:,} HMAC by the key server's own log, {found.totals.keyed:,} asked of it")
    if found.alarm:
        ERRORS.print(f"[bold red]ALARM: {found.alarm}[/]")
        raise typer.Exit(ALARM_EXIT)


@app.command("destroy")
def destroy_keys(
    insurer: Insurer,
    operator: Operator,
    confirm: Confirm = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Destroy an insurer's keys: what they sealed opens for nobody, for ever. One operator asks, another carries it out.

    The second has 72 hours. Both are in the journal. Example: ecluse keys destroy --insurer 0075123456 --operator a.martin
    """
    with open_hub(directory) as hub:
        done = hub.run(destroy(hub, insurer, operator, confirm))
    if json:
        print_json(done)
    elif done.state == "asked":
        _tell_second(f"ecluse keys destroy --insurer {insurer}", done.phrase)
    else:
        typer.echo(f"The keys of {insurer} are destroyed. Destroy the copies of the key file too, and take a new one.")


@app.command("forget")
def forget_person(
    insurer: Insurer,
    member_number: Annotated[str, typer.Option(help="The person's number at this insurer, as in its member file.")],
    birth_date: Annotated[str, typer.Option(help="YYYY-MM-DD, as in the member file.")],
    operator: Operator,
    birth_rank: Annotated[int, typer.Option(help="1 to 9, as in the member file.")] = 1,
    confirm: Confirm = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Destroy one person's key: the engagements, quotes and names that the journal keeps of them open for nobody, for ever.

    One operator asks, another carries it out within 72 hours; both are in the journal, with the person's reference only. The
    entries stay, unreadable, with times and places. Rights, claims and approvals stay too, under the insurer's key. The person
    may be checked again at once: what is sealed from then on opens. Nothing tells whether this hub ever met them: a wrong digit
    forgets nobody, so compare the reference with the journal's.
    Example: ecluse keys forget --insurer 0075123456 --member-number M1 --birth-date 1979-06-14 --operator a.martin
    """
    member = Member(member_number, birth_date, birth_rank)
    with open_hub(directory) as hub:
        done = hub.run(forget(hub, insurer, member, operator, confirm))
    if json:
        print_json(done)
    elif done.state == "asked":
        typer.echo(f"The person's reference, as in the journal: {done.person}")
        _tell_second("ecluse keys forget, with the same insurer and member,", done.phrase)
    else:
        typer.echo(
            f"{done.person} is forgotten. Destroy the copies of the key file that a passphrase opens, and take a new one."
        )


@app.command("retire")
def retire_key(
    version: Annotated[int, typer.Option("--pass", help="Which version of the key that signs passes.")],
    operator: Operator,
    confirm: Confirm = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Retire a key that signed passes: every pass of it is refused within a second, and the key is destroyed, for ever.

    One operator asks, another carries it out within 72 hours; both are in the journal. The newest key signs, and is not retired:
    draw its successor first. Killed, it is run again. Example: ecluse keys retire --pass 1 --operator a.martin
    """
    with open_hub(directory) as hub:
        done = hub.run(retire(hub, version, operator, confirm))
    if json:
        print_json(done)
    elif done.state == "asked":
        typer.echo(
            f"{done.passes:,} passes that it signed still stand, and will be refused: ecluse pass keys --json says whose."
        )
        _tell_second(f"ecluse keys retire --pass {version}", done.phrase)
    else:
        typer.echo(
            f"Key {version} of passes is retired; {done.passes:,} passes that it signed are to be issued anew. "
            "Destroy the copies of the key file too, and take a new one."
        )


@app.command("passphrase")
def passphrase(directory: Dir = HERE, json: Json = False) -> None:
    """Change the passphrase of a sealed key file, or seal one that is not. Stop the hub first; it needs the new one to start.

    Asks for the old and the new one; without a terminal, reads them from standard input, a line each. Of a file that is not
    sealed the old one is an empty line. In one step: killed at any moment, the file opens with one of both.
    """
    old, new = _asked()
    change_passphrase(directory, old, new)
    if json:
        print_json({"changed": True})
    else:
        typer.echo(
            "Changed. Give the hub the new passphrase (ECLUSE_KEYS_PASSPHRASE or keys.passphrase_file) before it starts. "
            "Older copies of the file open with the old one: take a new one (ecluse keys backup), destroy those."
        )


def _tell_second(command: str, phrase: str) -> None:
    typer.echo(f"Asked. Within 72 hours, another operator: {command} --operator … --confirm '{phrase}'")


def _asked() -> tuple[str, str]:
    """The old passphrase and the new one; never shown."""
    if not sys.stdin.isatty():
        old, new = (sys.stdin.readline() for _ in range(2))
        if not new:
            raise PASSPHRASES_TWO()
        return old.rstrip("\n"), new.rstrip("\n")
    old = typer.prompt("Old passphrase (empty if there is none)", default="", hide_input=True, show_default=False)
    return old, typer.prompt("New passphrase", hide_input=True, confirmation_prompt=True)


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, for a place apart from the data.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Copy the wrapped keys, once seen to open. What a token or a key server holds is backed up there: docs/security.md."""
    copy = backup_keys(directory)
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise COPY_THERE(str(file)) from None
    with os.fdopen(handle, "wb") as out:
        out.write(copy)
        out.flush()
        os.fsync(out.fileno())
    if json:
        print_json({"file": str(file), "bytes": len(copy)})
    else:
        typer.echo(f"{file}: {len(copy):,} bytes, wrapped as in the hub.")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy made by `ecluse keys backup`.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of keys that are there.")] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Bring the wrapped keys back, if they open here. Restart the hub afterwards."""
    brought = restore_keys(directory, read_file(file, COPY_BYTES_MAX), replace=replace)
    if json:
        print_json({"scopes": brought})
    else:
        typer.echo(f"The keys of {len(brought)} scopes are back.")


def _rotate(hub: OpenHub, scope: str, told: Told, *, data: bool, index: bool) -> Rotated:
    """Both keys where none is named. Data first: rows carried to the new index key are sealed under the newest data key."""
    done = hub.run(rotate_data(hub, scope)) if data or not index else Rotated(scope)
    if (data and not index) or scope == HUB:  # nobody is looked up under the hub's own keys
        return done
    carried = hub.run(rotate_index(hub, scope, told))
    return Rotated(scope, done.data_version, carried.index_version, carried.carried)


def _tell(done: Rotated) -> None:
    versions = [f"{name} key {version}" for name, version in _versions(done) if version]
    rows = f", {done.carried.rights:,} rights carried" if done.carried else ""
    typer.echo(f"{done.scope}: {', '.join(versions) or 'nothing to rotate'}{rows}")


def _versions(done: Rotated) -> list[tuple[str, int | None]]:
    return [("data", done.data_version), ("index", done.index_version), ("pass", done.pass_version)]


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Told]:
    """A progress bar on stderr when it is a terminal; else nothing."""
    columns = (TextColumn("carrying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, disable=quiet or not ERRORS.is_terminal, transient=True) as progress:
        task = progress.add_task("carrying", total=None)

        def told(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of or None)

        yield told
