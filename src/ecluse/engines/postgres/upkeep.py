"""The `Upkeep` port over several servers: each is asked what is wrong with it."""

from __future__ import annotations

from ecluse.app.ports.upkeep import Fault, Integrity
from ecluse.engines.postgres.integrity import faults
from ecluse.engines.postgres.places import HOME, Places
from ecluse.engines.sql.upkeep import Upkeep


class ServersUpkeep(Upkeep):
    """What an operator asks of a hub on PostgreSQL."""

    def __init__(self, places: Places) -> None:
        servers = places.servers.values()
        super().__init__(places.home, places, retries=lambda: sum(server.retries for server in servers))
        self._servers = places.servers

    async def integrity(self) -> Integrity:
        """Every server in turn: its catalogue, the ledger on the home one, its checksums."""
        found: list[Fault] = []
        for name, server in self._servers.items():
            found += await faults(server, home=name == HOME)
        return Integrity(
            f"{len(self._servers)} servers: tables, indexes, constraints and checksums; the ledger", tuple(found)
        )
