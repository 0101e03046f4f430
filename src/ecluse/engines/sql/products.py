"""Guarantee tables: every version ever loaded, immutable, by its digest."""

from __future__ import annotations

from ecluse.coverage.product import Product, canonical, from_canonical, version
from ecluse.engines.sql.unit import Places, Tx

CACHED_MAX = 4096  # products are a few kilobytes; a hundred insurers have some thousands


class Products:
    """The `ProductStore` port: an insurer's tables are where the insurer is."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._read: dict[tuple[str, str, str], Product] = {}

    async def add(self, insurer: str, product: Product, loaded_ts_us: int) -> bool:
        """Put this version in force; False when it already was. Durable on return. Raises `insurer_moving`."""
        named, name = version(product), product.product

        async def work(tx: Tx) -> bool:
            row = await tx.one("product_in_force", insurer=insurer, product=name)
            if row and row[0] == named:
                return False
            since_ts_us = max(loaded_ts_us, row[1] + 1) if row else loaded_ts_us  # a clock set back does not undo it
            kept = {"version": named, "loaded_ts_us": since_ts_us, "body": canonical(product)}
            await tx.run("add_product", insurer=insurer, product=name, **kept)
            return True

        is_new = await self._places.write(insurer, work)
        (await self._places.of(insurer)).forget()
        return is_new

    async def in_force(self, insurer: str, product: str) -> str:
        """The version in force now; empty when the product was never loaded."""
        database = await self._places.of(insurer)
        return await database.remembered("product_in_force", insurer=insurer, product=product) or ""

    async def names(self, insurer: str) -> list[str]:
        """The products loaded for an insurer."""
        database = await self._places.of(insurer)
        return [name for (name,) in await database.reads.all("products_of", insurer=insurer)]

    async def table(self, insurer: str, product: str, named: str) -> Product | None:
        """The guarantee table of that version; None when there is none."""
        key = (insurer, product, named)
        if key not in self._read:
            database = await self._places.of(insurer)
            found = await database.reads.one("product_body", insurer=insurer, product=product, version=named)
            if found is None:
                return None
            if len(self._read) >= CACHED_MAX:
                self._read.clear()
            self._read[key] = from_canonical(found[0])
        return self._read[key]
