"""The compulsory side (AMO) of a line, checked against law: which rates can be right, given what is stated of it. Pure.

The hub is told the AMO's rate, and does not know the patient's rights there. A fact that is not stated leaves all of its
values open; a stated one narrows. What the law was not found to say stays open too (docs/claims.md). The table of rates is
the rule book's `amo_families`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import TypeVar

from ecluse.claims.claim import Billed, Fault
from ecluse.claims.faults import fault
from ecluse.coverage.facts import Exemption, Facts, Pathway, Scheme
from ecluse.kernel.money import en_euros
from ecluse.rights.model import Domain
from ecluse.rules.book import RuleBook
from ecluse.rules.family import Family

PATHWAY_AGE = "parcours_de_soins/age"  # the rule, in years
HEAVY_ACT = "actes_lourds/seuil"  # the rule, in cents

ANSWERS_CACHED = (
    1024  # what is asked repeats: a few days, a dozen families, few facts; a claim of 100 lines asks it 100 times
)

# Exemption → the rule that says what the AMO pays then.
EXEMPT = {
    Exemption.ALD: "amo_rates/affection_longue_duree",
    Exemption.MATERNITY: "amo_rates/maternite",
    Exemption.C2S: "amo_rates/complementaire_solidaire",
    Exemption.AT_MP: "amo_rates/accident_du_travail",
    Exemption.HEAVY_ACT: "amo_rates/actes_lourds",
}
# With these the ordinary rate can be right. The C2S is a complementary cover: where an insurer manages it, the AMO pays as
# for anybody and the insurer the rest; where the AMO manages it, both parts come at once.
ORDINARY = (Exemption.NONE, Exemption.C2S)

Paid = tuple[Fraction, str]  # a rate, and the text that says it
Value = TypeVar("Value", bound=StrEnum)


def possible_rates(book: RuleBook, domain: Domain, act: str, day: date, facts: Facts) -> Mapping[Fraction, str]:
    """Every rate at which the AMO may pay `act` on `day`, the likeliest first, each with the text that says it."""
    return _possible(book, book.families(domain, act), day, facts.exemption, facts.pathway, facts.scheme)


@lru_cache(maxsize=ANSWERS_CACHED)
def _possible(
    book: RuleBook,
    families: tuple[Family, ...],
    day: date,
    exemption: Exemption | None,
    pathway: Pathway | None,
    scheme: Scheme | None,
) -> Mapping[Fraction, str]:
    found: dict[Fraction, str] = {}
    situations = product(_open(exemption, Exemption), _open(pathway, Pathway), _open(scheme, Scheme), families)
    for situation in situations:
        for rate, reference in _paid(book, day, *situation):
            found.setdefault(rate, reference)
    return found


def _open(stated: Value | None, values: type[Value]) -> Iterable[Value]:
    return values if stated is None else (stated,)


def _paid(
    book: RuleBook, day: date, exemption: Exemption, pathway: Pathway, scheme: Scheme, family: Family
) -> Iterator[Paid]:
    if exemption in ORDINARY:
        rates = _in_force(book, day, family.general if scheme is Scheme.GENERAL else family.alsace_moselle)
        yield from _lowered(book, day, family, rates) if pathway is Pathway.OUTSIDE and family.outside else rates
    if exemption in EXEMPT:
        full = _in_force(book, day, (EXEMPT[exemption],))
        yield from full
        if pathway is Pathway.OUTSIDE:  # whether an exemption spares the increase was not found: both can be right
            yield from _lowered(book, day, family, full)


def _in_force(book: RuleBook, day: date, names: tuple[str, ...]) -> list[Paid]:
    return [(rule.rate, rule.reference) for name in names if (rule := book.find(day, name)) is not None]


def _lowered(book: RuleBook, day: date, family: Family, rates: list[Paid]) -> Iterator[Paid]:
    """What is left of `rates` outside the pathway."""
    for less, reference in _in_force(book, day, family.outside):
        yield from ((rate - less, reference) for rate, _ in rates if rate > less)


def rate_fault(book: RuleBook, domain: Domain, billed: Billed, rate: Fraction) -> Fault | None:
    """Why `rate` cannot be that of the line, or None if it can be."""
    possible = possible_rates(book, domain, billed.act, billed.date, billed)
    if rate in possible:
        return None
    stated = {"rate": billed.amo_rate, "day": f"{billed.date:%d/%m/%Y}"}
    if not possible or rate not in book.amo_rates(billed.date):
        return fault("amo_rate_unknown", billed.line, **stated)
    words = {"act": billed.act, "possible": _said(possible), "reference": next(iter(possible.values()))}
    return fault("amo_rate_impossible", billed.line, **stated, **words)


def _said(rates: Iterable[Fraction]) -> str:
    """`60 %, 66,5 %`."""
    tenths = [divmod(int(each * 1000), 10) for each in sorted(rates)]
    return ", ".join(f"{whole},{rest}\u00a0%" if rest else f"{whole}\u00a0%" for whole, rest in tenths)


def contradictions(book: RuleBook, billed: Billed) -> Iterator[Fault]:
    """Stated facts of the line that cannot be true together."""
    for check in CONTRADICTIONS:
        yield from check(book, billed)


def _outside_as_a_child(book: RuleBook, billed: Billed) -> Iterator[Fault]:
    """A child has no care pathway to leave: article L162-5-3 du code de la sécurité sociale."""
    rule = book.find(billed.date, PATHWAY_AGE)
    if rule is None or billed.age_years is None or billed.age_years >= rule.count:
        return
    if billed.pathway is Pathway.OUTSIDE:
        yield fault("outside_pathway_child", billed.line, age=rule.count, reference=rule.reference)


def _heavy_act_too_small(book: RuleBook, billed: Billed) -> Iterator[Fault]:
    """Acts of one sitting add up, so the base of the whole line is what is held against the threshold."""
    rule = book.find(billed.date, HEAVY_ACT)
    if rule is not None and billed.exemption is Exemption.HEAVY_ACT and billed.base_cents < rule.cents:
        words = {"base": en_euros(billed.base_cents), "threshold": en_euros(rule.cents), "reference": rule.reference}
        yield fault("heavy_act_too_small", billed.line, day=f"{billed.date:%d/%m/%Y}", **words)


def _heavy_act_of_the_local_scheme(book: RuleBook, billed: Billed) -> Iterator[Fault]:
    """The local scheme of Alsace-Moselle spares its members the flat share: article R160-16, ameli.fr."""
    if billed.exemption is Exemption.HEAVY_ACT and billed.scheme is Scheme.ALSACE_MOSELLE:
        yield fault("heavy_act_local_scheme", billed.line)


CONTRADICTIONS: tuple[Callable[[RuleBook, Billed], Iterator[Fault]], ...] = (
    _outside_as_a_child,
    _heavy_act_too_small,
    _heavy_act_of_the_local_scheme,
)
