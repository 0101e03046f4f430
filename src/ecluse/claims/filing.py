"""Taking a claim in: what is filed, what must be known of other claims to decide, and the decision. Values only.

The store reads the facts, calls the decision and writes its result in one unit of work, so that two claims never decide
on the same facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import msgspec

from ecluse.claims.claim import Billed, Content, State
from ecluse.claims.price import Counter
from ecluse.coverage.line import Used


class Filing(msgspec.Struct, frozen=True):
    """A claim that arrives. `insurer` is empty when it could be tied to none; `counters` are those its price reads."""

    id: str
    practice: str
    invoice: str
    body: bytes
    insurer: str
    person: bytes
    engagement: str
    replaces: str
    at_ts_us: int
    received_on: date
    pay_by: date
    lines: tuple[Billed, ...]
    counters: frozenset[Counter]


class Facts(msgspec.Struct, frozen=True):
    """What other claims say: counters so far, invoices that bill a line already, the state of the claim to replace.

    The claim to be replaced is left out of `used` and `duplicates`.
    """

    used: Mapping[Counter, Used]
    duplicates: Mapping[int, str]
    replaced: State | None


class Decision(msgspec.Struct, frozen=True):
    """Accepted or refused, and what is kept of it."""

    state: State
    content: Content
    amc_cents: int


Decide = Callable[[Facts], Decision]


class Search(msgspec.Struct, frozen=True):
    """Which of its claims a practice asks for, newest first; older than `cursor`, received from `first` to `last`."""

    limit: int
    cursor: str = ""
    state: State | None = None
    first: date | None = None
    last: date | None = None


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
