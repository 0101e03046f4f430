"""What `ecluse breach` answers, for somebody at a terminal: decisions, why, deadlines, in French. Programs read JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ecluse.kernel.days import PARIS

# Key of an answer → how a person reads it, in the order it is shown; others follow under their own name.
LABELS = {
    "register": "Inscrire au registre",
    "notify_each_controller": "Prévenir chaque responsable de traitement",
    "own_risk_assessment_needed_first": "Apprécier d’abord le risque",
    "notify_authority": "Notifier à la CNIL",
    "communicate_persons": "Informer les personnes",
    "controllers_inform_persons": "Les responsables informent les personnes",
    "likelihood": "Vraisemblance",
    "severity": "Gravité",
    "dpc": "ENISA, contexte des données (DPC)",
    "ei": "ENISA, facilité d’identification (EI)",
    "cb": "ENISA, circonstances (CB)",
    "se": "ENISA, score (SE = DPC × EI + CB)",
    "band": "ENISA, bande",
    "major": "Incident majeur (DORA)",
    "clients": "Clients",
    "initial_due": "Notification initiale, au plus tard",
    "initial_may_submit_by": "Envoi admis jusqu’au",
    "if_late": "En cas de retard",
}
ASIDE = frozenset({"why", "undecided", "reports", "rules_version", "terms", "flags"})
INSTANT = ("_due", "_submit_by")  # how the names of instants end
STATES = {"overdue": "DÉPASSÉ", "running": "court", "done": "fait", "late": "EN RETARD"}
YES = {True: "oui", False: "non", None: "non décidé"}
HOUR_MIN, DAY_MIN = 60, 24 * 60


def answered(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """An answer of `assess` or `dora`, decisions first, then the reasons and what is still to be known."""
    table = Table(show_header=False, box=None)
    names = [*(each for each in LABELS if each in answer), *(each for each in answer if each not in {*LABELS, *ASIDE})]
    for name in names:
        value = answer[name]
        words = f"{paris_words(value)} (Paris)" if name.endswith(INSTANT) and value else said(value)
        table.add_row(Text(LABELS.get(name, name)), Text(words))
    yield table
    yield from listed("Pourquoi", answer.get("why", ()))
    yield from listed("Reste à savoir (changerait la décision)", answer.get("undecided", ()))
    for each in answer.get("reports", ()):
        missing = [f"{one['code']} à remplir : {one['name']}" for one in each["missing"]]
        wrong = [f"{one['code']} à corriger : {one['problem']}" for one in each["wrong"]]
        whose = (each.get("entity") or {}).get("name", "")
        yield from listed(f"Rapport {whose}".strip(), [*wrong, *missing] or ["complet"])


def clocks(lines: Iterable[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Deadlines in the order given, the most urgent first; then what a late one owes."""
    found = list(lines)
    whose = ("qui",) if any("party" in each for each in found) else ()
    table = Table("échéance (Paris)", "reste", "état", *whose, "id", "quoi", "à qui", "texte", box=None)
    for each in found:
        left = left_words(each["remaining_min"]) if "remaining_min" in each else ""
        due = paris_words(each.get("may_submit_by", each["due"])["paris"])
        if each["at_once"]:  # no text fixes hours: what is proposed, or nothing
            due = "sans délai" if each["due"] == each["started"] else f"sans délai ; {due} proposé"
            left = left.replace("−", "depuis ")
        party = (each["party"],) if whose else ()
        cells = (due, left, STATES[each["state"]], *party, each["id"], each["what"], each["to"], each["source"])
        table.add_row(*map(Text, cells))
    yield table if found else Text("Aucune échéance ne court.")
    owed = [each for each in found if each.get("reasons_required") and not each.get("reasons")]
    yield from listed("En retard, à dire", (f"{each['id']} : {each['if_late']}" for each in owed))


def listed(title: str, words: Iterable[object]) -> Iterator[Text]:
    """A title and its lines; nothing where there is none."""
    found = [str(each) for each in words]
    if found:
        yield Text(f"\n{title}", style="bold")
        yield from (Text(f"  • {each}") for each in found)


def said(value: object) -> str:
    """A value as a person reads it."""
    if value is None or isinstance(value, bool):
        return YES[value]
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return msgspec.json.encode(value).decode()


def paris_words(rfc: str) -> str:
    """An instant as it is written in Paris, to the minute."""
    return f"{datetime.fromisoformat(rfc).astimezone(PARIS):%d/%m/%Y %H:%M}"


def left_words(left_min: int) -> str:
    """What is left, in days and hours, or in hours and minutes; with a minus where it is over."""
    minutes = abs(left_min)
    sign = "−" if left_min < 0 else ""
    if minutes >= DAY_MIN:
        return f"{sign}{minutes // DAY_MIN} j {minutes % DAY_MIN // HOUR_MIN:02} h"
    return f"{sign}{minutes // HOUR_MIN} h {minutes % HOUR_MIN:02}"
