"""The French words of an exposure: fields, categories, figures and days, as the page writes them."""

from __future__ import annotations

from datetime import date, datetime

from ecluse.exposure.categories import Category
from ecluse.exposure.gaps import Bounds
from ecluse.kernel.days import PARIS

THIN = "\u202f"

FIELDS = {
    "outcome": "droits ouverts : oui ou non",
    "third_party_payment": "tiers payant possible",
    "engagement": "numéro d’engagement",
    "covered_until": "date de fin de couverture",
    "convention_type": "type de convention",
    "csr": "code de routage (CSR)",
    "split": "montants : part AMO, part AMC, reste",
    "reason": "motif de la réponse",
    "guarantee": "garantie du contrat",
    "claim": "facture : état et montants",
    "approval": "accord préalable : état",
    "valid_until": "date de fin d’accord",
    "member": "numéro d’adhérent, date et rang de naissance",
    "domains": "domaines de soins couverts",
}
CATEGORIES = {
    Category.PRESENT: ("Patient présent", "À chaque affichage, une preuve que la personne était là."),
    Category.BILLED: (
        "Facturés ensuite",
        "Chaque affichage sans preuve a été suivi, en {days} jours au plus, d’une facture acceptée du même lieu.",
    ),
    Category.UNEXPLAINED: ("Sans explication", "Rien dans le journal n’explique au moins un des affichages."),
}
UNKNOWN_PLACE = "lieu inconnu"


def figure(number: int) -> str:
    """A whole number as French readers write it: 12 345."""
    return f"{number:,}".replace(",", THIN)


def between(people: Bounds) -> str:
    """A count, or its two bounds."""
    if people.at_least == people.at_most:
        return figure(people.at_least)
    return f"{figure(people.at_least)} à {figure(people.at_most)}"


def field_label(name: str) -> str:
    """A field as it is named in French; a field of a later version by its own name."""
    return FIELDS.get(name, name)


def moment(at: datetime) -> str:
    """An instant in Paris."""
    return f"{at.astimezone(PARIS):%d/%m/%Y à %H h %M}"


def short_day(iso: str) -> str:
    """A day without its year: 25/11."""
    return f"{date.fromisoformat(iso):%d/%m}"
