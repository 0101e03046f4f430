"""What somebody was promised and nobody billed yet: an approval, or the last quote under an engagement. Values only."""

from __future__ import annotations

import msgspec

from ecluse.claims.approval import State


class Promise(msgspec.Struct, frozen=True):
    """A promise that stands. `holder` names it: an approval's id, an engagement's number.

    `acts` and `cents` are what it reserves of guarantees that count, on all accounts together. Of an approval alone: `state`, the
    account that asked (empty where that was not kept yet), and when (µs).
    """

    holder: str
    insurer: str
    person: bytes
    acts: int
    cents: int
    state: State | None = None
    account: str = ""
    asked_us: int = 0


class Theft(msgspec.Struct, frozen=True):
    """An account while somebody else had it: from an instant until before another (µs)."""

    account: str
    since_us: int
    until_us: int

    def holds(self, account: str, at_us: int) -> bool:
        """Whether what that account did then was done in it."""
        return account == self.account and self.since_us <= at_us < self.until_us
