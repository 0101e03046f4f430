"""Promises, whoever was given them: for the hub, which withdraws those of a stolen account."""

from __future__ import annotations

from typing import Protocol

from ecluse.claims.promise import Promise
from ecluse.gate.admission import Admission


class PromiseStore(Protocol):
    """What approvals and quotes reserve. Making and billing them is the `ApprovalStore`'s and the `ClaimStore`'s."""

    async def promise(self, admission: Admission, holder: str) -> Promise | None:
        """The promise as it stands on the admission's day; None where there is none, or nothing of it is left.

        Raises `insurer_unknown` of an approval whose insurer's key is gone.
        """
        ...

    async def withdraw(self, admission: Admission, promise: Promise) -> Promise | None:
        """Let go of what is not billed of a promise, in one durable unit of work; what was let go, None where nothing was left.

        An approval that no claim uses is cancelled. Raises `insurer_unknown`.
        """
        ...
