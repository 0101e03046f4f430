"""Bank details and insurers' public keys, sealed before they get here."""

from __future__ import annotations

from collections.abc import Iterable

from ecluse.engines.sql.unit import Database


class Directory:
    """The `DirectoryStore` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def payees(self, practices: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those practices that have some."""
        return await self._found("payee", practices)

    async def put_payees(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        await self._put("put_payee", rows)

    async def settlements(self, insurers: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those insurers that have some."""
        return await self._found("settlement", insurers)

    async def put_settlements(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        await self._put("put_settlement", rows)

    async def recipients(self, insurers: Iterable[str]) -> dict[str, bytes]:
        """The sealed public keys of those insurers that have one."""
        return await self._found("recipient", insurers)

    async def put_recipient(self, insurer: str, sealed: bytes) -> None:
        """Keep an insurer's sealed public key."""
        await self._put("put_recipient", [(insurer, sealed)])

    async def _found(self, statement: str, names: Iterable[str]) -> dict[str, bytes]:
        rows = [(name, await self._database.reads.one(statement, name=name)) for name in names]
        return {name: row[0] for name, row in rows if row and row[0] is not None}

    async def _put(self, statement: str, rows: Iterable[tuple[str, bytes]]) -> None:
        values = [{"name": name, "sealed": sealed} for name, sealed in rows]
        await self._database.write(lambda tx: tx.many(statement, values))
