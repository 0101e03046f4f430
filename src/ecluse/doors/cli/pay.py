"""`ecluse pay`: payment runs, what they made, and the bank's statements read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from ecluse.app.entering import enter_run
from ecluse.app.payments import Progress as Told
from ecluse.app.payments import RunReport, run_payments, show, taken, write_again
from ecluse.app.statements import Reading, load_statement
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.screen import ERRORS, HERE, OUT, Dir, Json, print_json
from ecluse.formats.camt import STATEMENT_BYTES_MAX
from ecluse.kernel.days import paris_day, parse_day
from ecluse.kernel.money import as_euros
from ecluse.payments.call import Call
from ecluse.payments.remittance import Remittance, as_text
from ecluse.payments.run import Run, Summary
from ecluse.wiring import open_hub

app = typer.Typer(help="Payment runs, remittances, calls for funds, bank statements.", no_args_is_help=True)


@app.command("run")
def run(
    date: Annotated[str, typer.Option(help="Pay what was received until this day, YYYY-MM-DD; today by default.")] = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Pay every accepted claim received until DATE and not yet paid: one transfer and one remittance a practice.

    Writes SEPA files, remittances and calls for funds under out/. Safe to run twice and to run again after a crash.
    Example: ecluse pay run --date 2026-11-23
    """
    with open_hub(directory) as hub, _progress(quiet=json) as told:
        until = parse_day(date) if date else paris_day(hub.clock.now())
        report = hub.run(run_payments(hub.till, until, told))
    if json:
        print_json(report)
    else:
        _print_run(report)


