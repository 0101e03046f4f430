"""`ecluse gate reopen-plan` and `reopen`: what is limited is let back in by waves, so that nobody's logins bring the hub down."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ecluse.app.hub import Hub
from ecluse.app.naming import standing
from ecluse.app.ports.containments import Name
from ecluse.app.reopening import LeftOut, limits_now, open_wave
from ecluse.doors.cli.explain import FILE_UNWRITABLE
from ecluse.doors.cli.gate import Operator, Reason
from ecluse.doors.cli.given import read_whole
from ecluse.doors.cli.screen import HERE, Dir, Json, instant, print_json
from ecluse.gate.containment import Kind
from ecluse.gate.reopening import ORDER, Limit, Plan, Wave, planned, rank
from ecluse.kernel.days import PARIS
from ecluse.kernel.days import instant as at
from ecluse.kernel.errors import refusal
from ecluse.wiring import open_hub

PLAN, WAVES, TABLE = "plan.json", "vagues.csv", "vagues.txt"
COLUMNS = ("wave", "starts_at", "hours", "kind", "name", "care", "logins", "logins_known", "rule")
PLAN_BYTES_MAX = 64 << 20
LOADS_BYTES_MAX = 16 << 20

REOPENING_FILE = refusal(
    "reopening_file_invalid",
    400,
    "This is not a plan, or not a list of loads",
    fix="Give the plan.json that `ecluse gate reopen-plan` wrote; loads are CSV with name and logins, from 1 on.",
)


def reopen_plan(
    per_hour: Annotated[int, typer.Option("--per-hour", min=1, help="Logins or resets an hour that all of it bears.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where plan.json, vagues.csv and vagues.txt go; a new folder.")
    ],
    wave_h: Annotated[int, typer.Option("--wave-h", min=1, max=168, help="Hours from one wave to the next.")] = 1,
    since: Annotated[
        str, typer.Option("--from", help="When the first begins (ISO 8601; UTC without offset); now.")
    ] = "",
    loads: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Logins expected of each: name (insurer:NUMBER…), logins.")
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", metavar="NAME", help="Not this one; repeat.")
    ] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Plan how what is limited is let back in: who first, in which hour, no more logins than an hour bears. It changes nothing.

    Example:

      ecluse gate reopen-plan --per-hour 2000 --from 2026-12-01T08:00+01:00 --out reouverture/
    """
    with open_hub(directory) as hub:
        without = {standing(hub, each) for each in leave_out or ()}
        limits, left = limits_now(hub, _loads(hub, loads) if loads else {}, without, per_hour * wave_h)
        plan = planned(limits, per_hour, wave_h, instant(since, hub.now_ts_us), hub.now_ts_us)
    table = table_fr(plan, left)
    _write(out, plan, table)
    if json:
        print_json({"waves": [_told(each) for each in plan.waves], "limits": len(limits), "left_out": left})
    else:
        typer.echo(table, nl=False)


