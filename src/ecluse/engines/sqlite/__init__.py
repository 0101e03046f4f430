"""The embedded engine: SQLite in WAL mode, one file for money and claims, one immutable file per insurer for rights."""

from __future__ import annotations

from pathlib import Path

from ecluse.app.ports import Keys
from ecluse.engines.sql.claims import Claims
from ecluse.engines.sql.directory import Directory
from ecluse.engines.sql.feeds import Feeds
from ecluse.engines.sql.payments import Payments
from ecluse.engines.sql.products import Products
from ecluse.engines.sql.unit import DatabaseOf
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.engagements import Engagements
from ecluse.engines.sqlite.rights import Rights
from ecluse.engines.sqlite.rights_files import RightsFiles
from ecluse.engines.sqlite.rights_work import RightsWorks
from ecluse.engines.stores import Stores


def open_stores(place: str, directory: Path, keys: Keys) -> Stores:
    """The stores around the database `place`, a path in `directory`; its neighbours are `engagements.db` and `rights/`."""
    path = directory / place
    database = Database(path)
    engagements = Engagements(path.with_name("engagements.db"))

    async def close() -> None:
        engagements.close()
        database.close()

    return Stores(
        products=Products(always(database)),
        rights=Rights(RightsFiles(path.with_name("rights"), database), engagements, keys),
        payments=Payments(database),
        directory=Directory(database),
        claims=Claims(database, keys),
        feeds=Feeds(database),
        works=RightsWorks(path.parent, database),
        close=close,
    )


def always(database: Database) -> DatabaseOf:
    """The one database is that of every insurer."""

    async def of(_: str) -> Database:
        return database

    return of
