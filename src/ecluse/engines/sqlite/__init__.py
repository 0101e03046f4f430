"""The embedded engine: SQLite in WAL mode, one file for money and claims, one immutable file per insurer for rights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecluse.app.ports import Keys, Moved, MoveTold
from ecluse.engines.sql.approvals import Approvals
from ecluse.engines.sql.claims import Claims
from ecluse.engines.sql.directory import Directory
from ecluse.engines.sql.feeds import Feeds
from ecluse.engines.sql.payments import Payments
from ecluse.engines.sql.products import Products
from ecluse.engines.sql.promises import Promises
from ecluse.engines.sql.unit import Result, Tx, Work
from ecluse.engines.sql.upkeep import Upkeep
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.engagements import Engagements
from ecluse.engines.sqlite.rights import Rights
from ecluse.engines.sqlite.rights_files import RightsFiles, rights_path
from ecluse.engines.sqlite.rights_work import RightsWorks
from ecluse.engines.stores import Stores
from ecluse.kernel.errors import refusal

ONE_FILE_ONLY = refusal(
    "one_file_only",
    500,
    "The embedded store holds every insurer in one place",
    fix="Leave [store.servers] and [store.insurers] empty, or give a postgresql:// store.url.",
)


def open_stores(
    url: str,
    directory: Path,
    keys: Keys,
    *,
    servers: Mapping[str, str],
    insurers: Mapping[str, str],
    connections_max: int,
) -> Stores:
    """The stores around the database of `url`, a path in `directory`; its neighbours are `engagements.db` and `rights/`.

    One file holds every insurer. Raises `one_file_only`.
    """
    if servers or insurers:
        raise ONE_FILE_ONLY()
    path = directory / url.removeprefix("sqlite:")
    database = Database(path)
    folder, place = path.with_name("rights"), OnePlace(database)
    engagements = Engagements(path.with_name("engagements.db"))

    async def close() -> None:
        engagements.close()
        database.close()

    return Stores(
        products=Products(place),
        rights=Rights(RightsFiles(folder, database), engagements, keys),
        payments=Payments(database),
        directory=Directory(database),
        claims=Claims(database, keys),
        approvals=Approvals(database, keys),
        promises=Promises(database, keys),
        feeds=Feeds(database),
        works=RightsWorks(path.parent, database),
        moves=OneFile(database),
        upkeep=Upkeep(
            database,
            place,
            readable=lambda *named: rights_path(folder, *named).is_file(),
            engagements=engagements.lacking,
            retries=lambda: database.retries,
        ),
        close=close,
    )


class OneFile:
    """The `InsurerMoves` port where nobody can move."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def where(self) -> dict[str, str]:
        """Every insurer is in the one file."""
        return {amc: "hub.db" for (amc,) in await self._database.reads.all("insurers_known")}

    async def move(self, insurer: str, target: str, told: MoveTold) -> Moved:
        """There is nowhere to go. Raises `one_file_only`."""
        raise ONE_FILE_ONLY()


class OnePlace:
    """The one database is that of every insurer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, _: str) -> Database:
        """The one."""
        return self._database

    async def write(self, insurer: str, work: Work[Result]) -> Result:
        """Run a unit of work; the insurer is served from now on."""

        async def served(tx: Tx) -> Result:
            await tx.run("serve_insurer", insurer=insurer)
            return await work(tx)

        return await self._database.write(served)
