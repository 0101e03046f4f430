"""The `Upkeep` port: what an operator asks of a relational store."""

from __future__ import annotations

from collections.abc import Callable

from ecluse.engines.sql.unit import Reads


class Upkeep:
    """Over one database. `answers` says whether an insurer's generation of rights can be read; `retries` counts waits."""

    def __init__(self, reads: Reads, answers: Callable[[str, str], bool], retries: Callable[[], int]) -> None:
        self._reads = reads
        self._answers = answers
        self.retries = retries

    async def ready(self) -> None:
        """Raise if the database cannot be read."""
        await self._reads.one("feed_states")

    async def integrity(self) -> str:
        """`ok`, or the first thing that is wrong with the database."""
        row = await self._reads.one("integrity")
        return str(row[0]) if row else "the check gave no answer"

    async def insurers(self) -> list[tuple[str, bool, bool]]:
        """Insurers served: number, whether they have rights, whether these can be read."""
        rows = await self._reads.all("insurers")
        return [(amc, bool(named), bool(named) and self._answers(amc, named)) for amc, named in rows]

    async def feeds(self) -> dict[str, int]:
        """How many feeds are in each state."""
        return dict(await self._reads.all("feed_states"))
