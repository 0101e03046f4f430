"""Guarantee tables in hub.db: every version ever loaded, immutable, by its digest."""

from __future__ import annotations

import sqlite3

from ecluse.coverage.product import Product, canonical, from_canonical, version
from ecluse.engines.sqlite.database import Database, Remembered

CACHED_MAX = 4096  # products are a few kilobytes; a hundred insurers have some thousands

_ADD = """
    INSERT INTO product (insurer, product, version, loaded_ts_us, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (insurer, product, version) DO UPDATE SET loaded_ts_us = excluded.loaded_ts_us"""
_SERVE = "INSERT INTO insurer (amc) VALUES (?) ON CONFLICT DO NOTHING"
_IN_FORCE = """
    SELECT version FROM product WHERE insurer = ? AND product = ? ORDER BY loaded_ts_us DESC LIMIT 1"""
_BODY = "SELECT body FROM product WHERE insurer = ? AND product = ? AND version = ?"
_NAMES = "SELECT DISTINCT product FROM product WHERE insurer = ? ORDER BY product"


class Products:
    """Guarantee tables by insurer, product and version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_force: Remembered[str] = Remembered(database.reader, _IN_FORCE)
        self._read: dict[tuple[str, str, str], Product] = {}

    def add(self, insurer: str, product: Product, loaded_ts_us: int) -> bool:
        """Put this version in force; False when it already was. Durable on return."""
        named = version(product)
        if self.in_force(insurer, product.product) == named:
            return False

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SERVE, (insurer,))
            connection.execute(_ADD, (insurer, product.product, named, loaded_ts_us, canonical(product)))

        self._database.now(work)
        return True

    def in_force(self, insurer: str, product: str) -> str:
        """The version in force now; empty when the product was never loaded."""
        return self._in_force.get(insurer, product) or ""

    def names(self, insurer: str) -> list[str]:
        """The products loaded for an insurer."""
        return [name for (name,) in self._database.reader.execute(_NAMES, (insurer,))]

    def table(self, insurer: str, product: str, named: str) -> Product | None:
        """The guarantee table of that version; None when there is none."""
        key = (insurer, product, named)
        if key not in self._read:
            found = self._database.reader.execute(_BODY, key).fetchone()
            if found is None:
                return None
            if len(self._read) >= CACHED_MAX:
                self._read.clear()
            self._read[key] = from_canonical(found[0])
        return self._read[key]
