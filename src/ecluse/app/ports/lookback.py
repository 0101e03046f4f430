"""What accounts could have been answered about, looked at afterwards: the caps that held, and what the counters tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ecluse.gate.allowance import CapTable


class Doings(msgspec.Struct, frozen=True):
    """What an account did in some days: people it opened typed (fewer, where some showed a pass since), and openings that gave it
    room again, or may have.

    Those are the ones justified in these days, and all of these days, or of up to `SETTLED_WITHIN_DAYS` before, that are not
    known to have been justified before: a claim cancelled since may have given room for a while, and counters that were counted
    anew say a later day. `profession`: as the account last said, empty when it never asked.
    """

    account: str
    profession: str
    typed: int
    justified: int


class Lookback(Protocol):
    """The allowances of a time that is over. Every method walks over all openings of the accounts named."""

    def set_caps(self, since_us: int, table: CapTable) -> None:
        """Remember that this table holds from then on (Unix, µs)."""
        ...

    def caps_between(self, start_us: int, end_us: int) -> tuple[CapTable, ...]:
        """The tables that held in a window; none when it began before the first that is known."""
        ...

    def has_openings(self) -> bool:
        """Whether anybody was ever told of to any account."""
        ...

    def doings(self, accounts: Sequence[str], start_us: int, end_us: int) -> list[Doings]:
        """What each of these accounts did in a window, by whole days (UTC)."""
        ...

    def told_at(self, accounts: Sequence[str], end_us: int) -> int:
        """How many people had been told of, by the end of that day, at the practices where these accounts opened anybody."""
        ...
