"""`ecluse incident pack` and `evidence`: what is handed to insurers, and to whoever must check it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ecluse.app.exposure.proofs import Proofs
from ecluse.app.incidents.acts import known
from ecluse.app.incidents.packs import Making, Pack, make_packs
from ecluse.doors.cli.exposure import asking
from ecluse.doors.cli.incident_words import By, Many, Named, opened
from ecluse.doors.cli.pack_folder import FolderOfPacks
from ecluse.doors.cli.proofs_folder import FolderOfProofs
from ecluse.doors.cli.screen import HERE, OUT, Dir, Json, print_json
from ecluse.doors.incidents.page import page
from ecluse.wiring import OpenHub
from ecluse.wiring.journal import provable

PROVED = "preuves"


def pack(
    incident: Named,
    by: By,
    out: Annotated[Path, typer.Option(help="The folder the packs go into; the same again goes on there.")],
    insurers: Annotated[Many, typer.Option("--insurer", help="Only this insurer's; repeat.")] = [],  # noqa: B006
    zipped: Annotated[bool, typer.Option("--zip", help="One encrypted zip an insurer, not a file each.")] = False,
    proofs: Annotated[bool, typer.Option("--proofs/--no-proofs", help="With the proof of each display.")] = True,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Make each insurer's pack, encrypted to it: its people, CNIL's form, register, DORA, letters' rows, proofs. Example:

    ecluse journal export && ecluse incident pack inc_… --by 'Anne Martin, DPO' --out dossiers/
    """
    with opened(directory) as hub, asking(quiet=json) as told:
        proving = _proving(hub, incident, out) if proofs else None
        making = Making(by, FolderOfPacks(out, zipped=zipped), page, proving, tuple(insurers))
        found = hub.run(make_packs(hub, incident, making, told))
    print_json(found) if json else OUT.print(_table(found))


def _proving(hub: OpenHub, incident: str, out: Path) -> Proofs | None:
    """What proofs are made from, kept beside the packs so that work that was stopped goes on; none before there is a scope."""
    scoped = known(hub, incident).scoped
    if scoped is None:
        return None
    folder = FolderOfProofs(out / f"{PROVED}-{scoped.exposure_id}", scoped.question, out)
    return Proofs(provable(hub), folder, packed=True)


def _table(found: list[Pack]) -> Table:
    table = Table("insurer", "people", "pack", "to fill", box=None)
    for each in found:
        said = each.pack if each.recipient else f"{each.pack}: no key, counts alone"
        table.add_row(each.insurer, str(each.members), said, str(len(each.to_fill)))
    return table


COMMANDS: dict[str, Callable[..., None]] = {"pack": pack}
