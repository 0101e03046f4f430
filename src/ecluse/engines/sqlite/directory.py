"""Bank details in hub.db, sealed before they get here."""

from __future__ import annotations

from collections.abc import Iterable

from ecluse.engines.sqlite.database import Database

_PAYEE = "SELECT payee FROM practice WHERE practice = ?"
_PUT_PAYEE = """
    INSERT INTO practice (practice, payee) VALUES (?, ?)
    ON CONFLICT (practice) DO UPDATE SET payee = excluded.payee"""
_SETTLEMENT = "SELECT settlement FROM insurer WHERE amc = ?"
_PUT_SETTLEMENT = """
    INSERT INTO insurer (amc, settlement) VALUES (?, ?)
    ON CONFLICT (amc) DO UPDATE SET settlement = excluded.settlement"""


class Directory:
    """The `DirectoryStore` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def payees(self, practices: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those practices that have some."""
        return self._found(_PAYEE, practices)

    def put_payees(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        self._database.now(lambda connection: connection.executemany(_PUT_PAYEE, rows))

    def settlements(self, insurers: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those insurers that have some."""
        return self._found(_SETTLEMENT, insurers)

    def put_settlements(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        self._database.now(lambda connection: connection.executemany(_PUT_SETTLEMENT, rows))

    def _found(self, query: str, names: Iterable[str]) -> dict[str, bytes]:
        rows = ((name, self._database.reader.execute(query, (name,)).fetchone()) for name in names)
        return {name: row[0] for name, row in rows if row and row[0] is not None}
