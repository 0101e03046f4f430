"""Taking a claim in: what is filed, what must be known of other claims to decide, and the decision. Values only.

The store reads the facts, calls the decision and writes its result in one unit of work, so that two claims never decide
on the same facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from ecluse.claims.approved import Under
from ecluse.claims.claim import Billed, Content, Priced, State
from ecluse.coverage.accounts import Kept, Spans


class Filing(msgspec.Struct, frozen=True):
    """A claim that arrives. `insurer` is empty when it could be tied to none; `spans` is what its price reads of accounts."""

    id: str
    practice: str
    invoice: str
    body: bytes
    insurer: str
    person: bytes
    engagement: str
    approval: str
    replaces: str
    at_ts_us: int
    received_on: date
    pay_by: date
    lines: tuple[Billed, ...]
    spans: Spans

    @property
    def holder(self) -> str:
        """The promise whose reservation the claim uses; empty when it stands under none."""
        return self.approval or self.engagement


class Facts(msgspec.Struct, frozen=True):
    """What other claims say: accounts so far, invoices that bill a line already, the state of the claim to replace, and
    what stands under the same approval.

    The claim to be replaced is left out of `used`, `duplicates` and `under`. Duplicates are looked for once the claim would be
    accepted but for them.
    """

    used: Kept
    duplicates: Mapping[int, str]
    replaced: State | None
    under: Under | None


class Decision(msgspec.Struct, frozen=True):
    """Accepted or refused, and what is kept of it."""

    state: State
    content: Content
    amc_cents: int


Decide = Callable[[Facts], Decision]


class Reserving(msgspec.Struct, frozen=True):
    """Accounts that a promise would use: for whom, what its price reads of them, and until which day it holds, inside.

    `holder` names the promise; a new one of the same holder takes the place of the one before.
    """

    holder: str
    insurer: str
    person: bytes
    spans: Spans
    today: date
    until: date


Quote = Callable[[Kept], tuple[Priced, ...]]  # prices, from what was used


class Search(msgspec.Struct, frozen=True):
    """Which of its own claims or approvals a practice asks for, newest first.

    Older than `cursor`, in `state`, received or asked from `first` to `last`, both inside.
    """

    limit: int
    cursor: str = ""
    state: StrEnum | None = None
    first: date | None = None
    last: date | None = None

    @property
    def texts(self) -> dict[str, str | int]:
        """What a page is asked for with: empty where nothing is filtered, and one more row, to know if others follow."""
        first, last = (day.isoformat() if day else "" for day in (self.first, self.last))
        return {"cursor": self.cursor, "state": self.state or "", "first": first, "last": last, "limit": self.limit + 1}


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """A claim in a list."""

    claim_id: str
    invoice: str
    status: State
    received_on: date
    amc_cents: int
    pay_by: date | None = None
    remittance_id: str | None = None
    replaces: str | None = None