@app.command("statement")
def statement(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="camt.053 or camt.054, as the bank made it.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Read a bank statement: transfers settled or returned, calls funded; every other line is listed.

    What the bank returned is paid again by the next run. The same file twice changes nothing.
    """
    data = read_file(file, STATEMENT_BYTES_MAX)
    with open_hub(directory) as hub:
        reading = hub.run(load_statement(hub.till, data))
    if json:
        print_json(reading)
    else:
        _print_reading(reading)


@app.command("show")
def show_one(
    id_: Annotated[str, typer.Argument(metavar="ID", help="run_…, rem_… or cff_…, or as a bank statement writes it.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Show a run, a remittance (in French, as its practice reads it) or a call for funds."""
    with open_hub(directory) as hub:
        found = hub.run(show(hub.till, id_))
    if json:
        print_json(found)
    elif isinstance(found, Remittance):
        typer.echo(as_text(found) + f"État : {found.state}{f' ({found.why})' if found.why else ''}")
    elif isinstance(found, Call):
        _print_call(found)
    else:
        _print_runs([found])
        _print_summary(found.summary)


@app.command("list")
def list_runs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """List payment runs, the newest first."""
    with open_hub(directory) as hub:
        runs = hub.run(hub.payments.runs(limit=limit))
    if json:
        print_json(runs)
    else:
        _print_runs(runs)


@app.command("files")
def files(
    id_: Annotated[str, typer.Argument(metavar="RUN", help="run_…")],
    is_taken: Annotated[
        bool, typer.Option("--taken", help="The bank has all of them: write none, and ask no more.")
    ] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Write the files of a run again, to the same bytes. Do not send the bank a file it already has.

    A run whose writing was broken off while the bank could take files: look at what it took. None: this command; all: --taken.
    """
    with open_hub(directory) as hub, _progress(quiet=json) as told:
        if is_taken:
            hub.run(taken(hub.till, id_))
        places = [] if is_taken else hub.run(write_again(hub.till, id_, told))
    if json:
        print_json({"files": places})
    else:
        typer.echo("\n".join(places))


@app.command("enter")
def enter(
    id_: Annotated[
        str, typer.Argument(metavar="RUN", help="run_…, as `run_lost` or `ecluse journal missing` names it.")
    ],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Enter a run again that a restored database does not know, from its files under out/. The bank is told nothing.

    It comes out the same, transfer by transfer and call by call, or nothing is kept. Of several, the oldest first.
    """
    with open_hub(directory) as hub:
        done = hub.run(enter_run(hub.till, id_))
    if json:
        print_json(done)
    else:
        typer.echo(f"{done.run.id}: {'entered' if done.entered else 'known already'}.")
        _print_summary(done.run.summary)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Told]:
    with Progress(console=ERRORS, transient=True, disable=quiet or not ERRORS.is_terminal) as bars:
        tasks = {what: bars.add_task(what, total=None) for what in ("order", "remittances", "transfers")}

        def told(what: str, done: int, total: int) -> None:
            bars.update(tasks[what], completed=done, total=total)

        yield told


def _print_run(report: RunReport) -> None:
    for run_id in report.finished:
        typer.echo(f"{run_id}: files completed after an interruption.")
    for run_id in report.unsure:
        ERRORS.print(
            f"[bold red]UNSURE: {run_id} was broken off while the bank could take its files.[/] Look in out/payments and ask the "
            f"bank: if it has none, `ecluse pay files {run_id}`; if it has all, with --taken. Never send it one twice."
        )
    if report.made:
        typer.echo(f"{report.made}: done.")
    else:
        typer.echo("Nothing new to pay." + (f" Runs of that day: {', '.join(report.runs)}." if report.runs else ""))
    _print_summary(report.summary)
    for place in report.files:
        typer.echo(place)


def _print_summary(summary: Summary) -> None:
    typer.echo(
        f"{summary.transfers} transfers, {summary.claims} claims, {as_euros(summary.ordered_cents)} EUR; "
        f"{summary.calls} calls for funds, {as_euros(summary.called_cents)} EUR."
    )
    if summary.late:
        ERRORS.print(
            f"[bold red]LATE: {summary.late} claims were promised earlier than this transfer, since {summary.late_since}.[/]"
        )
    if summary.held_practices:
        ERRORS.print(
            f"[bold]HELD: {summary.held_practices} practices without bank details, {as_euros(summary.held_cents)} EUR.[/] "
            "Load them with `ecluse practice load FILE.csv`, then run again."
        )
        for aside in summary.held:
            ERRORS.print(f"  {aside.practice}: {aside.lines} claims, {as_euros(aside.net_cents)} EUR")
    if summary.waiting_practices:
        ERRORS.print(f"{summary.waiting_practices} practices wait: recoveries are not below what they are due yet.")


def _print_reading(reading: Reading) -> None:
    if reading.read_before:
        typer.echo("This file was read before; nothing changed. What it said:")
    typer.echo(", ".join(f"{count} {verdict}" for verdict, count in reading.counts.items()) or "No movement in it.")
    for one in reading.returned:
        ERRORS.print(
            f"RETURNED {one.id}: {as_euros(one.amount_cents)} EUR, reason {one.why or 'not given'}", markup=False
        )
    for one in reading.listed:
        sign = "+" if one.credit else "-"
        place = f"line {one.n}, {one.booked_on}, {sign}{as_euros(one.amount_cents)} EUR"
        ERRORS.print(f"{one.verdict.upper()} {place} {one.id}: {one.why}", markup=False)


def _print_call(call: Call) -> None:
    typer.echo(
        f"{call.call_id} to {call.insurer}: {as_euros(call.amount_cents)} EUR, {call.state}, {len(call.lines)} lines"
    )
    for line in call.lines:
        typer.echo(f"{line.claim_id} {line.practice:<14} {line.invoice:<20} {as_euros(line.amount_cents):>12}")


def _print_runs(runs: list[Run]) -> None:
    table = Table("Run", "Received until", "Executed on", "State", "Transfers", "EUR")
    for one in runs:
        row = (
            one.id,
            one.received_until,
            one.execute_on,
            one.state,
            one.summary.transfers,
            as_euros(one.summary.ordered_cents),
        )
        table.add_row(*map(str, row))
    OUT.print(table)
