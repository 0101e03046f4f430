"""What the application needs from the outside, and no more. Engines implement these; `wiring.py` chooses them by URL.

Every method that returns a person's data takes an `Admission` (`app/access.py`): nobody reads who was not admitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from ecluse.coverage.product import Product
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


class Ids(Protocol):
    """The only source of identifiers."""

    def new(self, prefix: str) -> str:
        """`prefix` and 20 time-ordered characters."""
        ...

    def engagement(self, year: int) -> str:
        """An engagement number nobody can guess."""
        ...


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A place in the journal: the writer's slot, and the position after the last byte written."""

    slot: str
    position: int


class Keys(Protocol):
    """Keys by scope (an insurer's AMC number, or `HUB`). A scope without keys is refused with `scope_unknown`."""

    def pseudonym(self, scope: str, message: bytes) -> bytes:
        """Keyed pseudonym of `message`, 16 bytes: HMAC-SHA-256 cut to 128 bits, under the scope's index key."""
        ...

    def seal(self, scope: str, plain: bytes, about: bytes) -> bytes:
        """Encrypt and authenticate `plain`, bound to `about`. Key version (1 byte) | nonce (12) | AES-256-GCM."""
        ...

    def open(self, scope: str, sealed: bytes, about: bytes) -> bytes:
        """The plain bytes of `seal`. Raises `seal_broken` when bytes, scope or `about` are not those sealed."""
        ...

    def has(self, scope: str) -> bool:
        """Whether this scope has keys."""
        ...

    def create(self, scope: str) -> None:
        """Draw the keys of a new scope; nothing happens if it has some."""
        ...


class Log(Protocol):
    """The journal's disk. Group commit is `app/access.py`'s."""

    def append(self, entries: Sequence[bytes]) -> Mark:
        """Write the batch; durable on return. A failed sync poisons the log: later calls raise `journal_poisoned`."""
        ...

    def unkept(self, marks: dict[str, int]) -> Iterator[tuple[bytes, Mark]]:
        """Entries written after `marks` (position by slot) whose writer is gone, or is this process."""
        ...


class ProductStore(Protocol):
    """Guarantee tables; a version is immutable."""

    def add(self, insurer: str, product: Product, loaded_ts_us: int) -> bool:
        """Put this version in force; False when it already was. Durable on return."""
        ...

    def in_force(self, insurer: str, product: str) -> str:
        """The version in force now; empty when the product was never loaded."""
        ...

    def names(self, insurer: str) -> list[str]:
        """The products loaded for an insurer."""
        ...

    def table(self, insurer: str, product: str, named: str) -> Product | None:
        """The guarantee table of the version so named; None when there is none."""
        ...


class RightsStore(Protocol):
    """Rights that answer now, and engagements given."""

    def ready(self) -> None:
        """Raise what a check would raise if the store cannot be read."""
        ...

    def rights(self, admission: Admission) -> list[Right]:
        """Every right of the one person the admission covers; empty when unknown."""
        ...

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Keep the engagements these durable entries give, up to `mark`. Keeping one twice changes nothing."""
        ...

    def engagement(self, admission: Admission) -> Engagement | None:
        """The engagement the admission names, if it was given to the admitted practice."""
        ...


class Ledger(Protocol):
    """Double entry; used inside a unit of work of the store."""

    def book(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries; each sums to zero by construction."""
        ...
