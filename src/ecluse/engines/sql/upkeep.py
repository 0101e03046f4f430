"""The `Upkeep` port: what an operator asks of a relational store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ecluse.app.ports.upkeep import Fault, Integrity, Kept
from ecluse.engines.sql.unit import Database, Places

_RESTORE = "Pay nothing. Stop the hub, restore its copy."


class Upkeep:
    """Over the home database and each insurer's own. `readable`: whether a named generation of rights is there.

    `engagements`: which of them are lacking, where they are in no database of an insurer.
    """

    def __init__(
        self,
        home: Database,
        places: Places,
        readable: Callable[[str, str], bool] = lambda *_: True,
        engagements: Callable[[str], set[str]] | None = None,
        retries: Callable[[], int] = lambda: 0,
    ) -> None:
        self._home = home
        self._places = places
        self._readable = readable
        self._engagements = engagements
        self.retries = retries

    async def ready(self) -> None:
        """Raise if the database cannot be read."""
        await self._home.reads.one("feed_states")

    async def integrity(self) -> Integrity:
        """Every page of the file, and the ledger."""
        (page,) = await self._home.reads.one("integrity") or ("the check gave no answer",)
        if page != "ok":
            return Integrity("", (Fault(f"the database is damaged: {page}", "Stop the hub, restore its copy."),))
        broken = await self._home.reads.all("ledger_broken")
        wrong = [Fault(f"entry {entry} of the ledger does not sum to zero", _RESTORE) for (entry,) in broken[:1]]
        return Integrity("every page of the database, and the ledger", tuple(wrong))

    async def insurers(self) -> list[tuple[str, bool, bool]]:
        """Insurers served: number, whether they have rights, whether these can be read."""
        return [await self._answering(amc) for (amc,) in await self._home.reads.all("insurers")]

    async def feeds(self) -> dict[str, int]:
        """How many feeds are in each state."""
        return dict(await self._home.reads.all("feed_states"))

    async def waiting_since_ts_us(self) -> int:
        """When the oldest feed that is not finished was received."""
        row = await self._home.reads.one("waiting_since")
        return int(row[0] or 0) if row else 0

    async def lacking(self, kind: Kept, insurer: str, keys: Sequence[str]) -> set[str]:
        """Those of `keys` that are not kept here."""
        asked = msgspec.json.encode(dict.fromkeys(keys)).decode()
        if kind == "engagements" and self._engagements:
            return self._engagements(asked)
        database = await self._places.of(insurer) if insurer else self._home
        return {key for (key,) in await database.reads.all(f"{kind}_lacking", keys=asked)}

    async def _answering(self, amc: str) -> tuple[str, bool, bool]:
        row = await (await self._places.of(amc)).reads.one("answering", insurer=amc)
        named = row[0] if row else None
        return amc, bool(named), bool(named) and self._readable(amc, str(named))