def reopen(
    wave: Annotated[int, typer.Argument(metavar="WAVE", help="Its number in the plan.")],
    plan: Annotated[Path, typer.Option(metavar="FILE", help="plan.json of `ecluse gate reopen-plan`.")],
    operator: Operator,
    reason: Reason,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Open a wave: one operator asks, another confirms within 72 hours, once it has begun. The same again goes on.

    Exit code 2 when something was limited anew since the plan was made: it stays shut, and a new plan has it.

    Example:

      ecluse gate reopen 1 --plan reouverture/plan.json --operator a.martin --reason 'comptes vérifiés'
    """
    read = _plan(plan)
    with open_hub(directory) as hub:
        found = hub.run(open_wave(hub, read, wave, operator, reason))
    if json:
        print_json(found)
    else:
        typer.echo(
            f"wave {wave}: {found.opened} opened, {found.asked} asked for: another operator confirms; "
            f"{found.waiting} wait for another operator, {found.open} were open, {len(found.changed)} changed since"
        )
        for each in found.changed:
            typer.echo(f"limited anew since the plan: {each}", err=True)
    raise typer.Exit(2 if found.changed else 0)


def table_fr(plan: Plan, left: list[LeftOut]) -> str:
    """The plan as people read it: the waves, the rule, what is left out."""
    lines = [f"Réouverture par vagues : au plus {plan.logins_per_h} connexions par heure.", ""]
    lines += [f"{'vague':>5}  {'début (Paris)':<16}  {'durée':>5}  {'connexions':>10}  qui"]
    for each in plan.waves:
        starts = f"{at(each.starts_us).astimezone(PARIS):%d/%m/%Y %H:%M}"
        lines.append(f"{each.number:>5}  {starts}  {each.hours:>3} h  {each.logins:>10}  {_who(each)}")
    lines += ["" if plan.waves else "Rien n'est à rouvrir.", "Ordre : puis le plus longtemps fermé d'abord.", ""]
    lines += [f"{number:>5}  {row.who_fr} : {row.why_fr}" for number, row in enumerate(ORDER, 1)]
    if unknown := [each for wave in plan.waves for each in wave.limits if not each.is_known]:
        lines += ["", "Connexions attendues inconnues, une vague entière leur est laissée (--loads les dit) :"]
        lines += [f"       {_name(each)}" for each in unknown]
    if left:
        why = {"lost_device": "un appareil est perdu : ecluse gate reset", "named": "à la demande"}
        lines += ["", "Laissés fermés :", *[f"       {each.name} : {why[each.why]}" for each in left]]
    return "\n".join(lines) + "\n"


def _who(wave: Wave) -> str:
    counts = Counter(ORDER[rank(each)].who_fr for each in wave.limits)
    return ", ".join(f"{who} {count}" for who, count in counts.items())


def _name(limit: Limit) -> str:
    return limit.name if limit.kind is Kind.ACCOUNT else f"{limit.kind}:{limit.name}"


def _told(wave: Wave) -> dict[str, object]:
    starts = at(wave.starts_us).astimezone(UTC).isoformat()
    told = {"wave": wave.number, "starts_at": starts, "hours": wave.hours, "logins": wave.logins}
    return {**told, "limits": [_name(each) for each in wave.limits]}


def _write(out: Path, plan: Plan, table: str) -> None:
    rows = io.StringIO(newline="")
    written = csv.writer(rows)
    written.writerow(COLUMNS)
    for wave in plan.waves:
        starts = at(wave.starts_us).astimezone(UTC).isoformat()
        for each in wave.limits:
            known = "yes" if each.is_known else "no"
            said = (each.kind, each.name, each.care, each.logins, known, rank(each) + 1)
            written.writerow((wave.number, starts, wave.hours, *said))
    try:
        out.mkdir(mode=0o700, parents=True)
        (out / PLAN).write_bytes(msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n")
        (out / WAVES).write_text(rows.getvalue(), encoding="utf-8", newline="")
        (out / TABLE).write_text(table, encoding="utf-8")
    except OSError as broken:
        raise FILE_UNWRITABLE(f"{out}: {broken.strerror}") from None


def _plan(file: Path) -> Plan:
    try:
        return msgspec.json.decode(read_whole(file, PLAN_BYTES_MAX, REOPENING_FILE), type=Plan)
    except msgspec.MsgspecError:
        raise REOPENING_FILE(f"{file} is no plan") from None


def _loads(hub: Hub, file: Path) -> dict[Name, int]:
    """Logins by name, as stated."""
    found: dict[Name, int] = {}
    try:
        lines = io.StringIO(read_whole(file, LOADS_BYTES_MAX, REOPENING_FILE).decode("utf-8-sig"))
        for row in csv.DictReader(lines):
            found[standing(hub, row["name"])] = int(row["logins"])
    except (UnicodeDecodeError, KeyError, TypeError, ValueError):
        raise REOPENING_FILE(f"{file}, after row {len(found)}") from None
    if any(each < 1 for each in found.values()):
        raise REOPENING_FILE(f"{file} has a load below 1")
    return found
