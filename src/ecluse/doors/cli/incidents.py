"""`ecluse incident`: an incident over time, from the first suspicion to what each insurer is handed. Every act is an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from ecluse.app.exposure.naming import question_typed, strangers
from ecluse.app.incidents.acts import add_fact, close, decide, notify, open_incident, reopen, scope
from ecluse.app.incidents.events import read_all, read_incident
from ecluse.breach.agenda import calendar
from ecluse.breach.incident.events import HUB
from ecluse.breach.incident.follows import clocks, question_of
from ecluse.breach.incident.state import Incident, fold
from ecluse.breach.incident.view import clocks_told, scope_told, summary
from ecluse.breach.incident.view import shown as viewed
from ecluse.doors.cli import breach_tables, incident_packs, incident_tables
from ecluse.doors.cli.breach import NOT_WRITTEN
from ecluse.doors.cli.exposure import asking, warn_of_strangers
from ecluse.doors.cli.incident_words import By, ByMe, Many, Named, Reason, opened
from ecluse.doors.cli.screen import HERE, OUT, Dir, Json, instant, print_json
from ecluse.kernel.days import paris_day
from ecluse.wiring import OpenHub

UNSAID = "Non précisé."

app = typer.Typer(help="An incident: opened, scoped, decided, told to each insurer, proved.", no_args_is_help=True)
facts = typer.Typer(help="Facts of an incident, as they become known.", no_args_is_help=True)
app.add_typer(facts, name="fact")

YesNo = Literal["yes", "no"]
SAID: dict[YesNo | None, bool | None] = {"yes": True, "no": False, None: None}


@app.command("open")
def open_(
    accounts: Annotated[Many, typer.Option("--account", help="An account, as the journal has it: rpps:…; repeat.")],
    start: Annotated[str, typer.Option("--from", help="From this instant on (ISO 8601; UTC without offset).")],
    end: Annotated[str, typer.Option("--to", help="Until before this instant.")],
    by: ByMe,
    how_found: Annotated[
        str, typer.Option("--how", help="How it was found, in a sentence; CNIL's form asks.")
    ] = UNSAID,
    found: Annotated[str, typer.Option(help="When it was found, which starts the clocks; now by default.")] = "",
    insurers: Annotated[Many, typer.Option("--insurer", help="Only members of this insurer; repeat.")] = [],  # noqa: B006
    sessions: Annotated[Many, typer.Option("--session", help="Only this login; repeat.")] = [],  # noqa: B006
    networks: Annotated[Many, typer.Option("--network", help="Only from this address or its network; repeat.")] = [],  # noqa: B006
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Open an incident about stolen accounts. One that is open and asks the same is that one. Example:

    ecluse incident open --account rpps:10000000001 --from 2026-11-02 --to 2026-11-21 --by 'Anne Martin, DPO' --how 'Alerte'
    """
    with opened(directory) as hub:
        question = question_typed(hub, accounts, start, end, insurers=insurers, sessions=sessions, networks=networks)
        name, incident = hub.run(open_incident(hub, by, question, instant(found, hub.now_ts_us), how_found))
        never_met = _strangers(hub, incident)
    _say(name, incident, never_met, json=json)


@app.command("list")
def list_(directory: Dir = HERE, json: Json = False) -> None:
    """List every incident and where it stands. That it was read is in the journal first."""
    with opened(directory) as hub:
        found = [summary(name, each) for name, each in hub.run(read_all(hub)).items()]
    if json:
        print_json(found)
        return
    OUT.print(incident_tables.incidents(found))


