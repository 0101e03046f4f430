"""`ecluse gate withdraw`: what a stolen account was promised, and nobody billed, is anybody's again."""

from __future__ import annotations

from typing import Annotated

import typer

from ecluse.app.naming import account_of, standing
from ecluse.app.withdrawing import Withdrawn
from ecluse.app.withdrawing import withdraw as withdrawn
from ecluse.claims.promise import Theft
from ecluse.doors.cli.gate import Operator, Reason
from ecluse.doors.cli.screen import HERE, Dir, Json, instant, print_json
from ecluse.wiring import open_hub


def withdraw(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="A quarantined account: rpps:10000000001.")],
    since: Annotated[str, typer.Option("--since", help="The instant it was stolen at (ISO 8601; UTC if no offset).")],
    operator: Operator,
    reason: Reason,
    until: Annotated[str, typer.Option("--until", help="Only what was promised before this instant.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be withdrawn, and change nothing.")
    ] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Withdraw what a stolen account was promised: its approvals are cancelled, what its quotes reserve is free again.

    What was billed stays. Killed halfway, run it again. An account that is not quarantined is refused.
    Example: ecluse gate withdraw rpps:10000000001 --since 2026-11-23T08:00+01:00 --operator a.martin --reason "carte volée"
    """
    with open_hub(directory) as hub:
        whose, now_us = account_of(standing(hub, account)), hub.now_ts_us
        theft = Theft(whose, instant(since, now_us), instant(until, now_us))
        found = hub.run(withdrawn(hub, theft, operator, reason, dry_run=dry_run))
    if json:
        print_json(found)
    else:
        _print(found)


def _print(found: Withdrawn) -> None:
    for each in found.insurers:
        typer.echo(
            f"insurer {each.insurer}: {each.cancelled} approval(s), the rest of {each.rests} used, {each.quotes} quote(s): "
            f"{each.cents} cents and {each.acts} acts reserved"
        )
    did = "would be withdrawn; nothing was changed" if found.dry_run else "withdrawn"
    typer.echo(f"{found.account}: {found.approvals} approval(s), {found.quotes} quote(s), {found.cents} cents {did}")
