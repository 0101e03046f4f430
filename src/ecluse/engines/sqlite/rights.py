"""The `RightsStore` port: sealed rights of the current generation, engagements, opened for whoever was admitted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ecluse.app.access import open_engagement
from ecluse.app.ports import Keys, Mark
from ecluse.engines.sqlite.engagements import Engagements
from ecluse.engines.sqlite.rights_files import RightsFiles
from ecluse.gate.admission import Admission, Person
from ecluse.journal.entry import Entry
from ecluse.rights.model import Engagement, Right
from ecluse.rights.person import right_about

_right = msgspec.msgpack.Decoder(Right).decode


class Rights:
    """Reads for one process; nothing is opened without an `Admission`."""

    def __init__(self, files: RightsFiles, engagements: Engagements, keys: Keys) -> None:
        self._files = files
        self._engagements = engagements
        self._keys = keys

    async def ready(self) -> None:
        """Raise if the engagements cannot be read."""
        self._engagements.marks()

    async def rights(self, admission: Admission) -> list[Right]:
        """Every right of the one person the admission covers; empty when unknown."""
        assert isinstance(admission.about, Person)
        insurer = admission.about.insurer
        person, sealed = self._files.read(insurer, admission.about.keys, by_member=admission.about.by_member)
        about = right_about(insurer, person)
        return [_right(self._keys.open(insurer, each, about)) for each in sealed]

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Keep the engagements these durable entries give, up to `mark`."""
        self._engagements.keep(entries, mark)

    async def lags(self) -> bool:
        """Never: the file is this machine's own, and was copied up to the end when the hub started."""
        return False

    def caught_up(self) -> None:
        """Everything the journal holds past the `marks` was kept."""
        self._engagements.caught_up()

    async def marks(self) -> dict[str, int]:
        """How far each slot of the journal is copied."""
        return self._engagements.marks()

    async def flush(self) -> None:
        """Write now what is held."""
        self._engagements.flush()

    async def engagement(self, admission: Admission) -> Engagement | None:
        """The engagement the admission names, if it was given to the admitted practice."""
        assert isinstance(admission.about, str)
        found = await self._engagements.find_patiently(admission.about, admission.asked.account.practice)
        return open_engagement(self._keys, found[0], admission.about, found[1]) if found else None
