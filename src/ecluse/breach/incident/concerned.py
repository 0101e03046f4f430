"""Professionals whose own data an incident exposed, one row each: where, whose account, which of their data. Pure.

What an incident states of them is in its own words ("RIB", "SIRET"); here it is also in the words of letters (docs/breach.md,
"Letters"), so that `ecluse letters professionals` can be made from it once addresses are beside it.
"""

from __future__ import annotations

import unicodedata

from ecluse.breach.incident.events import Scoped
from ecluse.breach.incident.follows import professionals
from ecluse.breach.incident.state import Incident
from ecluse.breach.incident.view import at
from ecluse.breach.letter import rules
from ecluse.formats.professional_list import ProfessionalRow

# As people write it, without accents or case → the words of letters. What is not here, nor one of those words, is `other`.
STATED: dict[str, tuple[str, ...]] = {
    "rib": ("bank",),
    "iban": ("bank",),
    "coordonnees bancaires": ("bank",),
    "finess": ("siret",),
    "contact": ("email", "phone", "address"),
    "coordonnees": ("email", "phone", "address"),
    "courriel": ("email",),
    "e-mail": ("email",),
    "telephone": ("phone",),
    "adresse": ("address",),
    "nom": ("identity",),
    "identite": ("identity",),
    "identifiant": ("login",),
    "mot de passe": ("password",),
}


def concerned(incident: Incident, scoped: Scoped) -> list[ProfessionalRow]:
    """A row a professional, in the order of their places and accounts; stated twice, their fields are together."""
    stated: dict[tuple[str, str], dict[str, None]] = {}
    for each in professionals(incident):
        stated.setdefault((each.practice, each.account), {}).update(dict.fromkeys(each.fields))
    since, until = at(scoped.question.start_ts_us), at(scoped.question.end_ts_us)
    return [
        row_of(practice, account, tuple(fields), since, until) for (practice, account), fields in sorted(stated.items())
    ]


def row_of(practice: str, account: str, fields: tuple[str, ...], since: str, until: str) -> ProfessionalRow:
    """One professional; `fields` as they were stated, the window as RFC 3339."""
    words = {each: _words(each) for each in fields}
    known = dict.fromkeys(name for names in words.values() for name in names)
    other = tuple(each for each, names in words.items() if not names)
    rib, siret, contact = (bool(names & known.keys()) for names in ({"bank"}, {"siret"}, {"email", "phone", "address"}))
    return ProfessionalRow(practice, account, rib, siret, contact, tuple(known), other, fields, since, until)


def _words(stated: str) -> tuple[str, ...]:
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", stated.casefold()) if not unicodedata.combining(each)
    )
    plain = " ".join(plain.split())
    return (plain,) if plain in rules().fields else STATED.get(plain, ())
