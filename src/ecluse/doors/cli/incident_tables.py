"""Incidents for somebody at a terminal: a list, and one with its facts, scope, decisions and history, in French."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ecluse.doors.cli.breach_tables import YES, listed, paris_words, said

STATES = {
    "opened": "ouvert",
    "scoped": "mesuré",
    "classified": "décidé",
    "notified": "notifié",
    "closed": "clos",
    "reopened": "rouvert",
}
SIGNED = {"controllers": "assureurs", "register": "registre", "authority": "CNIL", "persons": "personnes"}
ACCOUNTS_SHOWN = 3
DIGIT_GROUP = "\N{NARROW NO-BREAK SPACE}"


def incidents(found: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Every incident, a line each."""
    table = Table("incident", "état", "version", "du", "au", "comptes", box=None)
    for each in found:
        window = (paris_words(each["from"]), paris_words(each["to"]))
        accounts = _few(each["accounts"])
        cells = (each["incident"], STATES[each["state"]], str(each["version"]), *window, accounts)
        table.add_row(*map(Text, cells))
    return table if table.row_count else Text("Aucun incident.")


def incident(told: Mapping[str, Any]) -> Iterator[RenderableType]:
    """One incident, as it was shown to be."""
    window = f"du {paris_words(told['from'])} au {paris_words(told['to'])}"
    yield Text(f"{told['incident']} : {STATES[told['state']]}, version {told['version']}", style="bold")
    yield Text(f"  {window}, comptes {_few(told['accounts'])}")
    yield Text(f"  découvert le {paris_words(told['found_at'])} : {told['how_found']}")
    yield from listed("Faits", (_fact(each) for each in told["facts"]))
    if told["scope"]:
        yield from scope(told["scope"])
    yield from decisions(told)
    yield from listed("Assureurs à prévenir (RGPD art. 33(2))", told["untold"])
    yield from listed("Envois", (_sent(each) for each in told["notified"]))
    yield Text("\nChronologie", style="bold")
    history = Table(show_header=False, box=None)
    for each in told["timeline"]:
        history.add_row(*map(Text, (str(each["number"]), paris_words(each["at"]), each["what"], each["by"])))
    yield history


def decisions(told: Mapping[str, Any]) -> Iterator[RenderableType]:
    """What was signed for each party; who would be decided otherwise today."""
    if told["decisions"]:
        yield Text("\nDécisions", style="bold")
        table = Table("pour", *SIGNED.values(), "DORA majeur", "signée par", "motif", box=None)
        for each in told["decisions"]:
            signed, dora = each["signed"], each["dora"] or {}
            words = [YES[getattr(signed, name)] for name in SIGNED]
            major = YES[dora["major"]] if "major" in dora else ""
            on = f"sur la mesure {each['on_scope']}, dépassée" if each["on_scope"] else ""
            why = " ; ".join(filter(None, (signed.motive, on)))
            table.add_row(*map(Text, (each["party"], *words, major, each["by"], why)))
        yield table
    yield from listed("À décider, ou à décider de nouveau", told["outdated"])


def scope(scoped: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The counts of each insurer, and when they were measured."""
    yield Text(
        f"\nMesuré dans le journal le {paris_words(scoped['as_of'])} (événement {scoped['number']})", style="bold"
    )
    if scoped["outdated"]:
        yield Text("  DÉPASSÉ : la question a changé depuis ; ecluse incident scope", style="bold")
    table = Table("assureur", "référencés", "atteignables", "affichés", "fois", "non expliqués", box=None)
    for each in scoped["insurers"]:
        people = each["displayed"]
        least, most = people["at_least"], people["at_most"]
        shown = _number(least) if least == most else f"{_number(least)} à {_number(most)}"
        counts = (_number(each["referenced"]), _number(each["reachable"]), shown, _number(each["times"]))
        table.add_row(*map(Text, (each["insurer"], *counts, _number(each["categories"]["unexplained"]))))
    yield table


def _fact(each: Mapping[str, Any]) -> str:
    whose = f" ({each['insurer']})" if each["insurer"] else ""
    source = f", selon {each['source']}" if each["source"] else ""
    return f"{each['name']}{whose} : {said(each['value'])}, connu le {paris_words(each['known_at'])}{source}"


def _sent(each: Mapping[str, Any]) -> str:
    more = ", ".join(each[name] for name in ("reference", "reasons") if each[name])
    return f"{each['deadline']}, {each['party']} : {paris_words(each['at'])}" + (f" ({more})" if more else "")


def _number(count: int | None) -> str:
    return "inconnu" if count is None else f"{count:,}".replace(",", DIGIT_GROUP)


def _few(accounts: Iterable[str]) -> str:
    found = list(accounts)
    more = len(found) - ACCOUNTS_SHOWN
    return ", ".join(found[:ACCOUNTS_SHOWN]) + (f" et {more} autres" if more > 0 else "")
