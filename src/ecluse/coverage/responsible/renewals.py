"""Obligations on what is bought and renewed: glasses and hearing aids, their ceilings, floors and delays."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ecluse.coverage.compute import Split, compute
from ecluse.coverage.facts import AGE_YEARS_MAX, Basket, Equipment, Facts, Renewal, Side
from ecluse.coverage.guarantee import months_of
from ecluse.coverage.line import NOTHING_USED, Line, Used
from ecluse.coverage.responsible.trial import (
    DEAR_CENTS,
    FRAME,
    GLASSES,
    LAW,
    LENS,
    Breach,
    Trial,
    facts_told_apart,
    said,
)
from ecluse.kernel.money import en_euros
from ecluse.rights.model import Domain
from ecluse.rules.book import Rule

PAIRS = (((FRAME, 1), (LENS, 2)), ((GLASSES, 1),))  # a pair as it may be billed: articles and how many
# Below which age, in years, which delay of renewal: the ages are those of the rules' own names.
GLASSES_OF_CHILDREN = ((6, "lunettes_renouvellement_moins_de_6_ans"), (16, "lunettes_renouvellement_moins_de_16_ans"))
# Why glasses are renewed early → the delay that is left; a child whose sight changes waits for nothing.
EARLY = {Renewal.SIGHT_CHANGED: "lunettes_renouvellement_vue", Renewal.MEDICAL: "lunettes_renouvellement_medical"}


def glasses(trial: Trial) -> Iterator[Breach]:
    """R871-2, 3°: ceilings and floors by equipment, of the frame, and over the delay of renewal."""
    if not trial.speaks_of(Domain.OPTI) or trial.cents("monture_plafond") is None:
        return
    for facts in facts_told_apart(trial, Domain.OPTI, equipment=(None, *Equipment), basket=(None, Basket.FREE)):
        for articles in PAIRS:
            yield from _pair(trial, facts, articles)


def _pair(trial: Trial, facts: Facts, articles: tuple[tuple[str, int], ...]) -> Iterator[Breach]:
    """A pair billed as these articles, and another within its delay: as nothing has a base, all that is paid is beyond it."""
    letter = facts.equipment or Equipment.A  # what is not stated may be the simplest
    frame = trial.cents("monture_plafond") or 0
    most, least = trial.cents(f"lunettes_{letter}_plafond"), trial.cents(f"lunettes_{letter}_plancher")
    delay = _delay_of_glasses(trial, facts)
    months = delay.count if delay else 0
    bought = _Purchases(trial, Domain.OPTI, facts, months)
    paid = [bought.buy(act, quantity) for act, quantity in articles]
    bought.wait()
    again = sum(bought.buy(act, quantity) for act, quantity in articles) if months else 0
    row = trial.row(Domain.OPTI, articles[-1][0], facts)
    bound = f"<=EUR_INCL:{(most or 0) // 100}" + (f"/{months}M" if months else "")
    together = f"Bound frame and lenses together: {bound} in both rows, with the same count."
    if most is not None and sum(paid) > most:
        what = f"OPTI{said(facts)}: a pair is paid {en_euros(sum(paid))}, AMO included"
        yield trial.breach(row, what, together, trial.reference(f"lunettes_{letter}_plafond"))
    elif delay and again:
        what = f"OPTI{said(facts)}: a second pair within {months} months is paid {en_euros(again)}, AMO included"
        yield trial.breach(row, what, together, delay.reference)
    elif articles[0][0] == FRAME and paid[0] > frame:
        what = f"OPTI {FRAME}{said(facts)}: a frame is paid {en_euros(paid[0])}, AMO included"
        fix = f"Bound it: <=EUR_INCL:{frame // 100}."
        yield trial.breach(trial.row(Domain.OPTI, FRAME, facts), what, fix, trial.reference("monture_plafond"))
    elif facts.equipment and least is not None and bought.beyond_ticket_cents > 0 and sum(paid) < least:
        what = f"OPTI{said(facts)}: a pair is paid {en_euros(sum(paid))} at most, AMO included"
        fix = f"Pay {least // 100} € at least, AMO included, or the ticket modérateur only."
        yield trial.breach(row, what, fix, trial.reference(f"lunettes_{letter}_plancher"))


def _delay_of_glasses(trial: Trial, facts: Facts) -> Rule | None:
    """The rule that says how long glasses last, None for no delay: less for a child or an early renewal, if either is stated."""
    age = AGE_YEARS_MAX if facts.age_years is None else facts.age_years
    of_age = [trial.book.find(trial.day, f"{LAW}{name}") for below, name in GLASSES_OF_CHILDREN if age < below]
    child = next((rule for rule in of_age if rule), None)
    early = trial.book.find(trial.day, f"{LAW}{EARLY[facts.renewal]}") if facts.renewal else None
    if child and facts.renewal is Renewal.SIGHT_CHANGED:
        return None
    return early or child or trial.book.on(trial.day, f"{LAW}lunettes_renouvellement")


def hearing_aids(trial: Trial) -> Iterator[Breach]:
    """R871-2, 4°: a ceiling for each ear over four years."""
    most = trial.cents("aide_auditive_plafond")
    delay = trial.book.find(trial.day, f"{LAW}aide_auditive_renouvellement")
    if not trial.speaks_of(Domain.AUDI) or delay is None or most is None:
        return
    for facts in facts_told_apart(trial, Domain.AUDI, basket=(None, Basket.FREE), side=(None, Side.LEFT)):
        bought = _Purchases(trial, Domain.AUDI, facts, delay.count)
        one = bought.buy("PAU", 1)
        bought.wait()
        again = bought.buy("PAU", 1)
        what = f"an aid of an ear is paid {en_euros(one)}"
        if one <= most:
            what = f"a second aid of an ear within {delay.count} months is paid {en_euros(again)}"
        if one > most or again:
            fix = f"Bound them: each_side: true, and <=EUR_INCL:{most // 100}<=ACTS:1/{delay.count}M."
            text = trial.reference("aide_auditive_plafond") if one > most else delay.reference
            row = trial.row(Domain.AUDI, "PAU", facts)
            yield trial.breach(row, f"AUDI PAU{said(facts)}: {what}, AMO included", fix, text)


class _Purchases:
    """Things bought one after the other by one person within a delay of renewal, each at a price nobody pays.

    Shorter accounts start again within such a delay, as that of a year: from one purchase to the next they hold nothing back.
    """

    def __init__(self, trial: Trial, domain: Domain, facts: Facts, months: int) -> None:
        self._trial, self._domain, self._facts, self._months = trial, domain, facts, months
        self._used: dict[tuple[str, str], Used] = {}
        self.beyond_ticket_cents = 0

    def wait(self) -> None:
        """Let as much time pass as the delay lets."""
        self._used = {key: used for key, used in self._used.items() if months_of(key[1]) >= self._months}

    def buy(self, act: str, quantity: int) -> int:
        """What AMO and contract pay together, where the contract pays anything: what it pays nothing of is none of its matter."""
        row = self._trial.row(self._domain, act, self._facts)
        if row is None:
            return 0
        count = row.count or f"{row.domains} {row.acts}"
        used = {account: self._used.get((count, account), NOTHING_USED) for account in row.parsed.accounts}
        split: Split = compute(Line(DEAR_CENTS, 0, Fraction(0), quantity), row.parsed, used)
        self._used |= {(count, account): used[account] + added for account, added in split.consumed.items()}
        self.beyond_ticket_cents += split.amc_cents
        return split.amo_cents + split.amc_cents if split.amc_cents else 0
