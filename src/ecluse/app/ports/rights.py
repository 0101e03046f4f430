"""Guarantee tables, rights and engagements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ecluse.app.ports.outside import Mark
from ecluse.coverage.product import Product
from ecluse.gate.admission import Admission
from ecluse.journal.entry import Entry
from ecluse.rights.model import Engagement, Right


class ProductStore(Protocol):
    """Guarantee tables; a version is immutable."""

    async def add(self, insurer: str, product: Product, loaded_ts_us: int) -> bool:
        """Put this version in force; False when it already was. Durable on return. Raises `insurer_moving`."""
        ...

    async def in_force(self, insurer: str, product: str) -> str:
        """The version in force now; empty when the product was never loaded."""
        ...

    async def names(self, insurer: str) -> list[str]:
        """The products loaded for an insurer."""
        ...

    async def table(self, insurer: str, product: str, named: str) -> Product | None:
        """The guarantee table of the version so named; None when there is none."""
        ...


class RightsStore(Protocol):
    """Rights that answer now, and engagements given."""

    async def ready(self) -> None:
        """Raise what a check would raise if the store cannot be read."""
        ...

    async def rights(self, admission: Admission) -> list[Right]:
        """Every right of the one person the admission covers; empty when unknown."""
        ...

    async def lags(self) -> bool:
        """Whether engagements that were kept are missing where they can be written now: they must be copied again."""
        ...

    async def marks(self) -> dict[str, int]:
        """How far the engagements of each slot of the journal are kept. What follows is copied until `caught_up`."""
        ...

    def caught_up(self) -> None:
        """Everything the journal holds past the `marks` was kept."""
        ...

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Keep the engagements these durable entries give, up to `mark`. Keeping one twice changes nothing.

        They may be written a little later: a killed process finds them in the journal again, past its `marks`.
        """
        ...

    async def flush(self) -> None:
        """Write now what is kept and not yet written."""
        ...

    async def engagement(self, admission: Admission) -> Engagement | None:
        """The engagement the admission names, if it was given to the admitted practice."""
        ...
