"""`ecluse journal prune` and `accept-loss`: entries no longer kept, and entries that are lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from ecluse.app.retention import accept_losses, prune
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.wiring import open_hub
from ecluse.wiring_journal import archive

Operator = Annotated[str, typer.Option(help="Who does this, as your organisation names people.")]


def prune_shards(
    keep_months: Annotated[int, typer.Option(help="Instead of journal.keep_months.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed.")] = False,
    operator: Operator = "operator",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Remove the entries of months that are over for longer than entries are kept; hashes stay, so that all still verifies.

    The journal says so first. Killed, run it again. The hub may answer meanwhile. Example: ecluse journal prune --dry-run
    """
    with open_hub(directory) as hub:
        journal = hub.settings.journal
        months = keep_months or journal.keep_months
        done = hub.run(prune(hub, archive(hub), months, journal.keep_reason, operator, dry_run=dry_run))
    if json:
        print_json(done)
        return
    would = "would be removed" if dry_run else "removed"
    typer.echo(f"{done.entries:,} entries of {len(done.shards)} shards {would}: kept {done.keep_months} months")
    for shard in done.shards:
        typer.echo(f"  {shard}")


def accept_loss(
    shards: Annotated[list[str], typer.Argument(help="The shards that lost entries, as the refusal names them.")],
    reason: Annotated[str, typer.Option(help="What happened, in a sentence.")],
    operator: Operator,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Give up shards that lost entries, when no newer copy is left: nothing of them is changed, the hub goes on beside them.

    The journal says how many entries are lost, and from when. Stop the hub first.
    Example: ecluse journal accept-loss 2026-11-w0 --reason "disk lost, copy of 3 a.m." --operator a.martin
    """
    with open_hub(directory) as hub:
        losses = hub.run(accept_losses(hub, archive(hub), shards, reason, operator))
    if json:
        print_json(losses)
        return
    for loss in losses:
        typer.echo(f"{loss.shard}: {loss.kept:,} entries kept, {loss.lost:,} lost. {loss.reason}")
    typer.echo("The journal says so. Declare what was lost: docs/availability.md. Keep the shard's folder as evidence.")


COMMANDS: dict[str, Callable[..., None]] = {"prune": prune_shards, "accept-loss": accept_loss}
