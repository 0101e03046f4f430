"""Loading guarantee tables: read, checked, put in force, traced."""

from __future__ import annotations

import msgspec

from ecluse.app.hub import Hub
from ecluse.coverage.product import Product, read_product, version
from ecluse.journal.entry import FORMAT, Entry, Operation
from ecluse.kernel.ids import amc


class ProductLoaded(msgspec.Struct, frozen=True):
    """What loading did: `changed` is False when this very table was in force already."""

    insurer: str
    product: str
    version: str
    rows: int
    changed: bool


async def load_product(hub: Hub, insurer: str, data: bytes) -> ProductLoaded:
    """Put a product file in force for an insurer, who is served from now on. Raises `amc_invalid`, `product_invalid`."""
    number = amc(insurer)
    product = read_product(data)
    hub.keys.create(number)
    now_ts_us = int(hub.clock.now().timestamp() * 1_000_000)
    changed = await hub.products.add(number, product, now_ts_us)
    if changed:
        await hub.desk.record(_entry(number, product, now_ts_us, hub.ids.new("prd_")))
    return ProductLoaded(number, product.product, version(product), len(product.guarantees), changed)


def _entry(insurer: str, product: Product, now_ts_us: int, request: str) -> Entry:
    return Entry(
        format=FORMAT,
        ts_us=now_ts_us,
        operation=Operation.PRODUCT_LOADED,
        account="operator",
        practice="",
        insurer=insurer,
        person=b"",
        presence=0,
        fields=0,
        outcome=f"{product.product} {version(product)}",
        engagement="",
        request=request,
        sealed=b"",
    )
