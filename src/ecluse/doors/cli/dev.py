"""`ecluse dev`: tokens of the development issuer, which production refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.gate.certificate import of_pem
from ecluse.gate.identity import HASH_CHARS, LIFETIME_S_MAX, Account
from ecluse.kernel.errors import refusal
from ecluse.wiring import open_hub

app = typer.Typer(help="For development only: tokens for any account.", no_args_is_help=True)

BINDING_INVALID = refusal(
    "binding_invalid", 400, "A token cannot be bound to this", fix="Give a key's RFC 7638 thumbprint or a certificate."
)


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
    dpop_jkt: Annotated[str, typer.Option("--dpop-jkt", help="Bind it to a key: its RFC 7638 thumbprint.")] = "",
    certificate: Annotated[Path | None, typer.Option(help="Bind it to the certificate in this PEM file.")] = None,
    acr: Annotated[str, typer.Option(help="How sure the issuer is of the login.")] = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Print an access token that the hub in DIR accepts.

    Example: curl -H "Authorization: Bearer $(ecluse dev token --account rpps:10000000001 --practice 370000012)" …
    """
    with open_hub(directory) as hub:
        who = Account(
            account,
            practice,
            profession,
            insurer,
            frozenset(scope.split()),
            acr=acr,
            jkt=_thumbprint(dpop_jkt),
            certificate=_certified(certificate),
        )
        issuer = hub.development_issuer()
        signed = issuer.token(issuer.placed(who), int(hub.clock.now().timestamp()), lifetime_s=lifetime_s)
    if json:
        print_json({"access_token": signed, "token_type": "DPoP" if dpop_jkt else "Bearer", "expires_in": lifetime_s})
    else:
        typer.echo(signed)


def _thumbprint(text: str) -> str:
    if text and len(text) != HASH_CHARS:
        raise BINDING_INVALID("a thumbprint has 43 characters")
    return text


def _certified(file: Path | None) -> str:
    try:
        return of_pem(file.read_text()) if file else ""
    except (OSError, ValueError):
        raise BINDING_INVALID("this is no PEM file of one certificate") from None
