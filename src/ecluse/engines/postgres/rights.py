"""The `RightsStore` port: sealed rights and engagements on the insurer's server, opened for whoever was admitted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ecluse.app.access import open_engagement
from ecluse.app.ports import Keys, Mark
from ecluse.engines.postgres.engagements import Engagements
from ecluse.engines.postgres.lookups import NOBODY, Found, Lookups
from ecluse.engines.postgres.places import HOME, Patience, Places
from ecluse.gate.admission import Admission, Person
from ecluse.journal.entry import Entry
from ecluse.rights.model import Engagement, Right
from ecluse.rights.person import right_about

_NO_KEYS = (bytes(16),)
_right = msgspec.msgpack.Decoder(Right).decode


class Rights:
    """Reads for one process; nothing is opened without an `Admission`."""

    def __init__(self, places: Places, engagements: Engagements, keys: Keys) -> None:
        self._places = places
        self._engagements = engagements
        self._keys = keys
        self._lookups = {
            (name, by_member): Lookups(server, by_member=by_member)
            for name, server in places.servers.items()
            for by_member in (False, True)
        }

    async def ready(self) -> None:
        """Raise if the home database does not answer: claims and money need it."""
        await self._places.home.reads.all("servers_of_insurers")

    async def rights(self, admission: Admission) -> list[Right]:
        """Every right of the one person the admission covers; empty when unknown.

        Raises `database_unavailable` when the insurer's server does not answer, `insurer_moving`.
        """
        assert isinstance(admission.about, Person)
        insurer = admission.about.insurer
        person, sealed = await self._find(admission.about)
        about = right_about(insurer, person)
        return [_right(self._keys.open(insurer, each, about)) for each in sealed]

    async def lags(self) -> bool:
        """Whether a server that answers lacks engagements that were kept."""
        return await self._engagements.lags()

    async def marks(self) -> dict[str, int]:
        """How far each slot of the journal is copied on every server that answers."""
        return await self._engagements.marks()

    def caught_up(self) -> None:
        """Everything the journal holds past the `marks` was kept."""
        self._engagements.caught_up()

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Keep the engagements these durable entries give, up to `mark`."""
        self._engagements.keep(entries, mark)

    async def flush(self) -> None:
        """Write now what is held."""
        await self._engagements.flush()

    async def engagement(self, admission: Admission) -> Engagement | None:
        """The engagement the admission names, if it was given to the admitted practice."""
        assert isinstance(admission.about, str)
        found = await self._engagements.find(admission.about, admission.asked.account.practice)
        return open_engagement(self._keys, found[0], admission.about, found[1]) if found else None

    async def _find(self, person: Person) -> Found:
        patience = Patience(self._places)
        while person.keys and (server := await self._places.server_of(person.insurer)) is not None:
            found = await self._lookups[server, person.by_member].find(person.insurer, person.keys)
            if found is not None:
                return found
            await patience.wait()
        # An insurer that is not served must not be told by the time: nobody is looked for.
        await self._lookups[HOME, person.by_member].find(person.insurer, _NO_KEYS)
        return NOBODY
