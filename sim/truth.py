"""What is true, computed slowly and plainly: rights day by day, amounts in decimal euros. Shares no code with the hub.

AMO: base × rate, half up to the cent, never above the expense. AMC: each contract in order of priority pays what its
guarantee promises (`sim/promises.py`) of what is left of the expense, less what counts already (docs/simulator.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sim.accounts import Account, Spent, Use, months_later, spent, year_of
from sim.contracts import Contract
from sim.people import Person
from sim.products import Product, Row
from sim.promises import Bill, half_up, paid_by
from sim.world import World

ENGAGEMENT_DAYS = 30  # how far ahead an engagement, and so a typed question, can see
APPROVAL_DAYS = 90  # how long after its day an approval promises care, if the rights last
BILLING_DAYS = 30  # how long after that a claim may come
CLASS_ONE, CLASS_ONE_PRICE = (
    "AUD1",
    Decimal(950),
)  # the most an adult's hearing aid of class I costs (docs/simulator.md)
OUTSIDE = Decimal("0.4")  # what the AMO's rate loses outside the care pathway (docs/simulator.md)

Known = Callable[[Account], list[Use]]  # all that counts of an account, whatever its day


@dataclass(frozen=True)
class Share:
    """One line shared out, in cents; what it uses of accounts; and what kept a contract from paying more."""

    amo: int
    amc: int
    patient: int
    uses: tuple[Use, ...] = field(default=(), compare=False)
    met: frozenset[str] = field(default=frozenset(), compare=False)


def open_contracts(world: World, person: Person, insurer: str, domain: str, day: date) -> list[Contract]:
    """The rows that cover `person` with `insurer` for `domain` on `day`, the first payer first."""
    found = []
    for row in world.rights(person):
        if row.insurer == insurer and domain in row.domains and is_open(row, day):
            found.append(row)
    return sorted(found, key=lambda row: (row.priority, row.contract))


def is_open(row: Contract, day: date) -> bool:
    """Whether `day` is inside the row's period, first and last day included."""
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


def covered_until(world: World, person: Person, row: Contract, domain: str, day: date, horizon: date) -> date:
    """The last day, at most `horizon`, until which the contract of `row` goes on without a gap from `day`."""
    same = [each for each in world.rights(person) if each.contract == row.contract and domain in each.domains]
    last = day
    while last < horizon and any(is_open(each, last + timedelta(days=1)) for each in same):
        last += timedelta(days=1)
    return last


def covered_since(world: World, person: Person, row: Contract, domain: str, day: date) -> date:
    """The first day from which the contract of `row` has covered the domain without a gap until `day`."""
    same = [each for each in world.rights(person) if each.contract == row.contract and domain in each.domains]
    first = day
    while before := [each.valid_from for each in same if each.valid_from < first and touches(each, first)]:
        first = min(before)
    return first


def touches(row: Contract, day: date) -> bool:
    """Whether the row is open on `day` or the day before."""
    return is_open(row, day) or is_open(row, day - timedelta(days=1))


def speaks_of(row: Row, domain: str, sent: dict[str, Any]) -> bool:
    """Whether a row is about the line as it was sent: its domain, its act, and every fact that the row asks for."""
    if domain not in row.domains or (row.acts and sent["act"] not in row.acts):
        return False
    if row.each_side and "side" not in sent:
        return False
    return all(holds(name, asked, sent) for name, asked in row.when.items())


def holds(name: str, asked: Any, sent: dict[str, Any]) -> bool:
    """Whether a fact is stated, and stated so."""
    if name in ("age_from", "age_to"):
        age = sent.get("age_years")
        return age is not None and (age >= asked if name == "age_from" else age <= asked)
    if isinstance(asked, list):
        return sent.get(name) in asked
    return name in sent and sent[name] == asked


def guarantee_of(product: Product, domain: str, sent: dict[str, Any], since: date) -> tuple[Row | None, bool]:
    """The first row that speaks of the line and is past its waiting period; whether one before it is not yet."""
    waited = False
    for row in product.rows:
        if speaks_of(row, domain, sent):
            if months_later(since, row.waiting_months) <= date.fromisoformat(sent["date"]):
                return row, waited
            waited = True
    return None, waited


def share_line(
    world: World, person: Person, rows: list[Contract], domain: str, sent: dict[str, Any], known: Known, engaged: date
) -> Share:
    """What each pays of one line as it was sent, under `rows`, as they were on the day `engaged`."""
    expense, base = euros(sent["expense_cents"]), euros(sent["base_cents"])
    amo = min(half_up(base * rate(sent["amo_rate"])), expense)
    left, uses, met = expense - amo, list[Use](), set[str]()
    for row in rows:
        product = world.insurer(row.insurer).product(row.product)
        since = covered_since(world, person, row, domain, engaged)
        promise, waited = guarantee_of(product, domain, sent, since)
        if waited:
            met.add("waiting")
        if promise is None:
            continue
        day = date.fromisoformat(sent["date"])
        lost = min(lost_outside(expense, base, amo, sent), left) if product.responsible else Decimal(0)
        bill = Bill(expense, base, amo + lost, sent["quantity"], regulated_price(sent))
        counts = Counts(account_of(person, row, promise, sent), day, year_of(product.year, since, day), known)
        paid = paid_by(promise.guarantee, bill, left - lost, counts.before)
        left -= paid.euros
        met |= paid.met
        uses += [Use(counts.of(period), day, acts, amount) for period, acts, amount in paid.counts]
    return Share(cents(amo), cents(expense - amo - left), cents(left), tuple(uses), frozenset(met))


@dataclass(frozen=True)
class Counts:
    """The accounts of a promise, one a period, as they are looked at on a day of care."""

    account: Account
    day: date
    year: tuple[date, date]
    known: Known

    def of(self, period: str) -> Account:
        """The account of a period."""
        return *self.account, period

    def before(self, period: str) -> Spent:
        """Acts and euros that count already."""
        return spent(self.known(self.of(period)), period, self.year, self.day)


def account_of(person: Person, row: Contract, promise: Row, sent: dict[str, Any]) -> Account:
    """Whose accounts they are: rows that share a `count` share them, and so do those of the same domains and acts."""
    spoken = promise.count or (promise.domains, promise.acts)
    side = sent["side"] if promise.each_side else ""
    return person.number, row.contract, row.product, spoken, side


def lost_outside(expense: Decimal, base: Decimal, amo: Decimal, sent: dict[str, Any]) -> Decimal:
    """What the AMO pays less outside the care pathway: a responsible contract leaves it to the patient."""
    if sent.get("pathway") != "outside":
        return Decimal(0)
    return min(half_up(base * (rate(sent["amo_rate"]) + OUTSIDE)), expense) - amo


def regulated_price(sent: dict[str, Any]) -> Decimal | None:
    """The highest price of a line of hearing aids without rest, known where the age is stated."""
    if sent["act"] == CLASS_ONE and sent.get("basket") == "100S" and "age_years" in sent:
        return CLASS_ONE_PRICE * int(sent["quantity"])
    return None


def rate(text: str) -> Decimal:
    """ "70%" or "7/10" as a decimal."""
    if text.endswith("%"):
        return Decimal(text[:-1]) / 100
    above, _, below = text.partition("/")
    return Decimal(above) / Decimal(below)


def euros(amount_cents: int) -> Decimal:
    """Cents as decimal euros."""
    return Decimal(amount_cents) / 100


def cents(amount: Decimal) -> int:
    """Decimal euros as cents; the amount is already whole cents."""
    whole = amount * 100
    assert whole == int(whole), amount
    return int(whole)
