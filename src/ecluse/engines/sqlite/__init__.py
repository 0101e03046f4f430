"""The embedded engine: SQLite in WAL mode, one file for money and claims, one immutable file per insurer for rights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecluse.app.ports import Keys
from ecluse.engines.sqlite.claims import Claims
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.directory import Directory
from ecluse.engines.sqlite.engagements import Engagements
from ecluse.engines.sqlite.payments import Payments
from ecluse.engines.sqlite.products import Products
from ecluse.engines.sqlite.rights import Rights
from ecluse.engines.sqlite.rights_files import RightsFiles


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything the embedded engine keeps, by port."""

    database: Database
    engagements: Engagements
    products: Products
    rights: Rights
    payments: Payments
    directory: Directory
    claims: Claims

    def close(self) -> None:
        """Close every file."""
        self.engagements.close()
        self.database.close()


def open_stores(path: Path, keys: Keys) -> Stores:
    """The stores around the database at `path`; its neighbours are `engagements.db` and `rights/`."""
    database = Database(path, "hub.sql")
    engagements = Engagements(path.with_name("engagements.db"))
    rights = Rights(RightsFiles(path.with_name("rights"), database), engagements, keys)
    return Stores(
        database,
        engagements,
        Products(database),
        rights,
        Payments(database),
        Directory(database),
        Claims(database, keys),
    )
