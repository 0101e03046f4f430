"""`ecluse gate openings`, `deny`, `denials`: first looks at an insurer's members, encrypted to it, and what was said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ecluse.app.denials import ShownDenial, deny, list_denials
from ecluse.app.exposure.ask import INVESTIGATOR
from ecluse.app.openings import LIMIT_MAX, read_openings
from ecluse.doors.cli.exposure import write_file
from ecluse.doors.cli.gate import Operator, Reason
from ecluse.doors.cli.screen import HERE, OUT, Dir, Json, print_json
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


def deny_opening(
    opening: Annotated[str, typer.Argument(metavar="OPENING", help="The id the insurer was told: opn_…")],
    insurer: Amc,
    operator: Operator,
    reason: Reason,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Count a "not me" that you looked into: it is yours then, and counts, also where the insurer's own word was held.

    Insurers say it over HTTP: POST /v1/openings/OPENING/denials.
    """
    with open_hub(directory) as hub:
        asked = Request(INVESTIGATOR, hub.ids.new("den_"))
        told = hub.run(deny(hub, asked, insurer, opening, operator=operator, reason=reason))
    if json:
        print_json(told)
    else:
        typer.echo(f"{told.opening}: {told.outcome}")


def denials(
    insurer: Annotated[str, typer.Option("--insurer", metavar="AMC", help="Only what this insurer passed on.")] = "",
    account: Annotated[str, typer.Option("--account", help="Only of this account: rpps:…")] = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Print who said "not me" of whose look, the newest first: so a theft shows, and an insurer that lies. No person is named."""
    with open_hub(directory) as hub:
        found = list_denials(hub, insurer, account)
    if json:
        print_json(found)
    elif not found:
        typer.echo("Nobody said so.")
    else:
        OUT.print(_table(found))


def _table(found: list[ShownDenial]) -> Table:
    table = Table("said", "account", "practice", "looked", "insurer", "by", "outcome", "opening", box=None)
    for each in found:
        said, looked = (f"{at:%Y-%m-%d %H:%M}" for at in (each.said_at, each.opened_at))
        table.add_row(said, each.account, each.practice, looked, each.insurer, each.said_by, each.outcome, each.opening)
    return table
