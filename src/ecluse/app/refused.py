"""Refused claims and approvals are kept, for the same bytes again get the same answer: of an account, so many in an hour.

Past that nothing it sends is looked at, so the refusal tells nothing of anybody. What was refused before and is sent again is
not kept again, nor counted.
"""

from __future__ import annotations

from ecluse.app.hub import Hub
from ecluse.app.tries import HOUR_S
from ecluse.claims.approval import Approval
from ecluse.claims.claim import Claim
from ecluse.gate.admission import Request
from ecluse.kernel.errors import refusal

# Ten days of a practice that bills a hundred a day, all refused and all mended within one hour. Each is 230 KB on the disk at
# most (two hundred lines, five faults each), so that many are 230 MB; of people who are nobody they are less than 1 MB.
KEPT_MAX = 1_000

REFUSED_MANY = refusal(
    "refused_many",
    429,
    "Too many claims or approvals of this account were refused within the hour",
    fix="Look at why they were refused, mend them, and send the rest in an hour.",
    retry_s=int(HOUR_S),
)


def let_send(hub: Hub, asked: Request) -> None:
    """Let who asks send one more. Raises `refused_many`."""
    if hub.refused.count(asked.account.sub) >= KEPT_MAX:
        raise REFUSED_MANY()


def note_refused(hub: Hub, asked: Request, decided: Claim | Approval) -> None:
    """Count what was decided on for this request, if it was refused; one of before, sent again, has the id of then."""
    if decided.state == "refused" and decided.id == asked.id:
        hub.refused.note(asked.account.sub)
