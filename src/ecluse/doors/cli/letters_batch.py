"""`ecluse letters batch`: the same letters for a printer, thousands to a file, with what is in each file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ecluse.app.letter_batches import print_batches
from ecluse.app.letters import begin, letters
from ecluse.breach.letters.pack import read_rows
from ecluse.doors.cli.letters_render import (
    KEY,
    ROWS,
    Day,
    KeyFile,
    Out,
    Pack,
    SenderFile,
    about_pack,
    day_on,
    known_contacts,
    opened,
    run_of,
    say_refused,
)
from ecluse.doors.cli.screen import Json, bar, print_json

LETTERS_MAX = 10_000  # a file of some 14 MB; printing it takes 250 MB of memory here


def batch(
    pack: Pack,
    contacts: Annotated[Path, typer.Option(metavar="CSV", help="The insurer's contacts (docs/letters.md).")],
    out: Out,
    sender: SenderFile = None,
    key: KeyFile = None,
    day: Day = "",
    letters_max: Annotated[
        int, typer.Option("--letters-per-file", min=1, max=100_000, help="How many letters a file has.")
    ] = LETTERS_MAX,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Print letters to people with an e-mail address, too.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the letters of a pack for a printer: PDFs of thousands, each letter on sheets of its own, and lists to count them by.

    The words are those of `letters render`. Killed, it goes on where it stopped. Exit code 2 when somebody has no letter.

    Example:

      ecluse letters batch --pack pack/ --contacts contacts.csv --sender mutuelle.toml --out imprimeur/
    """
    from ecluse.wiring.letters import batch_press, folder, key_of

    told, said = about_pack(pack, sender)
    today = day_on(day)
    with opened(pack / ROWS) as lines:
        numbers = [each.member_number for each in read_rows(lines)]
    known, wrong = known_contacts(contacts, frozenset(numbers), today)
    post, of = folder(out), len(numbers)
    kind = f"lots of {letters_max}{' everybody' if everybody else ''}"
    begin(post, run_of(pack / ROWS, contacts, said, today, (kind,)))
    made_with = key_of(key or pack / KEY, told.incident, told.insurer)
    with opened(pack / ROWS) as lines, bar("Courriers", quiet=json) as seen:
        found = letters(read_rows(lines), known, told, made_with, today)

        def step(done: int) -> None:
            if done % 64 == 0 or done == of:
                seen(done, of)

        made = print_batches(found, post, batch_press(), letters_max, step, everybody=everybody)
    if json:
        print_json({**msgspec.structs.asdict(made), "refused_rows": [msgspec.structs.asdict(each) for each in wrong]})
    else:
        sheets = sum(each.sheets for each in made.lots)
        typer.echo(f"{made.letters} letters, {sheets} sheets, {len(made.lots)} files ({made.kept} were there already).")
        typer.echo(f"{made.by_email} people have an e-mail address: `ecluse letters render` writes to them.")
        say_refused(wrong, made.without_letter)
    raise typer.Exit(2 if wrong or made.without_letter else 0)
