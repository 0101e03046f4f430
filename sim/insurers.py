"""A dozen insurers that do not exist: numbers that begin with 999 or 00999, names of imaginary places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sim import identifiers
from sim.products import Product, products_of
from sim.seeds import stream

# (number, name, share of the insured in thousandths); shares: assumed, a few large and many small.
KNOWN = (
    ("0099900011", "Mutuelle du Val Imaginaire", 210),
    ("99900029", "Prévoyance des Deux Rives", 165),
    ("0099900037", "Assurances Le Grand Saule", 130),
    ("999000045", "Mutuelle des Écluses de Brume", 110),
    ("99900053", "Santé Collective Quatre-Vents", 90),
    ("0099900061", "Mutuelle de la Petite Loire", 75),
    ("99900078", "Institution de Prévoyance Orme Bleu", 60),
    ("999000086", "Mutuelle Fraternelle de Nulle-Part", 50),
    ("0099900094", "Assurance Santé Belle-Jetée", 40),
    ("99900102", "Mutuelle des Métiers Perdus", 30),
    ("0099900110", "Mutuelle du Plateau Lointain", 25),
    ("999000128", "Caisse Mutuelle des Trois Moulins", 15),
)


@dataclass(frozen=True, slots=True)
class Insurer:
    """A complementary insurer (AMC): its number as written, its account, its direct debit mandate if it gave one."""

    number: str
    name: str
    share: int
    iban: str
    mandate: str
    mandate_signed_on: date | None
    convention_type: str
    csr: str
    products: tuple[Product, ...]

    def product(self, code: str) -> Product:
        """The product of this insurer with this code."""
        return next(each for each in self.products if each.code == code)


def found_insurers(seed: int, day: date) -> tuple[Insurer, ...]:
    """The insurers of the world of `seed`, as they are on `day`."""
    return tuple(found(seed, day, rank, *known) for rank, known in enumerate(KNOWN, start=1))


def found(seed: int, day: date, rank: int, number: str, name: str, share: int) -> Insurer:
    """One insurer: two of three gave a mandate for direct debits (assumed), in the last two years (see auditor/privacy)."""
    draw = stream(seed, "insurer", number)
    account = identifiers.iban("99998", "00001", f"{draw.randrange(10**10):011d}")
    mandated = rank % 3 != 0
    signed = day - timedelta(days=20 + draw.randrange(600)) if mandated else None
    mandate = f"ECL{rank:02d}{draw.randrange(10**6):06d}" if mandated else ""
    convention, csr = ("SV", "0001") if rank % 2 else ("IS", f"{rank:04d}")
    return Insurer(number, name, share, account, mandate, signed, convention, csr, products_of(rank))
