"""Claims."""

from __future__ import annotations

from typing import Protocol

from ecluse.claims.claim import Claim, Moved, Priced
from ecluse.claims.filing import Decide, Filing, Quote, Reserving, Search, Summary
from ecluse.gate.admission import Admission


class ClaimStore(Protocol):
    """Claims, their lives, and the accounts of guarantees they use."""

    async def take(self, filing: Filing, decide: Decide) -> Claim:
        """Decide on a claim and keep it, in one durable unit of work. The very same body again gives the claim it made.

        Raises `invoice_reused` when another body holds the invoice number.
        """
        ...

    async def cancel(self, admission: Admission, about: str) -> tuple[Claim, bool] | None:
        """Cancel the own claim the admission names, durably; whether money was ordered for it. Raises `move_not_allowed`."""
        ...

    async def claim(self, admission: Admission) -> tuple[Claim, list[Moved]] | None:
        """The own claim the admission names, and its life; None for another practice's."""
        ...

    async def any_claim(self, admission: Admission) -> Claim | None:
        """The claim the admission names, whoever sent it: for the operator. Raises `insurer_unknown` once its key is gone."""
        ...

    async def page(self, admission: Admission, search: Search) -> list[Summary]:
        """The admitted practice's claims, newest first; one more than the limit when others follow."""
        ...

    async def settled(self, practice: str, since_ts_us: int) -> set[bytes]:
        """The references of people an insurer pays a practice for, by settled claims it sent since then; told to nobody.

        For the allowance: a claim of nothing is none, nor is one that was cancelled, or whose transfer the bank sent back.
        """
        ...

    async def sent_since(self, practice: str, since_ts_us: int) -> int:
        """How many claims a practice sent since then, whatever became of them."""
        ...

    async def reserve(self, reserving: Reserving, quote: Quote) -> tuple[Priced, ...]:
        """Price, and reserve what the price uses of accounts in the place of what was reserved; one durable unit of work."""
        ...
