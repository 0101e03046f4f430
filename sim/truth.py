"""What is true, computed slowly and plainly: rights day by day, amounts in decimal euros. Shares no code with the hub.

AMO: base × rate, half up to the cent, never above the expense. AMC: for each contract in order of priority, the parts
of its guarantee in order, each up to its ceiling, within what is left of the expense (docs/simulator.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sim.contracts import Contract
from sim.people import Person
from sim.products import Product, Row
from sim.world import World

CENT = Decimal("0.01")
ENGAGEMENT_DAYS = 30  # how far ahead an engagement, and so a typed question, can see
APPROVAL_DAYS = 90  # how long after its day an approval promises care, if the rights last
BILLING_DAYS = 30  # how long after that a claim may come
AUDIO_CLASS_ONE_LIMIT = Decimal(950)  # 100 % Santé, an adult's hearing aid of class I (docs/simulator.md)


@dataclass
class Consumed:
    """What guarantees that count by the year have already paid, by (person, contract row, guarantee, year)."""

    acts: dict[tuple[object, ...], int] = field(default_factory=dict)
    euros: dict[tuple[object, ...], Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Share:
    """One line shared out, in cents."""

    amo: int
    amc: int
    patient: int


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


def guarantee_of(product: Product, domain: str, act: str) -> Row | None:
    """The first row of the product that fits; None means that nothing is paid."""
    for row in product.rows:
        if domain in row.domains and (not row.acts or act in row.acts):
            return row
    return None


def share_line(
    world: World, person: Person, rows: list[Contract], domain: str, sent: dict[str, Any], used: Consumed, *, keep: bool
) -> Share:
    """What each pays of one line as it was sent, under `rows`; `keep` counts what yearly guarantees used."""
    expense, base = euros(sent["expense_cents"]), euros(sent["base_cents"])
    amo = min(half_up(base * rate(sent["amo_rate"])), expense)
    left = expense - amo
    for row in rows:
        product = world.insurer(row.insurer).product(row.product)
        guaranteed = guarantee_of(product, domain, sent["act"])
        if guaranteed is not None:
            year = int(sent["date"][:4])
            counter = (person.number, row.contract, row.product, product.rows.index(guaranteed), year)
            left -= paid_by(guaranteed.guarantee, expense, base, amo, left, sent["quantity"], used, counter, keep)
    amc = expense - amo - left
    return Share(cents(amo), cents(amc), cents(left))


def paid_by(
    guarantee: str, expense: Decimal, base: Decimal, amo: Decimal, left: Decimal,
    quantity: int, used: Consumed, counter: tuple[object, ...], keep: bool,
) -> Decimal:  # fmt: skip
    """What one guarantee pays of `left`: its parts in order."""
    paid = Decimal(0)
    if guarantee == "NONE":
        return paid
    for part in guarantee.split("+"):
        kind, _, value = part.partition(":")
        this = min(ceiling(kind, value, expense, base, amo, quantity, used, counter), left - paid)
        if keep and kind == "EUR_ACT" and this > 0:
            allowed = int(value.split("/")[1].rstrip("Y")) - used.acts.get(counter, 0)
            used.acts[counter] = used.acts.get(counter, 0) + min(quantity, allowed)
        if keep and kind == "EUR_YEAR":
            used.euros[counter] = used.euros.get(counter, Decimal(0)) + this
        paid += this
    return paid


def ceiling(
    kind: str, value: str, expense: Decimal, base: Decimal, amo: Decimal,
    quantity: int, used: Consumed, counter: tuple[object, ...],
) -> Decimal:  # fmt: skip
    """The most one part pays, in euros."""
    nothing = Decimal(0)
    if kind == "TM":
        return half_up((base - amo) * Decimal(value) / 100)
    if kind == "BR_INCL":
        return max(nothing, half_up(base * Decimal(value) / 100) - amo)
    if kind == "BR_EXCL":
        return half_up(base * Decimal(value) / 100)
    if kind == "FR":
        return max(nothing, half_up(expense * Decimal(value) / 100) - amo)
    if kind == "EUR":
        return Decimal(value) * quantity
    if kind == "EUR_YEAR":
        return max(nothing, Decimal(value) - used.euros.get(counter, nothing))
    if kind == "EUR_ACT":
        amount, _, number = value.partition("/")
        acts = min(quantity, max(0, int(number.rstrip("Y")) - used.acts.get(counter, 0)))
        return min(Decimal(amount) * acts, half_up((expense - amo) * acts / quantity))
    assert kind == "BASKET", kind
    return max(nothing, expense - amo)  # the world's baskets never cost more than their regulated price


def rate(text: str) -> Decimal:
    """ "70%" or "7/10" as a decimal."""
    if text.endswith("%"):
        return Decimal(text[:-1]) / 100
    above, _, below = text.partition("/")
    return Decimal(above) / Decimal(below)


def half_up(amount: Decimal) -> Decimal:
    """Rounded to the cent, half a cent going up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def euros(amount_cents: int) -> Decimal:
    """Cents as decimal euros."""
    return Decimal(amount_cents) / 100


def cents(amount: Decimal) -> int:
    """Decimal euros as cents; the amount is already whole cents."""
    whole = amount * 100
    assert whole == int(whole), amount
    return int(whole)
