"""Who is covered by whom, for what and when: the truth of rights, one row a person, contract and period.

About 4 % have no complementary insurance (docs/simulator.md); every other frequency here is assumed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sim.insurers import Insurer
from sim.people import Person
from sim.products import MEDICAL, SUPPLEMENT_CODE, Product
from sim.seeds import chance, stream, weighted

WITHOUT = 40  # per mille: 96 % are covered (docs/simulator.md)
CLOSED_DOMAINS = ((), 700), (("TRAN",), 120), (("AUDI", "OPTI"), 100), (("DENT",), 50), (("AUXM", "TRAN"), 30)
SHAPES = (
    ("yearly", 460), ("open", 240), ("new", 100), ("contiguous", 80), ("upgraded", 40), ("ended", 50), ("coming", 30),
)  # fmt: skip
SECOND = 45  # per mille of covered families that hold a supplement with the same insurer


@dataclass(frozen=True, slots=True)
class Contract:
    """One row of rights. `valid_to` is the last day inside; None means no end is known."""

    person: int
    insurer: str
    member_number: str
    contract: str
    product: str
    domains: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    convention_type: str
    csr: str
    responsible: bool
    priority: int


def contracts_of(seed: int, members: list[Person], insurers: tuple[Insurer, ...], day: date) -> list[Contract]:
    """The rows of a family: the same insurer and contract for all its members."""
    draw = stream(seed, "contract", members[0].family)
    if chance(draw, WITHOUT):
        return []
    insurer = weighted(draw, [(each, each.share) for each in insurers])
    number = f"{draw.randrange(10**8):08d}{members[0].family % 10**4:04d}"
    rows = main_rows(draw, insurer, number, day)
    if chance(draw, SECOND):
        rows.append(supplement(draw, insurer, number, day))
    return [replace(row, person=person.number) for person in members for row in rows]


def main_rows(draw: random.Random, insurer: Insurer, number: str, day: date) -> list[Contract]:
    """The rows of the family's main contract, in one of the shapes of life."""
    products = [each for each in insurer.products if not each.code.startswith(SUPPLEMENT_CODE)]
    product = draw.choice(products)
    first, last = date((day - timedelta(days=120)).year, 1, 1), date(day.year, 12, 31)
    one = blank(insurer, number, f"C{number}", product, first, last, weighted(draw, CLOSED_DOMAINS))
    match weighted(draw, SHAPES):
        case "open":
            return [replace(one, valid_from=first - timedelta(days=30 * draw.randrange(1, 90)), valid_to=None)]
        case "new":  # waiting periods are not over
            return [replace(one, valid_from=day - timedelta(days=draw.randrange(10, 170)), valid_to=None)]
        case "contiguous":
            turn = day - timedelta(days=draw.randrange(0, 60))
            return [replace(one, valid_to=turn - timedelta(days=1)), replace(one, valid_from=turn)]
        case "upgraded":
            turn = day - timedelta(days=draw.randrange(0, 60))
            other = draw.choice(products)
            return [replace(one, valid_to=turn - timedelta(days=1)), replace(one, valid_from=turn, product=other.code)]
        case "ended":
            return [replace(one, valid_to=day - timedelta(days=draw.randrange(1, 100)))]
        case "coming":
            return [replace(one, valid_from=day + timedelta(days=draw.randrange(1, 40)), valid_to=None)]
    return [one]


def blank(
    insurer: Insurer, number: str, contract: str, product: Product, first: date, last: date, closed: tuple[str, ...]
) -> Contract:
    """A first-priority row for the whole of `first` to `last`."""
    domains = tuple(code for code in MEDICAL if code not in closed)
    convention = (insurer.convention_type, insurer.csr)
    return Contract(
        -1, insurer.number, number, contract, product.code, domains, first, last, *convention, product.responsible, 1
    )


def supplement(draw: random.Random, insurer: Insurer, number: str, day: date) -> Contract:
    """A second contract with the same insurer, which pays after the first."""
    product = insurer.products[-1]
    domains = {code for row in product.rows for code in row.domains}
    closed = tuple(code for code in MEDICAL if code not in domains)
    start = date(day.year, 1, 1) + timedelta(days=draw.randrange(0, 28))
    return replace(blank(insurer, number, f"S{number}", product, start, day, closed), valid_to=None, priority=2)
