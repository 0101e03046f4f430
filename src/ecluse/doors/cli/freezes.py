"""`ecluse gate freeze` and `unfreeze`: an operator acts for an insurer whose member wants no typed look-ups."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from ecluse.app.exposure.ask import INVESTIGATOR
from ecluse.app.freezes import FreezeAnswer, freeze, lift
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.gate.admission import Request
from ecluse.journal.member import Member
from ecluse.wiring import open_hub

Amc = Annotated[str, typer.Option("--insurer", metavar="AMC", help="The insurer's AMC number.")]
Number = Annotated[str, typer.Option("--member", help="The member's number, as the insurer gave it.")]
Born = Annotated[str, typer.Option("--birth-date", help="Their birth date, as in the member file.")]
Rank = Annotated[int, typer.Option("--birth-rank", help="Their birth rank.")]
By = Annotated[str, typer.Option("--operator", help="Who acts: it is written in the journal.")]

Work = Callable[..., Coroutine[Any, Any, FreezeAnswer]]


def freeze_member(
    insurer: Amc, member: Number, birth_date: Born, operator: By, birth_rank: Rank = 1, directory: Dir = HERE,
    json: Json = False,
) -> None:  # fmt: skip
    """Freeze typed look-ups of a member, for their insurer: only their pass opens. Nothing tells whether the hub knows them."""
    _do(freeze, insurer, Member(member, birth_date, birth_rank), operator, directory, json=json)


def unfreeze_member(
    insurer: Amc, member: Number, birth_date: Born, operator: By, birth_rank: Rank = 1, directory: Dir = HERE,
    json: Json = False,
) -> None:  # fmt: skip
    """Lift the freeze of a member, for their insurer."""
    _do(lift, insurer, Member(member, birth_date, birth_rank), operator, directory, json=json)


def _do(work: Work, insurer: str, member: Member, operator: str, directory: Path, *, json: bool) -> None:
    with open_hub(directory) as hub:
        asked = Request(INVESTIGATOR, hub.ids.new("frz_"))
        told = hub.run(work(hub, asked, insurer, member, operator=operator))
    if json:
        print_json(told)
    else:
        typer.echo("Typed look-ups are frozen." if told.frozen else "Typed look-ups are not frozen.")
