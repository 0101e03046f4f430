"""What takes two operators and a delay: `ecluse practice rib`, another account; `ecluse gate lost` and `reset`, a lost device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.containment import shown
from ecluse.app.naming import account_of, named, standing
from ecluse.app.resets import report_lost
from ecluse.app.resets import reset as reset_account
from ecluse.app.ribs import RibShown, ask_rib, confirm_rib, drop_rib, show_ribs
from ecluse.doors.cli.gate import Operator, Reason, say
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.gate.containment import Kind
from ecluse.payments.rib import HOUR_US
from ecluse.wiring import open_hub

ROW_BYTES_MAX = 4096  # a header and one row are 200 bytes

app = typer.Typer(help="Another bank account for a practice: asked by one, confirmed by another.", no_args_is_help=True)

Practice = Annotated[str, typer.Argument(metavar="PRACTICE", help="FINESS or SIRET.")]
Change = Annotated[
    str, typer.Argument(metavar="CHANGE", help="Its id, as `ecluse practice rib show` prints it: rib_….")
]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="As tokens name it: rpps:10000000001.")]


@app.command("ask")
def ask(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="practice,name,iban,bic and one row.")],
    operator: Operator,
    reason: Reason,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Ask for another account of a known practice, and write the notice for its old contact: send it by the way you already had.

    Another operator confirms after gate.delay_h hours. Until then payments go to the old account.
    """
    data = read_file(file, ROW_BYTES_MAX)
    with open_hub(directory) as hub:
        told = hub.run(ask_rib(hub, data, operator, reason, hub.settings.gate.delay_h * HOUR_US))
        notice = hub.post.place(told.notice)
    _tell(told, json=json)
    if not json:
        typer.echo(f"Send this to the old contact: {notice}")


@app.command("confirm")
def confirm(change: Change, operator: Operator, reason: Reason, directory: Dir = HERE, json: Json = False) -> None:
    """Confirm it as another operator, once the delay is over and the old contact was told: money goes there from now on."""
    with open_hub(directory) as hub:
        _tell(hub.run(confirm_rib(hub, change, operator, reason)), json=json)


@app.command("drop")
def drop(practice: Practice, operator: Operator, reason: Reason, directory: Dir = HERE, json: Json = False) -> None:
    """Drop what was asked for: the account stays as it is. One operator is enough."""
    with open_hub(directory) as hub:
        _tell(hub.run(drop_rib(hub, practice, operator, reason)), json=json)


@app.command("show")
def show(directory: Dir = HERE, json: Json = False) -> None:
    """Show what waits for its second operator, by which id, and from when on. Of an IBAN only the end is shown."""
    with open_hub(directory) as hub:
        found = hub.run(show_ribs(hub))
    if json:
        print_json(found)
        return
    for each in found:
        _tell(each, json=False)
    if not found:
        typer.echo("Nothing waits.")


def lost(account: Account, operator: Operator, reason: Reason, directory: Dir = HERE, json: Json = False) -> None:
    """Shut an account whose device was lost or stolen, at once. Only `ecluse gate reset` puts it back."""
    with open_hub(directory) as hub:
        whose = account_of(named(hub, account))
        hub.run(report_lost(hub, whose, operator, reason))
        say(shown(hub, (Kind.ACCOUNT, whose)), json=json)


def reset(account: Account, operator: Operator, reason: Reason, directory: Dir = HERE, json: Json = False) -> None:
    """Put an account back whose device was lost: one operator asks, another confirms after gate.delay_h hours, within 72 more.

    Asking writes a notice for the holder: send it by the way you already had. Put back, it is slowed; a fresh login lifts that.
    """
    with open_hub(directory) as hub:
        whose = account_of(standing(hub, account))
        notice = hub.run(reset_account(hub, whose, operator, reason, hub.settings.gate.delay_h * HOUR_US))
        say(shown(hub, (Kind.ACCOUNT, whose)), json=json)
        if notice and not json:
            typer.echo(f"Send this to the holder: {hub.post.place(notice)}")


def _tell(told: RibShown, *, json: bool) -> None:
    if json:
        print_json(told)
        return
    when = f"; another operator confirms from {told.from_at:%Y-%m-%d %H:%M} UTC on" if told.state == "asked" else ""
    typer.echo(f"{told.id}  {told.practice}: {told.old} → {told.new}, {told.state}{when}")
