"""Prior approvals."""

from __future__ import annotations

from typing import Protocol

from ecluse.claims.approval import Approval, Moved
from ecluse.claims.approving import Asking, Decide, Summary
from ecluse.claims.filing import Search
from ecluse.gate.admission import Admission


class ApprovalStore(Protocol):
    """Prior approvals, their lives, and what they reserve of accounts. Claims under them are the `ClaimStore`'s."""

    async def ask(self, asking: Asking, decide: Decide) -> Approval:
        """Decide on an approval, keep it, and reserve what it promises, in one durable unit of work. The very same body
        again gives the approval it made.

        Raises `reference_reused` when another body holds the reference.
        """
        ...

    async def cancel(self, admission: Admission) -> Approval | None:
        """Cancel the own approval the admission names, durably; again is the same. Raises `approval_closed`."""
        ...

    async def approval(self, admission: Admission) -> tuple[Approval, list[Moved]] | None:
        """The own approval the admission names, and its life; None for another practice's."""
        ...

    async def page(self, admission: Admission, search: Search) -> list[Summary]:
        """The admitted practice's approvals, newest first; one more than the limit when others follow."""
        ...

    async def asked_since(self, practice: str, since_ts_us: int) -> int:
        """How many approvals a practice asked for since then, whatever became of them."""
        ...
