"""A guarantee table under the law of a day: what is tried out, in which situations, and how a breach is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from itertools import product as every

import msgspec

from ecluse.coverage.facts import Basket, Equipment, Facts, Side
from ecluse.coverage.product import Product, Row, When
from ecluse.rights.model import Domain
from ecluse.rules.book import RuleBook

# What is tried out. Amounts are not law: a base of 100 € and a price nobody pays tell every form of guarantee apart.
BASE_CENTS, DEAR_CENTS = 10_000, 5_000_000
RATE = Fraction(6, 10)  # of care whose rate the book cannot tell from its domain and act, or knows not yet that day
UNKNOWN_ACT = "ZZZZ999"  # meets the rows that name no act
FRAME, LENS = "MON", "VER"
GLASSES = "LUN"  # our code: frame and lenses on one line, as many tables pay them
# Acts that are tried out by name, but for drugs at the rates that the law lets a table leave out.
ACTS: dict[Domain, tuple[str, ...]] = {
    Domain.MED: ("G", "CS", "APC"),
    Domain.PHAR: ("PH7", "PH4", "PH2"),
    Domain.LABO: ("B",),
    Domain.AUXM: ("AMI", "AMK"),
    Domain.DENT: ("C", "SDE"),
    Domain.OPTI: (FRAME, LENS, GLASSES),
    Domain.AUDI: ("PAU",),
}
LEFT_OUT = {"PH4": "medicaments_service_modere", "PH2": "medicaments_service_faible"}  # act → the rule of that rate
LAW = "contrat_responsable/"  # the branch of the rule book
ARTICLE = "article R871-2 du code de la sécurité sociale"


class Breach(msgspec.Struct, frozen=True):
    """An obligation that is not kept: by which row (its place from 0; None: by no row), what is wrong, what to do, the text."""

    row: int | None
    what: str
    fix: str
    reference: str


class Trial(msgspec.Struct, frozen=True):
    """A table under the law of a day."""

    product: Product
    book: RuleBook
    day: date

    def speaks_of(self, domain: Domain) -> bool:
        """Whether a row is about the domain, on that day or not."""
        return any(domain in row.domains for row in self.product.guarantees)

    def row(self, domain: Domain, act: str, facts: Facts) -> Row | None:
        """The row that pays a member whose waiting periods are over."""
        return self.product.find(domain, act, self.day, facts).row

    def rate(self, domain: Domain, act: str, unknown: Fraction = RATE) -> Fraction:
        """The ordinary rate of the AMO, the lowest where several may be right; `unknown` if the book knows none."""
        families = self.book.families(domain, act)
        names = families[0].general if len(families) == 1 else ()
        rules = [self.book.find(self.day, name) for name in names]
        return min((rule.rate for rule in rules if rule), default=unknown)

    def cents(self, name: str) -> int | None:
        """A value of the responsible contract's law in cents, or None on a day it had none."""
        rule = self.book.find(self.day, f"{LAW}{name}")
        return rule.cents if rule else None

    def reference(self, name: str) -> str:
        """The text a value comes from."""
        rule = self.book.find(self.day, f"{LAW}{name}")
        return rule.reference if rule else ARTICLE

    def breach(self, row: Row | None, what: str, fix: str, reference: str = ARTICLE) -> Breach:
        """A breach by this row."""
        place = next((n for n, each in enumerate(self.product.guarantees) if each is row), None)
        return Breach(place, what, fix, reference)


def situations(
    trial: Trial, domain: Domain, basket: tuple[Basket | None, ...] = (None,), side: tuple[Side | None, ...] = (None,)
) -> Iterator[tuple[str, Facts]]:
    """Acts that the AMO pays, and one that no row names, in every situation that the rows tell apart."""
    facts = list(facts_told_apart(trial, domain, basket=basket, side=side))
    acts = [act for act in ACTS.get(domain, ()) if not _left_out(trial, domain, act)]
    return every((*acts, UNKNOWN_ACT), facts)


def _left_out(trial: Trial, domain: Domain, act: str) -> bool:
    """Whether the AMO pays the act at a rate whose ticket modérateur no table must pay."""
    rule = trial.book.find(trial.day, f"{LAW}{LEFT_OUT[act]}") if act in LEFT_OUT else None
    return rule is not None and trial.rate(domain, act, unknown=rule.rate) == rule.rate


def facts_told_apart(
    trial: Trial,
    domain: Domain,
    equipment: tuple[Equipment | None, ...] = (None,),
    basket: tuple[Basket | None, ...] = (None,),
    side: tuple[Side | None, ...] = (None,),
) -> Iterator[Facts]:
    """Facts that rows of the domain ask for, each stated in every way and not at all."""
    asked = [row.when for row in trial.product.guarantees if domain in row.domains and row.when]
    early = (None, *sorted({when.renewal for when in asked if when.renewal})) if domain is Domain.OPTI else (None,)
    return (
        Facts(optam=optam, network=network, age_years=age, renewal=renewal, equipment=letter, basket=box, side=ear)
        for optam, network, age, renewal, letter, box, ear in every(
            _stated(asked, "optam"), _stated(asked, "network"), _ages(asked), early, equipment, basket, side
        )
    )


def _stated(asked: list[When], name: str) -> tuple[bool | None, ...]:
    return (None, False, True) if any(getattr(when, name) is not None for when in asked) else (None,)


def _ages(asked: list[When]) -> tuple[int | None, ...]:
    """An adult's, and those on both sides of each bound."""
    bounds = {when.age_from for when in asked} | {when.age_to + 1 for when in asked if when.age_to is not None}
    return (None, *sorted({age for bound in bounds if bound for age in (bound - 1, bound)}))


def said(facts: Facts) -> str:
    """` with basket free, equipment a`, or nothing."""
    stated: Mapping[str, object] = {
        name: value for name, value in msgspec.structs.asdict(facts).items() if value is not None
    }
    return f" with {', '.join(f'{name} {str(value).lower()}' for name, value in stated.items())}" if stated else ""
