"""One planned exchange with the hub, born with the outcome it must have.

A text of the form `{0.engagement.number}` in a path or a body stands for that field of the answer to step 0 of the same
visit: the plan is written before anything was answered.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

FULL, NO_TOKEN, BAD_TOKEN, RIGHTS_ONLY, CLAIMS_ONLY = "full", "none", "bad", "rights_only", "claims_only"


@dataclass(frozen=True)
class Must:
    """The outcome an exchange is born with.

    `outcome` is one of confirmed, not_confirmed, quoted, granted, accepted, refused, cancelled, shown,
    listed, approval_shown, approval_cancelled, error. One of `codes` is
    what a refusal or an error must carry. `person` (its number in the world), `insurer`, `domain` and `lines` say what
    is asked about; `same_as` is the step whose claim this one must give again, `ends` the step whose claim this one
    cancels or replaces; `claim` is the one of an earlier day that this one cancels.
    """

    status: int
    outcome: str
    codes: tuple[str, ...] = ()
    person: int = -1
    insurer: str = ""
    domain: str = ""
    lines: tuple[dict[str, Any], ...] = ()
    same_as: int = -1
    ends: int = -1
    claim: str = ""


@dataclass(frozen=True)
class Exchange:
    """One request: who sends it, with which token, and what must come back."""

    visit: int
    step: int
    at_s: int
    scenario: str
    call: str
    account: str
    token: str
    method: str
    path: str
    body: dict[str, Any] | str | None
    must: Must

    @property
    def name(self) -> str:
        """How this exchange is called in reports: visit and step."""
        return f"v{self.visit:06d}.{self.step}"


@dataclass(frozen=True)
class Visit:
    """The exchanges about one patient at one professional's, in order."""

    number: int
    at_s: int
    scenario: str
    exchanges: tuple[Exchange, ...] = field(default_factory=tuple)


def as_bytes(visits: list[Visit]) -> bytes:
    """The whole plan as JSON lines: the same seed gives the same bytes."""
    return b"".join(msgspec.json.encode(asdict(each)) + b"\n" for visit in visits for each in visit.exchanges)
