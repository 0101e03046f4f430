"""Which server holds which insurer. The settings say where a new insurer goes; where it is, the home database says.

The home database (`store.url`) holds claims and money of everybody; rights, engagements and products of an insurer are on the
insurer's server. Each server also says itself whom it serves (`served`), and that is asked together with every look-up: a process
that has not yet heard of a move is told "not here", never "unknown", and asks the home database again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from ecluse.engines.postgres.database import Database
from ecluse.engines.postgres.server import Server
from ecluse.engines.sql.unit import Result, Tx, Work
from ecluse.kernel.errors import Refused, refusal

HOME = "home"  # the name of the server of `store.url`
FRESH_S = 1.0  # how long the map is believed; a move is told by the server itself before that
MOVING_S = (
    5.0  # how long an asker waits for an insurer between two servers; 2.4 s were measured with 1.5 million engagements
)
PAUSE_S = 0.02

INSURER_MOVING = refusal(
    "insurer_moving", 503, "This insurer is moving to another server", fix="Try again in a few seconds."
)
SERVER_UNKNOWN = refusal(
    "server_unknown", 500, "No server of that name", fix="Name it under [store.servers] in ecluse.toml."
)


class Places:
    """The servers of one hub, and the insurers on them."""

    def __init__(self, servers: Mapping[str, Server], placed: Mapping[str, str]) -> None:
        self.servers = servers
        self._databases = {name: Database(server) for name, server in servers.items()}
        self._placed = placed  # by the settings: where a new insurer goes
        self._known: dict[str, str] = {}
        self._fresh_until_s = 0.0
        self._asking: asyncio.Task[None] | None = None

    @property
    def home(self) -> Database:
        """The database of claims and money, and of the map."""
        return self._databases[HOME]

    async def of(self, insurer: str) -> Database:
        """The database the insurer is on; home, if it is on none. Raises `server_unknown`."""
        return self.database(await self.server_of(insurer) or HOME)

    async def place(self, insurer: str) -> Database:
        """Put a new insurer where the settings say, and have that server serve it. Raises `server_unknown`."""
        chosen = self._placed.get(insurer, HOME)
        self.database(chosen)

        async def work(tx: Tx) -> str:
            await tx.hold("place", insurer)
            await tx.run("place_insurer", insurer=insurer, server=chosen)
            row = await tx.one("server_of", insurer=insurer)
            assert row is not None, insurer
            server, is_moving = str(row[0]), bool(row[1])
            if not is_moving:  # whoever moves it has it served at the right moment
                await self._serve(tx, server, insurer)
            return server

        self._known[insurer] = await self.home.write(work)
        return self.database(self._known[insurer])

    async def write(self, insurer: str, work: Work[Result]) -> Result:
        """Run a unit of work on the server of an insurer, who is placed first if new. The switch of a move waits for it, or it
        waits for the switch: what it writes there moves too.

        Raises `insurer_moving` when the insurer is on its way for too long, `server_unknown`.
        """
        patience = Patience(self)
        while True:
            database = await self.place(insurer)
            done: list[Result] = []

            async def here(tx: Tx, done: list[Result] = done) -> None:
                await tx.hold(
                    "switch", insurer
                )  # what writers of engagements share (`switch_lock`): they wait for milliseconds
                if await tx.one("served_here", insurer=insurer):
                    done[:] = [await work(tx)]

            await database.write(here)
            if done:
                return done[0]
            await patience.wait()

    async def _serve(self, tx: Tx, server: str, insurer: str) -> None:
        """Have the server serve the insurer; home in the unit of work there is, for another connection may be one too many."""
        if server == HOME:
            await tx.run("serve_here", insurer=insurer)
        else:
            await self.database(server).write(lambda there: there.run("serve_here", insurer=insurer))

    async def server_of(self, insurer: str) -> str | None:
        """The name of the insurer's server, None when it was never placed; as known, while home does not answer.

        Raises `server_unknown`, and `database_unavailable` while nothing is known.
        """
        if time.monotonic() > self._fresh_until_s:
            await self.refresh()
        name = self._known.get(insurer)
        return name and self.database(name).server.name

    def known(self, insurer: str) -> str:
        """The same without asking: as the map was last read; home, if it does not say."""
        return self._known.get(insurer, HOME)

    async def refresh(self) -> None:
        """Ask the home database; those that ask meanwhile wait for the same answer, and may leave without it."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            self._known = dict(await self.home.reads.all("servers_of_insurers"))
        except Refused:
            if not self._known:
                raise
            # Home is down: who is where changes nowhere else, and each server says itself whom it serves.
        finally:
            self._asking = None
        self._fresh_until_s = time.monotonic() + FRESH_S

    def database(self, name: str) -> Database:
        """The database of a server. Raises `server_unknown`."""
        try:
            return self._databases[name]
        except KeyError:
            raise SERVER_UNKNOWN(f"{name!r} is not among {', '.join(sorted(self._databases))}") from None

    async def close(self) -> None:
        """Give every connection back."""
        for server in self.servers.values():
            await server.close()


class Patience:
    """How long an asker bears "not here" before it is told that the insurer is moving."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._until_s = time.monotonic() + MOVING_S

    async def wait(self) -> None:
        """A moment, then the map as it is now. Raises `insurer_moving` when it has lasted too long."""
        if time.monotonic() > self._until_s:
            raise INSURER_MOVING()
        await asyncio.sleep(PAUSE_S)
        await self._places.refresh()
