"""`ecluse gate openings`: first looks at an insurer's members, encrypted to that insurer, as it would read them over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.exposure.ask import INVESTIGATOR
from ecluse.app.openings import LIMIT_MAX, read_openings
from ecluse.doors.cli.exposure import write_file
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.gate.admission import Request
from ecluse.wiring import open_hub

Amc = Annotated[str, typer.Option("--insurer", metavar="AMC", help="The insurer's AMC number.")]


def openings(
    insurer: Amc,
    after: Annotated[str, typer.Option("--after", metavar="CURSOR", help="Where the last page ended.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIMIT_MAX, help="How many at most.")] = LIMIT_MAX,
    out: Annotated[Path | None, typer.Option("--out", help="Write the page, encrypted, to this file.")] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Tell an insurer who looked at its members for the first time: a page of CSV, encrypted to its public key.

    The insurer opens it with `age -d -i key.txt FILE`, or `ecluse exposure open FILE --identity key.txt`. Example:

    ecluse gate openings --insurer 0075123456 --out page1.csv.age
    """
    with open_hub(directory) as hub:
        asked = Request(INVESTIGATOR, hub.ids.new("opn_"))
        page = hub.run(read_openings(hub, asked, insurer, after, limit)).answer
    if out is not None and page.sealed:
        write_file(out, page.sealed)
    if json:
        print_json(page)
        return
    more = " There are more: go on from there." if page.has_more else ""
    typer.echo(f"{page.openings} openings, encrypted to {page.recipient}.{more}\n--after {page.cursor}")
