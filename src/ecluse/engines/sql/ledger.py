"""The ledger: entries are added inside a caller's unit of work, and only added."""

from __future__ import annotations

from collections.abc import Iterable

from ecluse.engines.sql.unit import Reads, Tx
from ecluse.payments.ledger import Entry


async def book(tx: Tx, entries: Iterable[Entry], at_ts_us: int) -> None:
    """Write entries under numbers of their own; call it inside a unit of work."""
    booked = list(entries)
    numbers = [number for (number,) in await tx.all("entry_numbers", entries=len(booked))]
    await tx.many(
        "post",
        [
            {
                "entry": number,
                "n": n,
                "account": posting.account,
                "amount_cents": posting.amount_cents,
                "because": entry.because,
                "about": entry.about,
                "at_ts_us": at_ts_us,
            }
            for number, entry in zip(numbers, booked, strict=True)
            for n, posting in enumerate(entry.postings, 1)
        ],
    )


async def balances(reads: Reads) -> dict[str, int]:
    """What every account holds, in cents; they sum to zero."""
    return dict(await reads.all("balances"))
