"""Guarantee tables of the simulated insurers, in the notation of the public contract.

Plausible levels for contracts that are responsible, and pass `ecluse product check` (docs/simulator.md); no row is an
insurer's real table.  # assumed
The first row that speaks of the line, and whose waiting period is over, is the one that pays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MEDICAL = ("MED", "PHAR", "LABO", "OPTI", "DENT", "AUDI", "RADI", "AUXM", "HOSP", "TRAN")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a guarantee table; no acts means every act of its domains.

    `when` are facts that must be stated of the line; rows of one `count` share their accounts; `each_side` keeps those
    of left and right apart; `waiting_months` run from the first day of the member's unbroken rights.
    """

    domains: tuple[str, ...]
    acts: tuple[str, ...]
    guarantee: str
    label: str
    when: dict[str, Any] = field(default_factory=dict)
    count: str = ""
    each_side: bool = False
    waiting_months: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """A guarantee table: what one product of an insurer pays. Its `year` is the calendar's or that of the membership."""

    code: str
    label: str
    responsible: bool
    rows: tuple[Row, ...]
    year: str = "calendar"


def row(domains: str, guarantee: str, label: str, acts: str = "", **more: Any) -> Row:
    """A row written shortly: domains and acts separated by spaces."""
    return Row(tuple(domains.split()), tuple(acts.split()), guarantee, label, **more)


def glasses(letters: str, most_euros: int, frame_euros: int, waiting_months: int = 0) -> tuple[Row, ...]:
    """Frame and lenses of the equipments `letters`: together at most so much in two years, AMO included."""
    most = f"<=EUR_INCL:{most_euros}/24M"
    more: dict[str, Any] = {
        "when": {"equipment": letters.split()},
        "count": "lunettes",
        "waiting_months": waiting_months,
    }
    said = f"{most_euros} € tous les deux ans, équipements {letters}"
    return (
        row("OPTI", f"FR:100<=EUR_INCL:{frame_euros}{most}", f"Monture : {said}", "MON", **more),
        row("OPTI", f"FR:100{most}", f"Verres : {said}", "VER", **more),
    )


OPTAM, PARTNER = {"optam": True}, {"network": True}
STAY = row("HOSP", "FR:100", "Forfait journalier, sans limite de durée", "FJ")
NO_REST = row("OPTI DENT AUDI", "BASKET:100S", "100 % Santé", when={"basket": "100S"})
OTHER_OPTICS = row("OPTI", "TM:100", "Autres soins optiques : ticket modérateur")
EAR_NOT_SAID = row("AUDI", "TM:100", "Aide auditive, oreille non précisée : ticket modérateur")

