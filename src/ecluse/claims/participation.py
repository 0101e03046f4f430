"""What the AMO keeps back of its payment, where a line states it: can it be right? It never changes what an insurer pays. Pure.

Participation forfaitaire (doctors, analyses) and franchises (boxes, nursing, transport) have a daily and a yearly cap. What
other professionals billed is not known here: only an amount that no history can explain is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from ecluse.claims.claim import Billed, Fault
from ecluse.claims.faults import fault
from ecluse.coverage.facts import Exemption
from ecluse.kernel.money import en_euros
from ecluse.rights.model import Domain
from ecluse.rules.book import Rule, RuleBook

AGE = "participation_forfaitaire/age"  # the rule, in years
SPARED = (Exemption.MATERNITY, Exemption.C2S)  # latribune.fr, March 2024; neither ALD nor AT/MP is


class Caps(NamedTuple):
    """The rules that cap what is kept back: by professional and day, if there is such a cap, and by year."""

    day: str | None
    year: str


# What is kept back for one act, box or journey → its caps.
CAPS = {
    "participation_forfaitaire/acte": Caps(
        "participation_forfaitaire/plafond_journalier", "participation_forfaitaire/plafond_annuel"
    ),
    "franchises/boite": Caps(None, "franchises/plafond_annuel"),
    "franchises/acte_paramedical": Caps("franchises/plafond_journalier_actes", "franchises/plafond_annuel"),
    "franchises/transport": Caps("franchises/plafond_journalier_transports", "franchises/plafond_annuel"),
}


def participation_faults(book: RuleBook, domain: Domain, lines: Sequence[Billed]) -> Iterator[Fault]:
    """Stated amounts that cannot be right: of a line, then of all lines of a day and of a year."""
    totals: Counter[tuple[str, date]] = Counter()  # by cap, and the day or the last day of the year it is for
    for billed in lines:
        stated = billed.participation_cents
        if not stated:
            continue
        if _is_spared(book, billed):
            yield fault("participation_not_due", billed.line)
            continue
        due = _due(book, domain, billed)
        most = due.cents * billed.quantity if due else 0
        if stated > most:
            yield fault("participation_too_high", billed.line, stated=en_euros(stated), most=en_euros(most))
        elif due:
            caps = CAPS[due.name]
            totals[caps.year, billed.date.replace(month=12, day=31)] += stated
            if caps.day:
                totals[caps.day, billed.date] += stated
    yield from _over_caps(book, totals)


def _is_spared(book: RuleBook, billed: Billed) -> bool:
    rule = book.find(billed.date, AGE)
    child = rule is not None and billed.age_years is not None and billed.age_years < rule.count
    return child or billed.exemption in SPARED


def _due(book: RuleBook, domain: Domain, billed: Billed) -> Rule | None:
    """The most that may be kept back for one act of the line; None where nothing ever is."""
    names = {name for family in book.families(domain, billed.act) for name in family.kept}
    rules = (book.find(billed.date, name) for name in sorted(names))
    return max((rule for rule in rules if rule is not None), key=lambda rule: rule.cents, default=None)


def _over_caps(book: RuleBook, totals: Counter[tuple[str, date]]) -> Iterator[Fault]:
    for (name, day), total in sorted(totals.items()):
        rule = book.find(day, name)
        if rule is not None and total > rule.cents:
            stated, most = en_euros(total), en_euros(rule.cents)
            yield fault("participation_over_cap", stated=stated, most=most, reference=rule.reference)
