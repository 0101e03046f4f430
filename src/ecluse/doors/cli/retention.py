"""`ecluse journal prune` and `accept-loss`: entries no longer kept, and entries that are lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from ecluse.app.carrying import Carried, Told
from ecluse.app.retention import accept_losses, prune
from ecluse.doors.cli.screen import ERRORS, HERE, Dir, Json, print_json
from ecluse.wiring import open_hub
from ecluse.wiring.gate import recover_gate
from ecluse.wiring.journal import archive

Operator = Annotated[str, typer.Option(help="Who does this, as your organisation names people.")]


def prune_shards(
    keep_months: Annotated[int, typer.Option(help="Instead of journal.keep_months.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed.")] = False,
    operator: Operator = "operator",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Remove the entries of months that are over for longer than entries are kept; hashes stay, so that all still verifies.

    What people and accounts are held to by these entries (freezes, limits, decoys, "not me", open incidents) is told again first.
    A clock that is ahead removes nothing: months are counted from the newest of the journal, if it has none of the month before.
    The journal says what is removed. Killed, run it again. The hub may answer meanwhile. Example: ecluse journal prune --dry-run
    """
    with open_hub(directory) as hub, _telling(quiet=json) as told:
        journal = hub.settings.journal
        months = keep_months or journal.keep_months
        recover_gate(hub, hub.log)  # where it was lost, what stands is known from the entries that are about to go
        done = hub.run(prune(hub, archive(hub), months, journal.keep_reason, operator, told, dry_run=dry_run))
    if json:
        print_json(done)
        return
    would = "would be removed" if dry_run else "removed"
    typer.echo(f"{done.entries:,} entries of {len(done.shards)} shards {would}: kept {done.keep_months} months")
    for shard in done.shards:
        typer.echo(f"  {shard}")
    if done.counted_from != done.clock_month:
        typer.echo(
            f"Counted from {done.counted_from}, not from the clock's {done.clock_month}: the journal has no entry of the month "
            "before it. Is the clock right? If the hub was quiet, run it again next month."
        )
    if said := _said(done.carried):
        typer.echo(f"{'Would be told' if dry_run else 'Told'} again, so that it stands without them: {said}.")


def _said(carried: Carried) -> str:
    counts = {
        "freezes": carried.freezes,
        "limits": carried.limits,
        "batches of decoys": carried.decoys,
        '"not me"': carried.denials,
        "events of open incidents": carried.incidents,
    }
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


@contextmanager
def _telling(*, quiet: bool) -> Iterator[Told]:
    """What was told again so far, on stderr when it is a terminal; else nothing."""
    columns = (TextColumn("telling again: {task.description} {task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, disable=quiet or not ERRORS.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done: progress.update(task, description=what, completed=done)


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
    with open_hub(directory, is_whole=False) as hub:
        losses = hub.run(accept_losses(hub, archive(hub), shards, reason, operator))
    if json:
        print_json(losses)
        return
    for loss in losses:
        typer.echo(f"{loss.shard}: {loss.kept:,} entries kept, {loss.lost:,} lost. {loss.reason}")
    typer.echo("The journal says so. Declare what was lost: docs/availability.md. Keep the shard's folder as evidence.")


COMMANDS: dict[str, Callable[..., None]] = {"prune": prune_shards, "accept-loss": accept_loss}
