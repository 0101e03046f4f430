"""Whether a table that calls itself responsible is so (articles L871-1, R871-1 and R871-2 du code de la sécurité sociale).

Every obligation is tried out: lines of care are priced under the table as a claim's would be, in every situation that its
rows tell apart, and what it pays is held against the law of the day. So a table is judged by what it does, however it is
written. Obligations bear on the domains that a table speaks of; what it is silent on, another table may cover.

What a responsible contract may never pay (participation, franchises, majoration outside the care pathway) no table can
make it pay: the computation leaves those to the patient (`compute`, steps 3 and 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from itertools import product as every

import msgspec

from ecluse.coverage.compute import Split, compute, obligatory_cents
from ecluse.coverage.facts import AGE_YEARS_MAX, NOTHING_STATED, Basket, Equipment, Facts, Renewal, Side
from ecluse.coverage.guarantee import months_of
from ecluse.coverage.line import NOTHING_USED, Line, Used
from ecluse.coverage.product import Product, Row, When
from ecluse.kernel.money import en_euros
from ecluse.rights.model import Domain
from ecluse.rules.book import Rule, RuleBook

# What is tried out. Amounts are not law: a base of 100 € and a price nobody pays tell every form of guarantee apart.
BASE_CENTS, DEAR_CENTS = 10_000, 5_000_000
OPTICAL_BASE_CENTS = (
    5  # the base of frames and lenses of free price is that of a trifle: any ceiling leaves room for it
)
RATE = Fraction(6, 10)  # of care whose rate the book cannot tell from its domain and act, or knows not yet that day
SPENT = Used(100_000, 10**9)  # every yearly number and sum is exhausted
UNKNOWN_ACT = "ZZZZ999"  # meets the rows that name no act
FORFAIT_JOURNALIER, STAY_DAYS = "FJ", 200  # our code: no published list has one; longer than any limit of days seen
FRAME, LENS = "MON", "VER"
GLASSES = "LUN"  # our code: frame and lenses on one line, as many tables pay them
PAIRS = (((FRAME, 1), (LENS, 2)), ((GLASSES, 1),))  # a pair as it may be billed: articles and how many
# Below which age, in years, which delay of renewal: the ages are those of the rules' own names.
GLASSES_OF_CHILDREN = ((6, "lunettes_renouvellement_moins_de_6_ans"), (16, "lunettes_renouvellement_moins_de_16_ans"))
# Why glasses are renewed early → the delay that is left; a child whose sight changes waits for nothing.
EARLY = {Renewal.SIGHT_CHANGED: "lunettes_renouvellement_vue", Renewal.MEDICAL: "lunettes_renouvellement_medical"}
RENEWED = (Domain.OPTI, Domain.AUDI)  # where the law itself limits how often anything is paid
DOCTORS = (Domain.MED, Domain.RADI, Domain.HOSP)
NO_REST = {
    Domain.OPTI: "panier_sans_reste_optique",
    Domain.DENT: "panier_sans_reste_dentaire",
    Domain.AUDI: "panier_sans_reste_aides_auditives",
}  # domain → the rule that says since when
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


def days_of_change(product: Product, book: RuleBook, today: date) -> list[date]:
    """Today, and every later day on which the table or the law of the responsible contract changes."""
    rows = product.guarantees
    days = {row.first_day for row in rows} | {row.last_day + timedelta(days=1) for row in rows if row.last_day}
    for name, parameter in book.parameters.items():
        if name.startswith(LAW):
            days |= {each.since for each in parameter.values}
    return sorted({today} | {day for day in days if day and day > today})


def breaches(product: Product, book: RuleBook, day: date) -> tuple[Breach, ...]:
    """Every obligation the table does not keep under the law of `day`, each once a row; none for a table that claims nothing."""
    if not product.responsible:
        return ()
    trial = Trial(product, book, day)
    found: dict[tuple[int | None, str], Breach] = {}
    for obligation in OBLIGATIONS.values():
        for each in obligation(trial):
            found.setdefault((each.row, each.fix), each)
    return tuple(found.values())


def _ticket_moderateur(trial: Trial) -> Iterator[Breach]:
    """R871-2, 1°: the whole ticket modérateur, always; where the law limits renewals, at the first purchase."""
    for domain in filter(trial.speaks_of, Domain):
        base_cents = OPTICAL_BASE_CENTS if domain is Domain.OPTI else BASE_CENTS
        for act, facts in _situations(trial, domain):
            line = Line(base_cents, base_cents, trial.rate(domain, act))
            _, ticket_cents = obligatory_cents(line)
            row = trial.row(domain, act, facts)
            used = {} if domain in RENEWED or row is None else dict.fromkeys(row.parsed.accounts, SPENT)
            paid = compute(line, row.parsed, used).amc_cents if row else 0
            if paid < ticket_cents:
                ticket = en_euros(ticket_cents)
                what = f"{domain} {act}{_said(facts)}: it pays {en_euros(paid)} of a ticket modérateur of {ticket}"
                fix = "Pay TM:100 at least, beside what is counted: TM:100+EUR_YEAR:300."
                if row is None:
                    fix = f'Add a last row {{domains: [{domain}], guarantee: "TM:100", label: Ticket modérateur}}.'
                yield trial.breach(row, what, fix, f"{ARTICLE} (1°)")


def _forfait_journalier(trial: Trial) -> Iterator[Breach]:
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


def _excess_of_doctors(trial: Trial) -> Iterator[Breach]:
    """R871-2: without OPTAM, at most so much of the tariff, and so much less than with it."""
    most, apart = (trial.book.find(trial.day, f"{LAW}{name}") for name in ("depassement_non_optam", "ecart_optam"))
    if most is None or apart is None:
        return
    for domain in filter(trial.speaks_of, DOCTORS):
        for act, facts in _situations(trial, domain):
            if facts.optam:
                continue
            row = trial.row(domain, act, facts)
            rate = trial.rate(domain, act)
            excess = _excess_cents(row, rate)
            with_optam = _excess_cents(trial.row(domain, act, msgspec.structs.replace(facts, optam=True)), rate)
            if excess > BASE_CENTS * most.rate:
                what = (
                    f"{domain} {act}{_said(facts)}: without OPTAM it pays {_percent(excess)} % of the tariff in excess"
                )
                fix = "Without OPTAM, pay BR_INCL:200 at most, and keep more for rows with when: {optam: true}."
                yield trial.breach(row, what, fix, most.reference)
            elif excess and with_optam - excess < BASE_CENTS * apart.rate:
                what = (
                    f"{domain} {act}{_said(facts)}: in excess it pays {_percent(excess)} % of the tariff without OPTAM, "
                    f"{_percent(with_optam)} % with it"
                )
                fix = "Put a row with when: {optam: true} before it that pays 20 points of the tariff more, or pay TM:100."
                yield trial.breach(row, what, fix, apart.reference)


def _excess_cents(row: Row | None, rate: Fraction) -> int:
    """What a row pays beyond the ticket modérateur of a doctor who asks for a fortune."""
    if row is None:
        return 0
    return max(0, compute(Line(DEAR_CENTS, BASE_CENTS, rate), row.parsed).amc_cents - int(BASE_CENTS * (1 - rate)))


def _glasses(trial: Trial) -> Iterator[Breach]:
    """R871-2, 3°: ceilings and floors by equipment, of the frame, and over the delay of renewal."""
    if not trial.speaks_of(Domain.OPTI) or trial.cents("monture_plafond") is None:
        return
    for facts in _facts(trial, Domain.OPTI, equipment=(None, *Equipment), basket=(None, Basket.FREE)):
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
        what = f"OPTI{_said(facts)}: a pair is paid {en_euros(sum(paid))}, AMO included"
        yield trial.breach(row, what, together, trial.reference(f"lunettes_{letter}_plafond"))
    elif delay and again:
        what = f"OPTI{_said(facts)}: a second pair within {months} months is paid {en_euros(again)}, AMO included"
        yield trial.breach(row, what, together, delay.reference)
    elif articles[0][0] == FRAME and paid[0] > frame:
        what = f"OPTI {FRAME}{_said(facts)}: a frame is paid {en_euros(paid[0])}, AMO included"
        fix = f"Bound it: <=EUR_INCL:{frame // 100}."
        yield trial.breach(trial.row(Domain.OPTI, FRAME, facts), what, fix, trial.reference("monture_plafond"))
    elif facts.equipment and least is not None and bought.beyond_ticket_cents > 0 and sum(paid) < least:
        what = f"OPTI{_said(facts)}: a pair is paid {en_euros(sum(paid))} at most, AMO included"
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


def _hearing_aids(trial: Trial) -> Iterator[Breach]:
    """R871-2, 4°: a ceiling for each ear over four years."""
    most = trial.cents("aide_auditive_plafond")
    delay = trial.book.find(trial.day, f"{LAW}aide_auditive_renouvellement")
    if not trial.speaks_of(Domain.AUDI) or delay is None or most is None:
        return
    for facts in _facts(trial, Domain.AUDI, basket=(None, Basket.FREE), side=(None, Side.LEFT)):
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
            yield trial.breach(row, f"AUDI PAU{_said(facts)}: {what}, AMO included", fix, text)


def _no_rest(trial: Trial) -> Iterator[Breach]:
    """L871-1: nothing is left of the baskets without rest, since each came into force."""
    line = Line(3 * BASE_CENTS, BASE_CENTS, RATE)
    for domain in filter(trial.speaks_of, NO_REST):
        law = trial.book.find(trial.day, f"{LAW}{NO_REST[domain]}")
        if law is None:
            continue
        for act, facts in _situations(trial, domain, basket=(Basket.NO_REST,), side=(Side.LEFT,)):
            row = trial.row(domain, act, facts)
            rest = compute(line, row.parsed).patient_cents if row else line.expense_cents
            if rest:
                cost = en_euros(line.expense_cents)
                what = f"{domain} {act}{_said(facts)}: of {cost} without rest, {en_euros(rest)} is left"
                first = (
                    f'{{domains: [{domain}], when: {{basket: "100S"}}, guarantee: "BASKET:100S", label: 100 % Santé}}'
                )
                fix = f"Put first {first}."
                yield trial.breach(row, what, fix, law.reference)


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


def _situations(
    trial: Trial, domain: Domain, basket: tuple[Basket | None, ...] = (None,), side: tuple[Side | None, ...] = (None,)
) -> Iterator[tuple[str, Facts]]:
    """Acts that the AMO pays, and one that no row names, in every situation that the rows tell apart."""
    facts = list(_facts(trial, domain, basket=basket, side=side))
    acts = [act for act in ACTS.get(domain, ()) if not _left_out(trial, domain, act)]
    return every((*acts, UNKNOWN_ACT), facts)


def _left_out(trial: Trial, domain: Domain, act: str) -> bool:
    """Whether the AMO pays the act at a rate whose ticket modérateur no table must pay."""
    rule = trial.book.find(trial.day, f"{LAW}{LEFT_OUT[act]}") if act in LEFT_OUT else None
    return rule is not None and trial.rate(domain, act, unknown=rule.rate) == rule.rate


def _facts(
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


def _said(facts: Facts) -> str:
    """` with basket free, equipment a`, or nothing."""
    stated: Mapping[str, object] = {
        name: value for name, value in msgspec.structs.asdict(facts).items() if value is not None
    }
    return f" with {', '.join(f'{name} {str(value).lower()}' for name, value in stated.items())}" if stated else ""


def _percent(cents: int) -> int:
    return cents * 100 // BASE_CENTS


OBLIGATIONS: dict[str, Callable[[Trial], Iterator[Breach]]] = {
    "ticket modérateur": _ticket_moderateur,
    "forfait journalier": _forfait_journalier,
    "dépassements": _excess_of_doctors,
    "lunettes": _glasses,
    "aides auditives": _hearing_aids,
    "100 % Santé": _no_rest,
}