@app.command("show")
def show(
    incident: Named,
    until: Annotated[
        int, typer.Option("--version", min=0, help="As it was after this event: what was known and said then.")
    ] = 0,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Show facts, scope, decisions and what happened; now, or as they were after an earlier event."""
    with opened(directory) as hub:
        happened = hub.run(read_incident(hub, incident, f"show {until}" if until else "show"))
        told = viewed(incident, happened[: until or None], paris_day(hub.clock.now()))
    print_json(told) if json else OUT.print(*incident_tables.incident(told), sep="\n")


@facts.command("add")
def fact_add(
    incident: Named,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="As in docs/breach.md: cause, recipient, measures_taken…")
    ],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="JSON, or a word as it is; null takes the fact back.")],
    by: ByMe,
    insurer: Annotated[str, typer.Option("--insurer", help="Of this insurer alone.")] = "",
    known: Annotated[str, typer.Option(help="When it became known; now by default.")] = "",
    source: Annotated[str, typer.Option(help="Who says so, or where it stands.")] = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Add a fact that became known; the last one stands, earlier ones stay in the journal. Example:

    ecluse incident fact add inc_… cause external_malicious --by 'Anne Martin, DPO' --source 'plainte du 3 décembre'
    """
    with opened(directory) as hub:
        adding = add_fact(
            hub, incident, by, name, _value(value), insurer=insurer, known_us=instant(known, 0), source=source
        )
        after = hub.run(adding)
        never_met = _strangers(hub, after) if name == "accounts" else ()
    _say(incident, after, never_met, json=json)


@app.command("scope")
def scope_(
    incident: Named,
    by: ByMe,
    again: Annotated[
        bool, typer.Option("--again", help="Ask the exposure anew, though it was asked the same.")
    ] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Measure in the journal who was shown what (`ecluse exposure`), and keep its counts with the incident."""
    with opened(directory) as hub, asking(quiet=json) as told:
        after = hub.run(scope(hub, incident, by, told, again=again))
        never_met = _strangers(hub, after)
    _say(incident, after, never_met, json=json)
    if not json and (measured := scope_told(after)):
        OUT.print(*incident_tables.scope(measured), sep="\n")


@app.command("clock")
def clock(
    incident: Named,
    ics: Annotated[
        Path | None, typer.Option("--ics", metavar="FILE", help="Also write the open ones as an iCalendar file.")
    ] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """List every deadline of the hub and of each insurer that was told, the most urgent first."""
    with opened(directory) as hub:
        found = clocks(fold(hub.run(read_incident(hub, incident, "clock"))), hub.clock.now())
        told, now = clocks_told(found, hub.clock.now()), hub.clock.now()
    if ics is not None:
        try:
            ics.write_bytes(calendar([each.running for each in found], now, [each["party"] for each in told["clocks"]]))
        except OSError as broken:
            raise NOT_WRITTEN(str(broken.strerror)) from None
    if json:
        print_json(told)
        return
    OUT.print(*breach_tables.clocks(told["clocks"]), sep="\n")


@app.command("decide")
def decide_(
    incident: Named,
    by: By,
    insurers: Annotated[
        Many, typer.Option("--insurer", help="Only this insurer's (or `hub`); repeat. All of them by default.")
    ] = [],  # noqa: B006
    authority: Annotated[YesNo | None, typer.Option(help="Decide otherwise than the rules: the authority.")] = None,
    persons: Annotated[YesNo | None, typer.Option(help="Decide otherwise, or what is open: the persons.")] = None,
    motive: Annotated[str, typer.Option(help="Why it is decided otherwise.")] = "",
    on_scope: Annotated[
        int,
        typer.Option(
            "--on-scope", metavar="N", min=0, help="In a hurry: on the scope of event N, though it is outdated."
        ),
    ] = 0,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Sign who is told: for the hub and for each insurer, by the rules over what is known; a "no" is kept too, with why."""
    who = [HUB if each == "hub" else each for each in insurers] or None
    with opened(directory) as hub:
        deciding = decide(
            hub,
            incident,
            by,
            insurers=who,
            authority=SAID[authority],
            persons=SAID[persons],
            motive=motive,
            on_scope=on_scope,
        )
        after, _ = hub.run(deciding)
        told = viewed(incident, hub.run(read_incident(hub, incident, "decisions")), paris_day(hub.clock.now()))
    if json:
        print_json({**summary(incident, after), "decisions": told["decisions"]})
    else:
        OUT.print(*incident_tables.decisions(told), sep="\n")


@app.command("notified")
def notified(
    incident: Named,
    deadline: Annotated[
        str, typer.Argument(metavar="DEADLINE", help="As `ecluse incident clock` names it: gdpr_authority…")
    ],
    by: By,
    insurers: Annotated[
        Many, typer.Option("--insurer", help="Whose it is, or who was told; repeat. The hub's own by default.")
    ] = [],  # noqa: B006
    at: Annotated[str, typer.Option("--at", help="When it was sent; now by default.")] = "",
    reference: Annotated[str, typer.Option(help="The receipt's number.")] = "",
    reasons: Annotated[
        str, typer.Option("--reasons", "--reason", help="Why it is late; needed where it is, and the text asks.")
    ] = "",
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Say that something was sent: the hub sends nothing itself. `gdpr_controllers --insurer N`: this insurer was told."""
    with opened(directory) as hub:
        at_us = instant(at, hub.now_ts_us)
        for each in insurers or [HUB]:
            telling = notify(hub, incident, by, deadline, at_us, insurer=each, reference=reference, reasons=reasons)
            after = hub.run(telling)
    _say(incident, after, json=json)


@app.command("close")
def close_(incident: Named, by: By, reason: Reason, directory: Dir = HERE, json: Json = False) -> None:
    """Close an incident that is decided; it can be opened again."""
    with opened(directory) as hub:
        after = hub.run(close(hub, incident, by, reason))
    _say(incident, after, json=json)


@app.command("reopen")
def reopen_(incident: Named, by: By, reason: Reason, directory: Dir = HERE, json: Json = False) -> None:
    """Open a closed incident again: it is scoped and decided anew."""
    with opened(directory) as hub:
        after = hub.run(reopen(hub, incident, by, reason))
    _say(incident, after, json=json)


def _value(text: str) -> Any:
    """JSON where it is, else the word itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _strangers(hub: OpenHub, incident: Incident) -> tuple[str, ...]:
    return strangers(hub, question_of(incident).accounts)


def _say(name: str, incident: Incident, never_met: tuple[str, ...] = (), *, json: bool) -> None:
    warn_of_strangers(never_met)
    told = summary(name, incident) | ({"never_met": never_met} if never_met else {})
    print_json(told) if json else typer.echo(f"{name}: {incident.state}, version {incident.version}")


for _name, _command in incident_packs.COMMANDS.items():
    app.command(_name)(_command)
