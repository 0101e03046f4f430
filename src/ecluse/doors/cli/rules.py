"""`ecluse rules`: the law the program applies, with its days and its texts, and what a person should read again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Any

import typer
from rich.table import Table

from ecluse.doors.cli.screen import OUT, Json, print_json
from ecluse.doors.cli.step_chart import step_chart
from ecluse.kernel.days import paris_day, parse_day
from ecluse.kernel.money import as_euros
from ecluse.rules.book import RULE_UNKNOWN, Rule, open_book
from ecluse.rules.parameter import Dated, Parameter

app = typer.Typer(help="The law applied: dated values and their references.", no_args_is_help=True)

STALE_DAYS = 365  # law changes each winter with the financing act: what was not read again since then may be wrong

On = Annotated[str, typer.Option("--on", metavar="DAY", help="The day of care, YYYY-MM-DD; today by default.")]


@app.command("list")
def list_rules(on: On = "", json: Json = False) -> None:
    """Print every rule and its value on a day ("—": not in force)."""
    book, day = open_book(), _day(on)
    rules = [(each, book.find(day, each.name)) for each in book.parameters.values()]
    if json:
        print_json({"version": book.version, "on": day, "rules": [_listed(each, rule) for each, rule in rules]})
        return
    table = Table("rule", "value", "unit", "since", caption=f"book {book.version[:12]}, on {day}")
    for each, rule in rules:
        table.add_row(
            each.name, _said(rule.value if rule else None, each.unit), each.unit, str(rule.since if rule else "")
        )
    OUT.print(table)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `ecluse rules list`.")],
    on: On = "",
    json: Json = False,
) -> None:
    """Print one rule with its history, as a table and as a chart; with --on, the value of that day, refused if there is none."""
    book = open_book()
    if on:
        _show_rule(book.on(parse_day(on), name), json)
        return
    if name not in book.parameters:
        raise RULE_UNKNOWN(f"{name[:80]!r} is not in the book")
    _show_parameter(book.parameters[name], json)


@app.command("stale")
def stale(on: On = "", json: Json = False) -> None:
    """Print the rules that nobody has checked against their texts for a year, the oldest first."""
    day = _day(on)
    old = open_book().stale(day - timedelta(days=STALE_DAYS))
    if json:
        print_json([{"name": each.name, "checked_on": each.checked_on} for each in old])
        return
    for each in old:
        typer.echo(f"{each.name}: checked on {each.checked_on}, {(day - each.checked_on).days} days before")
    typer.echo(f"{len(old)} rules to read again." if old else "Every rule was checked within a year.")


def _show_rule(rule: Rule, json: bool) -> None:
    if json:
        print_json(_rule(rule))
    else:
        typer.echo(f"{rule.name} ({rule.unit}) = {_said(rule.value, rule.unit)}, since {rule.since}: {rule.reference}")


def _show_parameter(each: Parameter, json: bool) -> None:
    if json:
        values = [_dated(dated) for dated in each.values]
        head = {"name": each.name, "description": each.description, "unit": each.unit, "checked_on": each.checked_on}
        print_json(head | {"values": values})
        return
    OUT.print(f"[bold]{each.name}[/] ({each.unit}), checked on {each.checked_on}\n{each.description}", highlight=False)
    table = Table("since", "value", "reference")
    for dated in each.values:
        table.add_row(str(dated.since), _said(dated.value, each.unit), dated.reference)
    OUT.print(table)
    for line in _chart(each):
        typer.echo(line)


def _chart(each: Parameter) -> list[str]:
    """The history of a rule whose values are numbers, until today; the name of a method has no height."""
    steps = [(dated.since, dated.value) for dated in each.values if not isinstance(dated.value, str)]
    return step_chart(steps, max(_today(), steps[-1][0]), lambda value: _said(value, each.unit)) if steps else []


def _day(on: str) -> date:
    return parse_day(on) if on else _today()


def _today() -> date:
    return paris_day(datetime.now(UTC))


def _listed(each: Parameter, rule: Rule | None) -> dict[str, Any]:
    return _rule(rule) if rule else {"name": each.name, "unit": each.unit, "value": None}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "value": _plain(rule.value),
        "unit": rule.unit,
        "since": rule.since,
        "reference": rule.reference,
    }


def _dated(dated: Dated) -> dict[str, Any]:
    return {"since": dated.since, "value": _plain(dated.value), "reference": dated.reference}


def _plain(value: int | Fraction | str | None) -> int | str | None:
    return str(value) if isinstance(value, Fraction) else value


def _said(value: int | Fraction | str | None, unit: str) -> str:
    """For people: euros for cents, percentages for rates."""
    if value is None:
        return "—"
    if isinstance(value, Fraction):
        percent = value * 100
        return f"{percent}%" if percent.denominator == 1 else str(value)
    return as_euros(value) + " €" if unit == "cents" and isinstance(value, int) else str(value)
