"""The price of a claim's lines: each shared out between the AMO, the contracts by priority, and the patient. Pure.

Yearly guarantees are counted: `counters` names what must be known before, and `price` says what each line adds. A counter
is that of one guarantee row of one contract over a calendar year, the year of the day of care.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import msgspec

from ecluse.claims.claim import Billed, Paid, Priced
from ecluse.coverage.compute import Split, StepName, compute, obligatory_cents
from ecluse.coverage.explain import because
from ecluse.coverage.guarantee import NONE, Kind, parse
from ecluse.coverage.line import NOTHING_USED, Line, Used, read_line
from ecluse.coverage.product import Product, Row
from ecluse.rights.model import Covered, Domain

COUNTED = (Kind.EUR_ACT, Kind.EUR_YEAR)  # the forms of guarantee that count by the year

Counter = tuple[str, int]  # the guarantee row's name, and the calendar year


class Payer(msgspec.Struct, frozen=True):
    """A contract and the guarantee table it promised."""

    covered: Covered
    product: Product


Payers = Callable[[date], Sequence[Payer]]  # who pays for care of that day, first payer first


def priceable(billed: Billed, index: int) -> Line:
    """The line as the computation takes it; `index` leads to it in the request. Raises `line_invalid`, `rate_invalid`."""
    pointer = f"/lines/{index}"
    return read_line(billed.expense_cents, billed.base_cents, billed.amo_rate, billed.quantity, pointer=pointer)


def counters(domain: Domain, lines: Sequence[Billed], payers: Payers) -> set[Counter]:
    """Every yearly counter that pricing these lines reads."""
    found = set()
    for billed in lines:
        for payer in payers(billed.date):
            row = payer.product.guarantee(domain, billed.act, billed.date)
            if row is not None and _is_counted(row):
                found.add((_counter(payer, row), billed.date.year))
    return found


def price(
    domain: Domain, lines: Sequence[tuple[Billed, Line]], payers: Payers, used: Mapping[Counter, Used]
) -> tuple[Priced, ...]:
    """Share out the lines in their order; what one uses of a yearly guarantee is no longer there for the next."""
    so_far = dict(used)
    return tuple(_price_line(domain, billed, line, payers(billed.date), so_far) for billed, line in lines)


def _price_line(
    domain: Domain, billed: Billed, line: Line, payers: Sequence[Payer], used: dict[Counter, Used]
) -> Priced:
    """As `coverage.compute_contracts`, one contract after the other so that each sees what the one before has used."""
    amo, _ = obligatory_cents(line)
    amc, paid = 0, []
    for payer in payers:
        row = payer.product.guarantee(domain, billed.act, billed.date)
        counter = (_counter(payer, row), billed.date.year) if row is not None and _is_counted(row) else ("", 0)
        before = used.get(counter, NOTHING_USED)
        split = compute(line, row.parsed if row else NONE, before, amc)
        if counter[0]:
            used[counter] = before + split.consumed
        amc += split.amc_cents
        paid.append(_paid(payer, row, split, counter, before))
    return Priced(billed, amo, amc, line.expense_cents - amo - amc, tuple(paid))


def _paid(payer: Payer, row: Row | None, split: Split, counter: Counter, before: Used) -> Paid:
    covered = payer.covered
    return Paid(
        contract=covered.contract,
        member_number=covered.member_number,
        product=covered.product,
        version=covered.product_version,
        guarantee=row.guarantee if row else str(NONE),
        amc_cents=split.amc_cents,
        counter=counter[0],
        year=counter[1],
        used_acts=before.acts,
        used_cents=before.cents,
        acts=split.consumed.acts if counter[0] else 0,
        cents=split.consumed.cents if counter[0] else 0,
    )


def consumption(lines: Sequence[Priced]) -> dict[Counter, Used]:
    """What priced lines added to each yearly counter: what a cancellation gives back."""
    added: dict[Counter, Used] = {}
    for line in lines:
        for paid in line.paid:
            if paid.acts or paid.cents:
                counter = (paid.counter, paid.year)
                added[counter] = added.get(counter, NOTHING_USED) + Used(paid.acts, paid.cents)
    return added


def reasons(priced: Priced) -> list[str]:
    """Why the line is shared out so, in French, for the patient; computed again from what the claim remembers."""
    billed = priced.billed
    line = priceable(billed, 0)
    if not priced.paid:
        return because(compute(line, NONE), line)
    said, before = [], 0
    for place, paid in enumerate(priced.paid, start=1):
        split = compute(line, parse(paid.guarantee), Used(paid.used_acts, paid.used_cents), before)
        before += paid.amc_cents
        said += because(_part(split, place, len(priced.paid)), line, _NAMES[min(place, len(_NAMES)) - 1])
    return said


_NAMES = ("Votre contrat", "Votre deuxième contrat", "Votre troisième contrat", "Votre contrat suivant")
_ONCE_FIRST = (StepName.AMO, StepName.TICKET_MODERATEUR)  # said with the first contract only
_ONCE_LAST = (StepName.PARTICIPATION, StepName.PATIENT)  # said with the last contract only


def _part(split: Split, place: int, count: int) -> Split:
    """The steps that are said with contract `place` of `count`."""
    left_out = (_ONCE_FIRST if place > 1 else ()) + (_ONCE_LAST if place < count else ())
    return msgspec.structs.replace(split, steps=tuple(step for step in split.steps if step.name not in left_out))


def _is_counted(row: Row) -> bool:
    return any(part.kind in COUNTED for part in row.parsed.parts)


def _counter(payer: Payer, row: Row) -> str:
    """The row by what it speaks of, not by its place or amount: a new version of the table goes on with the same counter."""
    named = (payer.covered.contract, payer.covered.product, " ".join(row.domains), " ".join(row.acts or ()))
    return "|".join(named)
