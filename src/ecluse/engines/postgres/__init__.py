"""The engine on PostgreSQL: one home server for claims and money, and as many as wanted for insurers' rights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecluse.app.ports import Keys
from ecluse.engines.postgres.engagements import Engagements
from ecluse.engines.postgres.moves import InsurerMoves
from ecluse.engines.postgres.places import HOME, Places
from ecluse.engines.postgres.rights import Rights
from ecluse.engines.postgres.server import Server
from ecluse.engines.postgres.upkeep import ServersUpkeep
from ecluse.engines.postgres.works import RightsWorks
from ecluse.engines.sql.approvals import Approvals
from ecluse.engines.sql.claims import Claims
from ecluse.engines.sql.directory import Directory
from ecluse.engines.sql.feeds import Feeds
from ecluse.engines.sql.payments import Payments
from ecluse.engines.sql.products import Products
from ecluse.engines.sql.promises import Promises
from ecluse.engines.stores import Stores


def open_stores(
    url: str,
    directory: Path,
    keys: Keys,
    *,
    servers: Mapping[str, str],
    insurers: Mapping[str, str],
    connections_max: int,
) -> Stores:
    """The stores on the server of `url` and on `servers` (name → URL); `insurers` says where new ones go. Connects to none."""
    every = {HOME: url, **servers}
    places = Places({name: Server(name, at, connections_max) for name, at in every.items()}, insurers)
    engagements = Engagements(places)
    works = RightsWorks(directory, places)

    async def close() -> None:
        await engagements.close()
        await places.close()

    return Stores(
        products=Products(places),
        rights=Rights(places, engagements, keys),
        payments=Payments(places.home),
        directory=Directory(places.home),
        claims=Claims(places.home, keys),
        approvals=Approvals(places.home, keys),
        promises=Promises(places.home, keys),
        feeds=Feeds(places.home),
        works=works,
        moves=InsurerMoves(places, works),
        upkeep=ServersUpkeep(places),
        close=close,
    )
