"""CNIL's form as PDF, by Typst: tagged for screen readers (PDF/UA-1), in its order and words, what is left to a person marked.

The same form gives the same bytes. A sign that the fonts do not have is replaced, and that is said: a pack waits for nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import typst

from ecluse.breach.incident.cnil import Filled, Form
from ecluse.breach.incident.lines import lines

TITLE = "Notification d’une violation de données personnelles à la CNIL"
UNSURE = " (libellé à vérifier)"
REPLACED = "Un signe que la police n’a pas est remplacé par « ? » : le texte exact est dans notification-cnil.json."
KEPT = 0x24F  # Latin with all its accents; of the rest, what French sets beside words
BESIDE = frozenset("‘’“”«»–—…€œŒ•\N{NARROW NO-BREAK SPACE}\N{NO-BREAK SPACE}")
LONG_CHARS = 1_500  # a field of fewer stays on one page

_TEMPLATE = Path(__file__).with_name("form.typ")


class Forms:
    """A press for forms: the template is read once, and each form is one compilation."""

    def __init__(self) -> None:
        self._compiler = typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), ignore_system_fonts=True)

    def pdf(self, form: Form, on: date) -> bytes:
        """One form, of the day its version was measured."""
        told = _told(form)
        try:
            return self._set(told, on)
        except typst.TypstError:  # a sign that no font has; its message would have the text
            return self._set(_plain({**told, "about": [*told["about"], REPLACED]}), on)

    def _set(self, told: dict[str, Any], on: date) -> bytes:
        made = datetime(on.year, on.month, on.day, tzinfo=UTC)
        content = msgspec.json.encode(told).decode()
        pdf = self._compiler.compile(sys_inputs={"form": content}, format="pdf", pdf_standards="ua-1", timestamp=made)
        assert isinstance(pdf, bytes), "one document"
        return pdf


def _told(form: Form) -> dict[str, Any]:
    return {
        "title": TITLE,
        "author": form.insurer,
        "footer": f"{form.insurer}, incident {form.incident}, version {form.version}",
        "about": [
            f"Organisme {form.insurer}. Incident {form.incident}, version {form.version}. Dans l’ordre du formulaire en ligne ; "
            f"les champs marqués{UNSURE} sont à comparer avec lui.",
        ],
        "to_fill": str(len(form.to_fill)),
        "to_confirm": str(len(form.to_confirm)),
        "sections": [
            {"title": f"{number}. {each.title}", "fields": [_field(one) for one in each.fields]}
            for number, each in enumerate(form.sections, 1)
        ],
    }


def _field(field: Filled) -> dict[str, Any]:
    said = lines(field)
    return {
        "label": field.label + (UNSURE if field.wording_unsure else ""),
        "status": field.status,
        "lines": said,
        "is_long": sum(map(len, said)) > LONG_CHARS,
        "choices": field.choices if field.status == "to_fill" else (),
    }


def _plain(value: Any) -> Any:
    """The same with "?" for what is beyond Latin letters."""
    if isinstance(value, str):
        return "".join(sign if _is_kept(sign) else "?" for sign in value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _is_kept(sign: str) -> bool:
    return sign in BESIDE or sign == "\n" or (sign.isprintable() and ord(sign) <= KEPT)
