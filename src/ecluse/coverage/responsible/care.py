"""Obligations on care of every day: ticket modérateur, daily hospital charge, excess of doctors, baskets without rest."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from ecluse.coverage.compute import compute, obligatory_cents
from ecluse.coverage.facts import NOTHING_STATED, Basket, Side
from ecluse.coverage.line import Line, Used
from ecluse.coverage.product import Row
from ecluse.coverage.responsible.trial import (
    ARTICLE,
    BASE_CENTS,
    DEAR_CENTS,
    LAW,
    RATE,
    Breach,
    Trial,
    said,
    situations,
)
from ecluse.kernel.money import en_euros
from ecluse.rights.model import Domain

OPTICAL_BASE_CENTS = (
    5  # the base of frames and lenses of free price is that of a trifle: any ceiling leaves room for it
)
SPENT = Used(100_000, 10**9)  # every yearly number and sum is exhausted
FORFAIT_JOURNALIER, STAY_DAYS = "FJ", 200  # our code: no published list has one; longer than any limit of days seen
RENEWED = (Domain.OPTI, Domain.AUDI)  # where the law itself limits how often anything is paid
DOCTORS = (Domain.MED, Domain.RADI, Domain.HOSP)
NO_REST = {
    Domain.OPTI: "panier_sans_reste_optique",
    Domain.DENT: "panier_sans_reste_dentaire",
    Domain.AUDI: "panier_sans_reste_aides_auditives",
}  # domain → the rule that says since when


def ticket_moderateur(trial: Trial) -> Iterator[Breach]:
    """R871-2, 1°: the whole ticket modérateur, always; where the law limits renewals, at the first purchase."""
    for domain in filter(trial.speaks_of, Domain):
        base_cents = OPTICAL_BASE_CENTS if domain is Domain.OPTI else BASE_CENTS
        for act, facts in situations(trial, domain):
            line = Line(base_cents, base_cents, trial.rate(domain, act))
            _, ticket_cents = obligatory_cents(line)
            row = trial.row(domain, act, facts)
            used = {} if domain in RENEWED or row is None else dict.fromkeys(row.parsed.accounts, SPENT)
            paid = compute(line, row.parsed, used).amc_cents if row else 0
            if paid < ticket_cents:
                ticket = en_euros(ticket_cents)
                what = f"{domain} {act}{said(facts)}: it pays {en_euros(paid)} of a ticket modérateur of {ticket}"
                fix = "Pay TM:100 at least, beside what is counted: TM:100+EUR_YEAR:300."
                if row is None:
                    fix = f'Add a last row {{domains: [{domain}], guarantee: "TM:100", label: Ticket modérateur}}.'
                yield trial.breach(row, what, fix, f"{ARTICLE} (1°)")


def forfait_journalier(trial: Trial) -> Iterator[Breach]:
    """R871-2, 2°: the daily hospital charge, without limit of days."""
    price = trial.book.find(trial.day, "hopital/forfait_journalier")
    law = trial.book.find(trial.day, f"{LAW}forfait_journalier")
    if not trial.speaks_of(Domain.HOSP) or price is None or law is None:
        return
    stay = Line(price.cents * STAY_DAYS, 0, Fraction(0), quantity=STAY_DAYS)
    row = trial.row(Domain.HOSP, FORFAIT_JOURNALIER, NOTHING_STATED)
    paid = compute(stay, row.parsed, dict.fromkeys(row.parsed.accounts, SPENT)).amc_cents if row else 0
    if paid < stay.expense_cents:
        cost = en_euros(stay.expense_cents)
        what = f"HOSP {FORFAIT_JOURNALIER}: of {STAY_DAYS} days it pays {en_euros(paid)}, they cost {cost}"
        fix = f'Add {{domains: [HOSP], acts: [{FORFAIT_JOURNALIER}], guarantee: "FR:100", label: Forfait journalier}}.'
        yield trial.breach(row, what, fix, f"{ARTICLE} (2°)")


def excess_of_doctors(trial: Trial) -> Iterator[Breach]:
    """R871-2: without OPTAM, at most so much of the tariff, and so much less than with it."""
    most, apart = (trial.book.find(trial.day, f"{LAW}{name}") for name in ("depassement_non_optam", "ecart_optam"))
    if most is None or apart is None:
        return
    for domain in filter(trial.speaks_of, DOCTORS):
        for act, facts in situations(trial, domain):
            if facts.optam:
                continue
            row = trial.row(domain, act, facts)
            rate = trial.rate(domain, act)
            excess = _excess_cents(row, rate)
            with_optam = _excess_cents(trial.row(domain, act, msgspec.structs.replace(facts, optam=True)), rate)
            if excess > BASE_CENTS * most.rate:
                what = (
                    f"{domain} {act}{said(facts)}: without OPTAM it pays {_percent(excess)} % of the tariff in excess"
                )
                fix = "Without OPTAM, pay BR_INCL:200 at most, and keep more for rows with when: {optam: true}."
                yield trial.breach(row, what, fix, most.reference)
            elif excess and with_optam - excess < BASE_CENTS * apart.rate:
                what = (
                    f"{domain} {act}{said(facts)}: in excess it pays {_percent(excess)} % of the tariff without OPTAM, "
                    f"{_percent(with_optam)} % with it"
                )
                fix = "Put a row with when: {optam: true} before it that pays 20 points of the tariff more, or pay TM:100."
                yield trial.breach(row, what, fix, apart.reference)


def _excess_cents(row: Row | None, rate: Fraction) -> int:
    """What a row pays beyond the ticket modérateur of a doctor who asks for a fortune."""
    if row is None:
        return 0
    return max(0, compute(Line(DEAR_CENTS, BASE_CENTS, rate), row.parsed).amc_cents - int(BASE_CENTS * (1 - rate)))


def no_rest(trial: Trial) -> Iterator[Breach]:
    """L871-1: nothing is left of the baskets without rest, since each came into force."""
    line = Line(3 * BASE_CENTS, BASE_CENTS, RATE)
    for domain in filter(trial.speaks_of, NO_REST):
        law = trial.book.find(trial.day, f"{LAW}{NO_REST[domain]}")
        if law is None:
            continue
        for act, facts in situations(trial, domain, basket=(Basket.NO_REST,), side=(Side.LEFT,)):
            row = trial.row(domain, act, facts)
            rest = compute(line, row.parsed).patient_cents if row else line.expense_cents
            if rest:
                cost = en_euros(line.expense_cents)
                what = f"{domain} {act}{said(facts)}: of {cost} without rest, {en_euros(rest)} is left"
                first = (
                    f'{{domains: [{domain}], when: {{basket: "100S"}}, guarantee: "BASKET:100S", label: 100 % Santé}}'
                )
                fix = f"Put first {first}."
                yield trial.breach(row, what, fix, law.reference)


def _percent(cents: int) -> int:
    return cents * 100 // BASE_CENTS
