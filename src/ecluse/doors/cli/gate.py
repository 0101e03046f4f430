"""`ecluse gate`: where an account stands, and what is limited; limits are set by one operator and lifted by two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.table import Table

from ecluse.app.alerted import ALERTS_MAX, AlertTold, alerts
from ecluse.app.containment import Shown, limited, moved, older_logins, shown, step_name, step_named
from ecluse.app.naming import account_of, named, standing
from ecluse.app.ports.containments import Name as Named
from ecluse.doors.cli.screen import HERE, OUT, Dir, Json, print_json
from ecluse.gate.allowance import day_of, yearly
from ecluse.gate.containment import Contained, Event, Kind, Released
from ecluse.kernel.days import DAY_US, instant
from ecluse.wiring import OpenHub, open_hub

app = typer.Typer(no_args_is_help=True, help="Who may ask how much: allowances, limits, and how they are lifted.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="An account (rpps:…; of another form, account: and its name to the letter), or insurer:NUMBER, domain:CODE, "
        "vendor:SOFTWARE, department:CODE, network:PREFIX.",
    ),
]
To = Annotated[
    str,
    typer.Argument(
        metavar="STEP",
        help="Of an account: open, slowed, presence_only, step_up, quarantined; of the rest: open, presence_only, closed.",
    ),
]
Operator = Annotated[str, typer.Option("--operator", help="Who acts: it is written in the journal.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a sentence: it is written in the journal.")]


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As above; without it, everything that is limited.")] = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Show where an account stands: its step, its debt of people opened without their pass, its caps, and what detectors found of
    it, a sentence each; or every limit there is."""
    with open_hub(directory) as hub:
        found = [shown(hub, standing(hub, name))] if name else limited(hub)
        beginning, now_us = hub.caps.beginning, hub.now_ts_us
    if json:
        print_json(found[0] if name else found)
    elif not found:
        typer.echo("Nothing is limited.")
    else:
        for each in found:
            _warn(each)
        OUT.print(_table(found))
        _say_more(found)
        _explain([alert for each in found for alert in each.alerts])
    if beginning and not json and day_of(now_us) <= beginning.last_day:
        typer.echo(f"Caps are wide until {beginning.until}: everybody is new to every account (gate.beginning_until).")


@app.command("alerts")
def show_alerts(
    limit: Annotated[int, typer.Option(min=1, max=ALERTS_MAX, help="How many.")] = 40,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Show what detectors found last, of every account: a signal, the step it asks for, and its evidence in a sentence.

    `ecluse gate show ACCOUNT` tells what came of it; an honest account is ever quarantined with probability 10⁻⁶ a signal.
    """
    with open_hub(directory) as hub:
        found = alerts(hub, limit=limit)
    if json:
        print_json(found)
    elif not found:
        typer.echo("No detector has alerted.")
    else:
        _explain(found)


@app.command("look")
def look(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="As tokens name it: rpps:10000000001.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Look now for settled claims that justify an account's openings; the hub does so daily, and before it refuses."""
    with open_hub(directory) as hub:
        whose = account_of(standing(hub, account))
        hub.run(hub.allowance.look(whose))
        say(shown(hub, (Kind.ACCOUNT, whose)), json=json)


@app.command("contain")
def contain(
    name: Name, step: To, operator: Operator, reason: Reason, directory: Dir = HERE, json: Json = False
) -> None:
    """Limit an account, an insurer, a domain, a software, a département or a network, at once. A tighter limit stays.

    Who never came here is limited too, for they may come; a warning says so, for the name may be wrong.
    """
    with open_hub(directory) as hub:
        _move(hub, named(hub, name), step, lambda to: Contained(operator, to, reason), json=json)


@app.command("release")
def release(
    name: Name, step: To, operator: Operator, reason: Reason, directory: Dir = HERE, json: Json = False
) -> None:
    """Lift a limit to STEP: one operator asks, another confirms the same within 72 hours."""
    with open_hub(directory) as hub:
        _move(hub, standing(hub, name), step, lambda to: Released(operator, to, reason), json=json)


def _move(hub: OpenHub, name: Named, step: str, event: Callable[[int], Event], *, json: bool) -> None:
    hub.run(moved(hub, name, event(step_named(name[0], step))))
    say(shown(hub, name), json=json)


def warn_of_a_stranger(name: str) -> None:
    """Say that this hub knows nobody of that name: what was done holds, but perhaps of nobody."""
    typer.echo(f"warning: this hub never met {name}. Is the name right? It holds all the same.", err=True)


def say(found: Shown, *, json: bool) -> None:
    """Print where something stands."""
    _warn(found)
    if json:
        print_json(found)
        return
    state = found.state
    waits = f"; {state.asked_by} asked to lift it: another operator confirms" if state.asked_by else ""
    typer.echo(f"{found.name}: {step_name(state)}{waits}")


def _warn(found: Shown) -> None:
    if found.never_met:
        warn_of_a_stranger(found.name if found.kind is Kind.ACCOUNT else f"{found.kind}:{found.name}")


def _say_more(found: list[Shown]) -> None:
    for each in found:
        for older, until_us in older_logins(each.state):
            until = instant(until_us)
            typer.echo(f"{each.name}: logins up to {until:%Y-%m-%d %H:%M:%S} UTC are held to {older}")
        if each.counted and each.counted.day:
            day = instant(each.counted.day * DAY_US)
            typer.echo(f"{each.counted.people} people newly opened on {day:%Y-%m-%d}, usually {each.counted.usual:.0f}")


def _explain(found: Sequence[AlertTold]) -> None:
    for each in found:
        typer.echo(
            f"{each.at:%Y-%m-%d %H:%M} UTC  {each.account}  {each.signal} → {each.step}: {each.sentence_fr}{_besides(each)}"
        )


def _besides(each: AlertTold) -> str:
    """What operators are told beside the sentence: where the decoy was planted; who was shown the pass before."""
    if each.evidence.decoy:
        return f" [{each.planted or each.evidence.decoy}]"
    return f" [shown just before to {each.evidence.shown_by}]" if each.evidence.shown_by else ""


def _table(found: list[Shown]) -> Table:
    table = Table("", "name", "step", "since", "debt", "cap", "of the year", "people", box=None)
    for each in found:
        at = each.position
        counts = ["", "", "", ""]
        if at is not None:
            cap = min(at.standing.cap or at.caps.debt, at.caps.debt)
            counts = [str(at.standing.debt), str(cap), f"{at.standing.year}/{yearly(at.caps, cap)}", str(at.opened)]
        since = f"{instant(each.state.since_us):%Y-%m-%d %H:%M} UTC" if each.state.since_us else ""
        table.add_row(each.kind, each.name, each.step, since, *counts)
    return table
