"""Guarantee tables of the simulated insurers, in the notation of the public contract.

Plausible levels for responsible contracts (docs/simulator.md); no row is an insurer's real table.  # assumed
A row is (domains, acts or None, guarantee, label). The first row that fits the domain and the act is the one that pays.
"""

from __future__ import annotations

from dataclasses import dataclass

MEDICAL = ("MED", "PHAR", "LABO", "OPTI", "DENT", "AUDI", "RADI", "AUXM", "HOSP", "TRAN")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a guarantee table; no acts means every act of its domains."""

    domains: tuple[str, ...]
    acts: tuple[str, ...]
    guarantee: str
    label: str


@dataclass(frozen=True, slots=True)
class Product:
    """A guarantee table: what one product of an insurer pays."""

    code: str
    label: str
    responsible: bool
    rows: tuple[Row, ...]


def row(domains: str, guarantee: str, label: str, acts: str = "") -> Row:
    """A row written shortly: domains and acts separated by spaces."""
    return Row(tuple(domains.split()), tuple(acts.split()), guarantee, label)


ESSENTIAL = (
    row("MED PHAR LABO RADI AUXM TRAN", "NONE", "Médecines douces : non garanties", "OST"),
    row("MED PHAR LABO RADI AUXM TRAN", "TM:100", "Soins courants : ticket modérateur"),
    row("DENT", "BR_INCL:125", "Couronnes : 125 % de la base, Sécurité sociale comprise", "PFC"),
    row("DENT", "TM:100", "Soins dentaires : ticket modérateur"),
    row("OPTI", "EUR:30", "Monture : 30 €", "MON"),
    row("OPTI", "EUR:70", "Verres : 70 €"),
    row("AUDI", "BASKET:100S", "Aide auditive 100 % Santé", "AUD1"),
    row("AUDI HOSP", "BR_INCL:100", "100 % de la base, Sécurité sociale comprise"),
)
COMFORT = (
    row("MED", "TM:100", "Généralistes : ticket modérateur", "G APC TC"),
    row("MED", "BR_INCL:150", "Spécialistes : 150 % de la base, Sécurité sociale comprise"),
    row("AUXM", "EUR_ACT:30/5Y", "Ostéopathie : 30 € par séance, 5 séances par an", "OST"),
    row("PHAR LABO AUXM TRAN", "TM:100", "Pharmacie, analyses, auxiliaires : ticket modérateur"),
    row("RADI", "BR_INCL:125", "Imagerie : 125 % de la base, Sécurité sociale comprise"),
    row(
        "DENT",
        "TM:100+BR_EXCL:200[EUR:400/Y]",
        "Couronnes : ticket modérateur et 200 % de la base, 400 € par an",
        "PFC",
    ),
    row("DENT", "TM:100", "Soins dentaires : ticket modérateur"),
    row("OPTI", "EUR:100", "Monture : 100 €", "MON"),
    row("OPTI", "TM:100+EUR:120", "Verres : ticket modérateur et 120 €"),
    row("AUDI", "BASKET:100S", "Aide auditive 100 % Santé", "AUD1"),
    row("AUDI", "TM:100+EUR:450", "Aide auditive : ticket modérateur et 450 € par oreille"),
    row("HOSP", "BR_INCL:150", "Hôpital : 150 % de la base, Sécurité sociale comprise"),
)
SERENITY = (
    row("MED", "BR_INCL:200", "Consultations : 200 % de la base, Sécurité sociale comprise"),
    row("AUXM", "EUR_YEAR:250", "Ostéopathie : 250 € par an", "OST"),
    row("AUXM", "FR:100", "Psychologue : frais réels", "PSY"),
    row("PHAR", "TM:100", "Pharmacie : ticket modérateur"),
    row("LABO", "FR:100", "Analyses : frais réels"),
    row("RADI AUXM TRAN", "BR_EXCL:100", "100 % de la base en plus de la Sécurité sociale"),
    row("DENT", "BR_INCL:400+EUR:200", "Couronnes : 400 % de la base et 200 €", "PFC"),
    row("DENT", "BR_INCL:200", "Soins dentaires : 200 % de la base, Sécurité sociale comprise"),
    row("OPTI", "EUR:100", "Monture : 100 €", "MON"),
    row("OPTI", "EUR:320", "Verres : 320 €"),
    row("AUDI", "BASKET:100S", "Aide auditive 100 % Santé", "AUD1"),
    row("AUDI", "TM:100+REST:85[EUR:1900/Y]<=EUR_INCL:1700", "Aide auditive : 85 % du reste, 1 700 € par oreille"),
    row("HOSP", "FR:100", "Hôpital : frais réels"),
)
SUPPLEMENT = (  # a second contract: it pays after the first, and only where excesses are common
    row("MED RADI", "BR_EXCL:50", "Surcomplémentaire : 50 % de la base en plus"),
    row("DENT", "BR_EXCL:150", "Surcomplémentaire : 150 % de la base en plus"),
    row("OPTI AUDI", "EUR:150", "Surcomplémentaire : 150 €"),
)

LEVELS = (
    ("ESSENTIEL", "Essentiel", ESSENTIAL),
    ("CONFORT", "Confort", COMFORT),
    ("SERENITE", "Sérénité", SERENITY),
)
SUPPLEMENT_CODE = "RENFORT"


def products_of(number: int) -> tuple[Product, ...]:
    """The products of the `number`-th insurer: two or three levels under its own codes, and a supplement."""
    levels = LEVELS if number % 3 else LEVELS[:2]
    main = tuple(Product(f"{code}-{number:02d}", label, True, rows) for code, label, rows in levels)
    return (*main, Product(f"{SUPPLEMENT_CODE}-{number:02d}", "Renfort", False, SUPPLEMENT))
