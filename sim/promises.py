"""What a guarantee promises, read from its notation as a reader would, in decimal euros. Shares no code with the hub.

`TM:100+REST:85[EUR:1900/Y]<=EUR_INCL:1700`: parts joined by `+` pay in turn, each within its bounds in brackets; what they
pay together is within the bounds behind `<=`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from sim.accounts import Spent

CENT = Decimal("0.01")
NOTHING = Decimal(0)
WITH_AMO = "+AMO"  # a period in which the AMO's euros count too has an account of its own

Before = Callable[[str], Spent]  # acts and euros that count already in the account of a period


@dataclass(frozen=True)
class Bill:
    """A line as a contract sees it. `amo` holds what the AMO paid, or would have inside the care pathway."""

    expense: Decimal
    base: Decimal
    amo: Decimal
    quantity: int
    price: Decimal | None = None


@dataclass
class Paid:
    """What a guarantee pays, what it counts of each period (acts, euros), and what kept it from paying more."""

    euros: Decimal = NOTHING
    counts: list[tuple[str, int, Decimal]] = field(default_factory=list)
    met: set[str] = field(default_factory=set)


def paid_by(guarantee: str, bill: Bill, left: Decimal, before: Before) -> Paid:
    """What one guarantee pays of `left`."""
    paid = Paid()
    if guarantee == "NONE":
        return paid
    written, *limits = guarantee.split("<=")
    parts = [part.replace("]", "").split("[") for part in written.split("+")]
    shares: list[Decimal] = []
    for form, *bounds in parts:
        rest = left - sum(shares, NOTHING)
        share = min(ceiling(form, bill, rest, before), rest)
        if form.startswith("EUR_") and share < rest and share < full(form, bill):
            paid.met.add("account")
        shares.append(bounded(share, bounds, bill, before, paid))
    paid.euros = bounded(sum(shares, NOTHING), limits, bill, before, paid)
    unshared = paid.euros
    for (form, *bounds), share in zip(parts, shares, strict=True):  # the first part is the first used
        this = min(share, unshared)
        unshared -= this
        if this:
            paid.counts += counted([form] if form.startswith("EUR_") else [], this, bill, before)
            paid.counts += counted(bounds, this, bill, before)
    if paid.euros:
        paid.counts += counted(limits, paid.euros, bill, before)
    return paid


def ceiling(form: str, bill: Bill, rest: Decimal, before: Before) -> Decimal:
    """The most that one form pays, when those before it leave `rest`."""
    kind, _, value = form.partition(":")
    if kind == "TM":
        return max(NOTHING, percent(bill.base - bill.amo, value))
    if kind == "BR_INCL":
        return max(NOTHING, percent(bill.base, value) - bill.amo)
    if kind == "BR_EXCL":
        return percent(bill.base, value)
    if kind == "FR":
        return max(NOTHING, percent(bill.expense, value) - bill.amo)
    if kind == "REST":
        return percent(rest, value)
    if kind == "EUR":
        return Decimal(value) * bill.quantity
    if kind == "EUR_YEAR":
        return max(NOTHING, Decimal(value) - before("Y")[1])
    if kind == "EUR_ACT":
        amount, _, number = value.partition("/")
        acts = min(bill.quantity, max(0, int(number.rstrip("Y")) - before("Y")[0]))
        return min(Decimal(amount) * acts, half_up((bill.expense - bill.amo) * acts / bill.quantity))
    assert kind == "BASKET", kind
    price = bill.expense if bill.price is None else min(bill.expense, bill.price)
    return max(NOTHING, price - bill.amo)


def full(form: str, bill: Bill) -> Decimal:
    """What a form that counts by the year would pay if nothing of it were used."""
    return ceiling(form, bill, bill.expense, lambda _period: (0, NOTHING))


def bounded(amount: Decimal, bounds: list[str], bill: Bill, before: Before, paid: Paid) -> Decimal:
    """`amount` within each bound in turn; `paid` remembers which kind held it back."""
    for bound in bounds:
        most = allowed(bound, amount, bill, before)
        if most < amount:
            paid.met.add("account" if "/" in bound else "limit")
        amount = min(amount, most)
    return amount


def allowed(bound: str, amount: Decimal, bill: Bill, before: Before) -> Decimal:
    """What one bound lets pass of `amount`."""
    kind, _, value = bound.partition(":")
    number, _, period = value.partition("/")
    if kind == "BR_INCL":
        return max(NOTHING, percent(bill.base, number) - bill.amo)
    if kind == "ACTS":
        acts = max(0, int(number) - before(period)[0])
        return amount if acts >= bill.quantity else half_up(amount * acts / bill.quantity)
    with_amo = bill.amo if kind == "EUR_INCL" else NOTHING
    if not period:
        return max(NOTHING, Decimal(number) * bill.quantity - with_amo)
    used = before(period + WITH_AMO if kind == "EUR_INCL" else period)[1]
    return max(NOTHING, Decimal(number) - used - with_amo)


def counted(forms: list[str], amount: Decimal, bill: Bill, before: Before) -> list[tuple[str, int, Decimal]]:
    """What paying `amount` adds to the account of each form or bound that has a period."""
    found = []
    for form in forms:
        kind, _, value = form.partition(":")
        number, _, period = value.partition("/")
        if kind == "ACTS":
            found.append((period, min(bill.quantity, max(0, int(number) - before(period)[0])), NOTHING))
        elif kind == "EUR_ACT":
            left = max(0, int(period.rstrip("Y")) - before("Y")[0])
            found.append(("Y", min(bill.quantity, left), NOTHING))
        elif kind == "EUR_YEAR":
            found.append(("Y", 0, amount))
        elif period and kind == "EUR_INCL":
            found.append((period + WITH_AMO, 0, amount + bill.amo))
        elif period:
            found.append((period, 0, amount))
    return found


def percent(amount: Decimal, hundredths: str) -> Decimal:
    """So many per cent of `amount`, to the cent."""
    return half_up(amount * Decimal(hundredths) / 100)


def half_up(amount: Decimal) -> Decimal:
    """Rounded to the cent, half a cent going up."""
    return amount.quantize(CENT, ROUND_HALF_UP)
