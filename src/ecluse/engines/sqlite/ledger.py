"""The ledger in hub.db: entries are added inside a caller's unit of work, and only added."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ecluse.payments.ledger import Entry

_NEXT = "SELECT coalesce(max(entry), 0) + 1 FROM posting"
_POST = "INSERT INTO posting (entry, n, account, amount_cents, because, about, at_ts_us) VALUES (?, ?, ?, ?, ?, ?, ?)"
_BALANCES = "SELECT account, sum(amount_cents) FROM posting GROUP BY account ORDER BY account"


def book(connection: sqlite3.Connection, entries: Iterable[Entry], at_ts_us: int) -> None:
    """Write entries, numbered after those already there; call it inside a transaction."""
    (first,) = connection.execute(_NEXT).fetchone()
    connection.executemany(
        _POST,
        (
            (number, n, posting.account, posting.amount_cents, entry.because, entry.about, at_ts_us)
            for number, entry in enumerate(entries, first)
            for n, posting in enumerate(entry.postings, 1)
        ),
    )


def balances(connection: sqlite3.Connection) -> dict[str, int]:
    """What every account holds, in cents; they sum to zero."""
    return dict(connection.execute(_BALANCES))
