"""The auditor's own book: each claim the hub answered about, what it is worth and how it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sim.accounts import Accounts, Use

ACCEPTED, REFUSED, CANCELLED, SETTLED, RETURNED = "accepted", "refused", "cancelled", "settled", "returned"


@dataclass
class TrueClaim:
    """A claim as it must be. `cents` is what the insurer pays; `day` the day the hub received it."""

    claim_id: str
    practice: str
    account: str
    invoice: str
    insurer: str
    person: int
    domain: str
    cents: int
    state: str
    day: date
    pay_by: date | None
    amo_cents: int = 0
    patient_cents: int = 0
    uses: tuple[Use, ...] = ()


@dataclass
class Book:
    """Claims by id, and the accounts of guarantees that count."""

    claims: dict[str, TrueClaim] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=Accounts)

    def cancel(self, claim: TrueClaim) -> None:
        """The claim is as if it had never been: what it used of guarantees is given back."""
        claim.state = CANCELLED
        self.accounts.give_back(claim.uses)

    def owed_to(self) -> dict[str, int]:
        """What each practice is owed, in cents, by the claims that stand."""
        owed: dict[str, int] = {}
        for claim in self.standing():
            owed[claim.practice] = owed.get(claim.practice, 0) + claim.cents
        return owed

    def owed_by(self) -> dict[str, int]:
        """What each insurer owes, in cents, for the claims that stand."""
        owed: dict[str, int] = {}
        for claim in self.standing():
            owed[claim.insurer] = owed.get(claim.insurer, 0) + claim.cents
        return owed

    def standing(self) -> list[TrueClaim]:
        """The claims that were accepted and not cancelled since."""
        return [claim for claim in self.claims.values() if claim.state not in (REFUSED, CANCELLED)]
