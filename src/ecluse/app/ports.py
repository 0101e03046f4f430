"""What the application needs from the outside, and no more. Engines implement these; `wiring.py` chooses them by URL.

Every method that returns a person's data takes an `Admission` (`app/access.py`): data cannot be read without having been admitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ecluse.journal.entry import Entry
from ecluse.payments.ledger import Entry as LedgerEntry
from ecluse.rights.model import Engagement, Right

if TYPE_CHECKING:
    from ecluse.app.access import Admission

HUB = "hub"  # the scope of keys that belong to no insurer


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """This instant, UTC."""
        ...


class Keys(Protocol):
    """Keys by scope (an insurer's AMC number, or `HUB`). A scope without keys is refused with `scope_unknown`."""

    def pseudonym(self, scope: str, message: bytes) -> bytes:
        """Keyed pseudonym of `message`, 16 bytes: HMAC-SHA-256 cut to 128 bits, under the scope's index key."""
        ...

    def seal(self, scope: str, plain: bytes, about: bytes) -> bytes:
        """Encrypt and authenticate `plain`, bound to `about`. Key version (1 byte) | nonce (12) | AES-256-GCM."""
        ...

    def open(self, scope: str, sealed: bytes, about: bytes) -> bytes:
        """The plain bytes of `seal`. Raises `seal_broken` when bytes, scope or `about` are not those that were sealed."""
        ...

    def has(self, scope: str) -> bool:
        """Whether this scope has keys."""
        ...

    def create(self, scope: str) -> None:
        """Draw the keys of a new scope; nothing happens if it has some."""
        ...


class Log(Protocol):
    """The journal's disk. Group commit is `app/access.py`'s."""

    def append(self, entries: Sequence[bytes]) -> None:
        """Write the batch; on return it is durable. A failed sync poisons the log: every later call raises `journal_poisoned`."""
        ...


class RightsStore(Protocol):
    """Rights that answer now, and engagements given."""

    def rights(self, admission: Admission) -> list[Right]:
        """Every right of the one person the admission covers; empty when unknown."""
        ...

    def versions(self, insurer: str) -> dict[str, str]:
        """The version of each product's guarantee table in force now, by product."""
        ...

    def keep(self, entries: Sequence[Entry]) -> None:
        """Keep the engagements these journal entries give; the entries are durable. Keeping one twice changes nothing."""
        ...

    def engagement(self, admission: Admission) -> Engagement | None:
        """The engagement the admission names, if it was given to the admitted practice."""
        ...


class Ledger(Protocol):
    """Double entry; used inside a unit of work of the store."""

    def book(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries; each sums to zero by construction."""
        ...