ESSENTIAL = (
    row("MED PHAR LABO RADI AUXM TRAN", "NONE", "Médecines douces : non garanties", "OST"),
    row("MED PHAR LABO RADI AUXM TRAN", "TM:100", "Soins courants : ticket modérateur"),
    NO_REST,
    row("DENT", "BR_INCL:125", "Couronnes : 125 % de la base, Sécurité sociale comprise", "PFC"),
    row("DENT", "TM:100", "Soins dentaires : ticket modérateur"),
    OTHER_OPTICS,
    row("AUDI", "BR_INCL:100", "Aide auditive : 100 % de la base, Sécurité sociale comprise"),
    STAY,
    row("HOSP", "TM:100", "Hôpital : ticket modérateur"),
)
COMFORT = (
    row("MED", "TM:100", "Généralistes : ticket modérateur", "G APC TC"),
    row("MED", "BR_INCL:150", "Spécialistes, OPTAM : 150 % de la base, Sécurité sociale comprise", when=OPTAM),
    row("MED", "BR_INCL:130", "Spécialistes, hors OPTAM : 130 % de la base, Sécurité sociale comprise"),
    row("AUXM", "EUR_ACT:30/5Y", "Ostéopathie : 30 € par séance, 5 séances par an", "OST"),
    row("AUXM", "TM:100+EUR:5[EUR:60/Y]", "Auxiliaires : ticket modérateur, et 5 € par acte, 60 € par an"),
    row("PHAR LABO TRAN", "TM:100", "Pharmacie, analyses, transport : ticket modérateur"),
    row("RADI", "BR_INCL:130", "Imagerie, OPTAM : 130 % de la base, Sécurité sociale comprise", when=OPTAM),
    row("RADI", "BR_INCL:110", "Imagerie, hors OPTAM : 110 % de la base, Sécurité sociale comprise"),
    NO_REST,
    row("DENT", "BR_INCL:330", "Couronnes, réseau : 330 % de la base", "PFC", when=PARTNER, waiting_months=6),
    row("DENT", "BR_INCL:300", "Couronnes : 300 % de la base, Sécurité sociale comprise", "PFC", waiting_months=6),
    row("DENT", "TM:100", "Soins dentaires : ticket modérateur"),
    *glasses("a b c d e f", 200, 60, waiting_months=3),
    OTHER_OPTICS,
    row(
        "AUDI",
        "TM:100+EUR:450<=EUR_INCL:1700<=ACTS:1/48M",
        "Aide auditive : ticket modérateur et 450 € par oreille, tous les quatre ans",
        each_side=True,
    ),
    EAR_NOT_SAID,
    STAY,
    row("HOSP", "BR_INCL:170", "Hôpital, OPTAM : 170 % de la base, Sécurité sociale comprise", when=OPTAM),
    row("HOSP", "BR_INCL:150", "Hôpital, hors OPTAM : 150 % de la base, Sécurité sociale comprise"),
)
SERENITY = (
    row("MED RADI", "BR_INCL:220", "Médecins, OPTAM : 220 % de la base, Sécurité sociale comprise", when=OPTAM),
    row("MED RADI", "BR_INCL:200", "Médecins, hors OPTAM : 200 % de la base, Sécurité sociale comprise"),
    row("AUXM", "EUR_YEAR:250", "Ostéopathie : 250 € par an", "OST", waiting_months=3),
    row("AUXM", "FR:100", "Psychologue, jusqu'à 25 ans : frais réels", "PSY", when={"age_to": 25}),
    row("AUXM TRAN", "BR_EXCL:100", "100 % de la base en plus de la Sécurité sociale"),
    row("PHAR", "TM:100", "Pharmacie : ticket modérateur"),
    row("LABO", "FR:100", "Analyses : frais réels"),
    NO_REST,
    row("DENT", "TM:100+REST:85[EUR:1900/Y]", "Couronnes : 85 % du reste, 1 900 € par an", "PFC", waiting_months=6),
    row("DENT", "BR_INCL:200", "Soins dentaires : 200 % de la base, Sécurité sociale comprise"),
    *glasses("a", 420, 100),
    *glasses("b", 560, 100),
    *glasses("c", 700, 100),
    *glasses("d", 610, 100),
    *glasses("e", 750, 100),
    *glasses("f", 800, 100),
    OTHER_OPTICS,
    row(
        "AUDI",
        "TM:100+REST:85[EUR:1900/Y]<=EUR_INCL:1700<=ACTS:1/48M",
        "Aide auditive : 85 % du reste, 1 900 € par an et 1 700 € par oreille",
        each_side=True,
    ),
    EAR_NOT_SAID,
    STAY,
    row("HOSP", "FR:100", "Hôpital, OPTAM : frais réels", when=OPTAM),
    row("HOSP", "BR_INCL:200", "Hôpital, hors OPTAM : 200 % de la base, Sécurité sociale comprise"),
)
SUPPLEMENT = (  # a second contract: it pays after the first, and only where excesses are common
    row("MED RADI", "BR_EXCL:50", "Surcomplémentaire : 50 % de la base en plus"),
    row("DENT", "BR_EXCL:150", "Surcomplémentaire : 150 % de la base en plus"),
    row("OPTI AUDI", "EUR:150<=EUR:300/Y", "Surcomplémentaire : 150 € par article, 300 € par an"),
)

LEVELS = (
    ("ESSENTIEL", "Essentiel", ESSENTIAL, "calendar"),
    ("CONFORT", "Confort", COMFORT, "calendar"),
    ("SERENITE", "Sérénité", SERENITY, "membership"),
)
SUPPLEMENT_CODE = "RENFORT"


def products_of(number: int) -> tuple[Product, ...]:
    """The products of the `number`-th insurer: two or three levels under its own codes, and a supplement."""
    levels = LEVELS if number % 3 else LEVELS[:2]
    main = tuple(Product(f"{code}-{number:02d}", label, True, rows, year) for code, label, rows, year in levels)
    return (*main, Product(f"{SUPPLEMENT_CODE}-{number:02d}", "Renfort", False, SUPPLEMENT))
