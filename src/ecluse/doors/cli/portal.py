"""`ecluse portal` and `ecluse gate sessions`: the portal's key, and the sessions of an account."""

from __future__ import annotations

from typing import Annotated

import typer

from ecluse.app.naming import account_of, is_met, named
from ecluse.app.portal.sessions import end_sessions, sessions_of
from ecluse.doors.cli.gate import warn_of_a_stranger
from ecluse.doors.cli.screen import ERRORS, HERE, OUT, Dir, Json, print_json
from ecluse.gate.portal.session import Session
from ecluse.kernel.days import S_US, instant
from ecluse.settings import read_settings
from ecluse.wiring import open_hub
from ecluse.wiring.portal import create_portal_key, public_key_set

app = typer.Typer(no_args_is_help=True, help="Logins of browsers: the hub's key for its OpenID provider.")


@app.callback()
def root() -> None:
    """Logins of browsers."""


@app.command("key")
def key(directory: Dir = HERE, _json: Json = False) -> None:
    """Make the key by which the hub shows its OpenID provider who it is, unless there is one, and print its public half as a
    JWK Set, with --json and without: give that to the provider (private_key_jwt)."""
    path = directory / read_settings(directory).portal.key
    if create_portal_key(path):
        ERRORS.print(f"A new key is in {path}: keep a copy with the hub's other keys.")
    print_json(public_key_set(path))


def sessions(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="As logins name it: rpps:10000000001.")],
    end: Annotated[bool, typer.Option("--end", help="End them all, at once.")] = False,
    operator: Annotated[str, typer.Option("--operator", help="Who ends them: it is written in the journal.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence: it is written in the journal.")] = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Show the portal's sessions of an account; with --end, end them. Who logs in again has a new one: see `ecluse gate lost`."""
    with open_hub(directory) as hub:
        name = named(hub, account)
        whose, never_met = account_of(name), not is_met(hub, name)
        if end:
            ended = hub.run(end_sessions(hub, whose, operator, reason))
        found = sessions_of(hub, whose, hub.settings.portal.idle_s)
    if never_met:
        warn_of_a_stranger(whose)
    if json:
        print_json({"ended": ended, **({"never_met": True} if never_met else {})} if end else found)
    elif end:
        typer.echo(f"{whose}: {ended} session(s) ended")
    for each in () if json else found:
        OUT.print(_line(each), markup=False, highlight=False)
    if not (json or end or found):
        typer.echo("No session.")


def _line(session: Session) -> str:
    begun, until = instant(session.begun_ts * S_US), instant(session.until_ts * S_US)
    return f"{session.id}  {session.way}  {begun:%Y-%m-%d %H:%M} UTC  until {until:%Y-%m-%d %H:%M} UTC at most"
