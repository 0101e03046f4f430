"""`ecluse breach cross`: what earlier public leaks add to this one, by simulation; no stolen data is ever loaded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ecluse.breach.crossing.answer import Crossing, cross, percent
from ecluse.breach.crossing.catalogue import Crossed
from ecluse.breach.facts import BYTES_MAX, read
from ecluse.doors.cli.screen import OUT, Json, print_json
from ecluse.doors.crossings.page import page
from ecluse.kernel.errors import refusal

CROSSING_NOT_WRITTEN = refusal(
    "crossing_not_written", 400, "The page was not written", fix="Name a file in a folder that is there."
)


def crossed(
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write a page with charts.")] = None,
    json: Json = False,
) -> None:
    """Say which harm this leak switches on once crossed with earlier public ones, and what later ones add.

    Send one JSON object: `leak`, of the catalogue, or `fields` and their day `on` (and `name`, `reach` by age: child, adult,
    senior); `seed`, `runs` and `people` of the simulation. The same facts and seed give the same answer.

    Harms: callable, reachable, payable, loginable, impersonable, convincing (docs/letters.md).

    Example:

      echo '{"leak": "tiers-payant-2024"}' | ecluse breach cross --html croisement.html
    """
    found = cross(read(sys.stdin.buffer.read(BYTES_MAX + 1), Crossed))
    if html is not None:
        try:
            html.write_text(page(found), encoding="utf-8")
        except OSError as error:
            raise CROSSING_NOT_WRITTEN(str(error.strerror)) from None
    if json:
        print_json(found)
    else:
        _show(found)


def _show(found: Crossing) -> None:
    table = Table(title=f"{found.name}, {found.on}", title_justify="left")
    for column in ("Dommage", "Seule", "Avant", "Après", "Rendu possible"):
        table.add_column(column, justify="left" if column == "Dommage" else "right")
    for harm in found.harms.values():
        alone = "oui" if harm.alone else "non"
        table.add_row(harm.label, alone, percent(harm.before), percent(harm.after), percent(harm.switched_on))
    OUT.print(table)
    for sentence in found.conclusion:
        OUT.print(f"- {sentence}", highlight=False, markup=False)
