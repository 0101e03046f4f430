"""Loading guarantee tables: read, checked, put in force, traced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from ecluse.app.hub import Hub
from ecluse.coverage.product import Product, read_product, version
from ecluse.coverage.responsible.obligations import breaches, days_of_change
from ecluse.journal.entry import Operation, act
from ecluse.kernel.days import paris_day
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc
from ecluse.rules.book import RuleBook


class ProductLoaded(msgspec.Struct, frozen=True):
    """What loading did: `changed` is False when this very table was in force already."""

    insurer: str
    product: str
    version: str
    rows: int
    changed: bool


PRODUCT_NOT_RESPONSIBLE = refusal(
    "product_not_responsible",
    422,
    "This table calls itself responsible and is not",
    fix="Run `ecluse product check` on the file for all that is wrong; or write `responsible: false`.",
)


class Checked(msgspec.Struct, frozen=True):
    """A product file that can be read: its version, and what its rows do that a responsible contract may not, by day."""

    product: str
    version: str
    rows: int
    responsible: bool
    breaches: tuple[Found, ...]


class Found(msgspec.Struct, frozen=True):
    """A breach from the day `since` on. `row` is counted from 1 in the file; None: a row is missing."""

    since: date
    row: int | None
    label: str
    what: str
    fix: str
    reference: str


def check_product(book: RuleBook, data: bytes, today: date) -> Checked:
    """Read a product file and try out what it promises from today on. Raises `product_invalid`."""
    product = read_product(data)
    return Checked(
        product.product, version(product), len(product.guarantees), product.responsible, _found(book, product, today)
    )


def _found(book: RuleBook, product: Product, today: date) -> tuple[Found, ...]:
    found: dict[tuple[int | None, str], Found] = {}
    for day in days_of_change(product, book, today):
        for each in breaches(product, book, day):
            row = None if each.row is None else each.row + 1
            label = "" if each.row is None else product.guarantees[each.row].label
            found.setdefault((row, each.fix), Found(day, row, label, each.what, each.fix, each.reference))
    return tuple(found.values())


def _hold(found: Sequence[Found]) -> None:
    for first in found[:1]:
        place = f"row {first.row} « {first.label} »" if first.row else "a row is missing"
        more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
        pointer = f"/guarantees/{first.row - 1}" if first.row else "/guarantees"
        detail = f"{place}: {first.what}, against {first.reference}{more}"
        raise PRODUCT_NOT_RESPONSIBLE(detail, pointer=pointer, fix=first.fix)


async def load_product(hub: Hub, insurer: str, data: bytes) -> ProductLoaded:
    """Put a product file in force for an insurer, who is served from now on; in the journal before it is.

    Raises `amc_invalid`, `product_invalid`, `product_not_responsible`, `insurer_moving`, `journal_poisoned`.
    """
    number = amc(insurer)
    product = read_product(data)
    _hold(_found(hub.book, product, paris_day(hub.clock.now())))
    named, now_ts_us = version(product), hub.now_ts_us
    changed = await hub.products.in_force(number, product.product) != named
    if changed:  # killed after the entry, it is told again: one load too many in the journal, never one too few
        told = act(
            Operation.PRODUCT_LOADED, now_ts_us, hub.ids.new("prd_"), f"{product.product} {named}", insurer=number
        )
        await hub.desk.record(told)
    hub.keys.create(number)
    if changed:
        await hub.products.add(number, product, now_ts_us)
    return ProductLoaded(number, product.product, named, len(product.guarantees), changed)
