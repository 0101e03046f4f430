"""`ecluse dev`: tokens of the development issuer, which production refuses."""

from __future__ import annotations

from typing import Annotated

import typer

from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.gate.identity import LIFETIME_S_MAX, Account
from ecluse.wiring import open_hub

app = typer.Typer(help="For development only: tokens for any account.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """For development only."""


@app.command("token")
def token(
    account: Annotated[str, typer.Option(help="Who asks: rpps:11 digits; amc:number for an insurer.")],
    practice: Annotated[
        str, typer.Option(help="FINESS or SIRET; without it, the account's in a demo, or one made up.")
    ] = "",
    profession: Annotated[str, typer.Option(help="As the issuer names it, such as medecin.")] = "",
    insurer: Annotated[str, typer.Option(help="For an insurer's own account: its AMC number.")] = "",
    scope: Annotated[str, typer.Option(help="Scopes, separated by spaces.")] = "rights claims remittances",
    lifetime_s: Annotated[
        int, typer.Option("--lifetime", min=1, max=LIFETIME_S_MAX, help="Seconds it holds.")
    ] = LIFETIME_S_MAX,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Print an access token that the hub in DIR accepts.

    Example: curl -H "Authorization: Bearer $(ecluse dev token --account rpps:10000000001 --practice 370000012)" …
    """
    with open_hub(directory) as hub:
        who = Account(account, practice, profession, insurer, frozenset(scope.split()))
        issuer = hub.development_issuer()
        signed = issuer.token(issuer.placed(who), int(hub.clock.now().timestamp()), lifetime_s=lifetime_s)
    if json:
        print_json({"access_token": signed, "token_type": "Bearer", "expires_in": lifetime_s})
    else:
        typer.echo(signed)
