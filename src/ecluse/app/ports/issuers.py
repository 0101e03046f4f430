"""Who is trusted to say who asks, with the keys each has now. Only issuers of the settings are ever asked for anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ecluse.gate.identity import Issuer


class Issuers(Protocol):
    """The trusted issuers. `changed` grows whenever somebody's keys are no longer those they were."""

    changed: int

    @property
    def trusted(self) -> Mapping[str, Issuer]:
        """The issuers by name, as they are now."""
        ...

    async def refresh(self, name: str) -> bool:
        """Ask an issuer for its keys, unless that was done lately; whether it answered. Waits a second at most."""
        ...
