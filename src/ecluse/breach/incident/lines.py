"""A field of CNIL's form as people read it: lines of French, whatever the value is. The JSON keeps the value itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ecluse.breach.incident.cnil import Filled
from ecluse.kernel.days import PARIS

INSTANTS = frozenset({"discovered", "began", "ended", "told_by_processor"})
WORDS = {"at": "Date", "persons": "Nombre de personnes", "means": "Moyens", "ground": "Motif de l’article 34(3)"}


def lines(field: Filled) -> list[str]:
    """What stands in a field; nothing in one that is empty or to be filled."""
    value = field.value
    if value is None:
        return []
    if isinstance(value, Mapping):  # `informed_details`: its state is the field before it
        return [
            f"{WORDS[name]} : {_said(name, each)}" for name, each in value.items() if name in WORDS and each is not None
        ]
    if field.id in INSTANTS:
        return [_instant(str(value))]
    return [_said(field.id, each) for each in ([value] if isinstance(value, (str, int)) else value)]


def _said(name: str, value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return _instant(str(value)) if name == "at" else str(value)


def _instant(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(PARIS):%d/%m/%Y à %H:%M} (heure de Paris)"
