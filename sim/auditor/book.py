"""The auditor's own book: each claim the hub answered about, what it is worth and how it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sim.truth import Consumed

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
    acts: dict[tuple[object, ...], int] = field(default_factory=dict)
    euros: dict[tuple[object, ...], Decimal] = field(default_factory=dict)


@dataclass
class Book:
    """Claims by id, and what yearly guarantees have used."""

    claims: dict[str, TrueClaim] = field(default_factory=dict)
    used: Consumed = field(default_factory=Consumed)

    def cancel(self, claim: TrueClaim) -> None:
        """The claim is as if it had never been: what it used of yearly guarantees is given back."""
        claim.state = CANCELLED
        for counter, acts in claim.acts.items():
            self.used.acts[counter] -= acts
        for counter, amount in claim.euros.items():
            self.used.euros[counter] -= amount

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
