"""Health professionals by profession and place: accounts (RPPS), practices (FINESS or SIRET), names and bank accounts.

The mix of professions follows the orders of magnitude of docs/simulator.md (113 000 doctors, 100 000 nurses, 73 000
physiotherapists); pharmacies, laboratories, opticians, hearing-aid makers and dentists: assumed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from sim import identifiers
from sim.communes import HERE, Place, by_weight
from sim.seeds import chance, stream, weighted


@dataclass(frozen=True, slots=True)
class Trade:
    """A profession: its code in tokens, label, share of professionals, domain, and whether its place has a FINESS.

    `optam`: per mille who keep to OPTAM, where the agreement exists (assumed; doctors of sector 1 count among them).
    """

    profession: str
    label: str
    share: int
    domain: str
    finess: bool
    enseigne: str
    optam: int | None = None


TRADES = (
    Trade("general_practitioner", "Médecin généraliste", 190, "MED", False, "Cabinet médical", 950),
    Trade("specialist", "Médecin spécialiste", 130, "MED", False, "Cabinet de spécialité", 700),
    Trade("pharmacy", "Pharmacie", 120, "PHAR", True, "Pharmacie"),
    Trade("laboratory", "Laboratoire", 30, "LABO", True, "Laboratoire"),
    Trade("dentist", "Chirurgien-dentiste", 110, "DENT", False, "Cabinet dentaire"),
    Trade("optician", "Opticien", 60, "OPTI", True, "Optique"),
    Trade("audio", "Audioprothésiste", 25, "AUDI", True, "Audition"),
    Trade("radiologist", "Radiologue", 30, "RADI", True, "Imagerie", 800),
    Trade("nurse", "Infirmier", 160, "AUXM", False, "Cabinet infirmier"),
    Trade("physiotherapist", "Kinésithérapeute", 120, "AUXM", False, "Cabinet de kinésithérapie"),
    Trade("osteopath", "Ostéopathe et psychologue", 25, "AUXM", False, "Cabinet"),
)
BY_SHARE = [(each, each.share) for each in TRADES]
STREETS = ("des Tilleuls", "de la Gare", "du Marché", "du Pont", "des Lilas", "du Mail", "de l'Écluse", "Saint-Clair")
NAME_LENGTH_MAX = 70  # of a name in a SEPA file
PARTNERS = 350  # per mille of dentists, opticians and hearing-aid makers in their insurers' networks; assumed
OF_NETWORKS = ("DENT", "OPTI", "AUDI")
SHARED = 180  # per mille who work at a place of the same trade already there; assumed
BICS = ("TESTFRP1", "TESTFRP1XXX", "ESSAFRPPXXX")
PEOPLE_PER_PROFESSIONAL = 85  # so that an account sees some tens of people a day; assumed
FEWEST = 2 * len(TRADES)


@dataclass(frozen=True, slots=True)
class Practice:
    """A place of practice, to which money is paid. `name` is its raison sociale."""

    number: str
    name: str
    iban: str
    bic: str
    commune: str


@dataclass(frozen=True, slots=True)
class Professional:
    """One account at one practice. `excess_per_mille`: how often this one charges more than the base.

    `optam` is None in trades that have no such agreement, `network` in those that have no networks.
    """

    account: str
    trade: Trade
    practice: Practice
    excess_per_mille: int
    optam: bool | None = None
    network: bool | None = None


def found_professionals(seed: int, people: int) -> tuple[Professional, ...]:
    """The professionals of the world of `seed`: two of each trade at least."""
    count = max(FEWEST, people // PEOPLE_PER_PROFESSIONAL)
    found: list[Professional] = []
    for number in range(count):
        draw = stream(seed, "professional", number)
        trade = (
            TRADES[number % len(TRADES)] if number < FEWEST else weighted(draw, [(each, each.share) for each in TRADES])
        )
        found.append(professional(draw, number, trade, found))
    return tuple(found)


def professional(draw: random.Random, number: int, trade: Trade, before: list[Professional]) -> Professional:
    """One professional: alone, or where a colleague of the same trade is already."""
    account = "rpps:" + identifiers.luhn(f"10{number:08d}")
    colleagues = [each for each in before if each.trade is trade]
    if colleagues and chance(draw, SHARED):
        practice = draw.choice(colleagues).practice
    else:
        practice = settle(draw, number, trade, weighted(draw, by_weight(HERE)))
    excess = weighted(draw, ((0, 60), (150, 25), (500, 15))) if trade.profession == "specialist" else 100
    optam = chance(draw, trade.optam) if trade.optam is not None else None
    network = chance(draw, PARTNERS) if trade.domain in OF_NETWORKS else None
    return Professional(account, trade, practice, excess, optam, network)


def settle(draw: random.Random, number: int, trade: Trade, place: Place) -> Practice:
    """A new practice at `place`: FINESS of the département for establishments, SIRET for the others."""
    finess = identifiers.luhn(f"37{number + 1:06d}")
    siret = identifiers.luhn(identifiers.luhn(f"99{number + 1:06d}") + "0001")
    account = identifiers.iban("99999", f"{draw.randrange(1, 40):05d}", f"{number + 1:05d}{draw.randrange(10**6):06d}")
    name = f"{trade.enseigne} {draw.choice(STREETS)} {place.name}"[:NAME_LENGTH_MAX]
    return Practice(finess if trade.finess else siret, name, account, draw.choice(BICS), place.code)


def practices(professionals: Iterable[Professional]) -> tuple[Practice, ...]:
    """Each practice once, in the order it was founded."""
    return tuple({each.practice.number: each.practice for each in professionals}.values())
