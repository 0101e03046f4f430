"""One visit being written: who asks, about whom, and the bodies of the calls of the public contract."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import wraps
from typing import Any

from sim import acts, exchange
from sim.contracts import Contract
from sim.crowd import Crowd
from sim.exchange import Exchange, Must
from sim.people import Person
from sim.professionals import Professional
from sim.seeds import chance
from sim.world import World

BY_MEMBER_NUMBER = 180  # per mille of checks that give the member number instead of the NIR; assumed
ADULT = 20  # regulated prices of hearing aids differ below this age

Line = dict[str, Any]


@dataclass
class Scene:
    """The stage of one visit; `say` adds an exchange to it."""

    world: World
    crowd: Crowd
    draw: random.Random
    who: Professional
    day: date
    number: int
    at_s: int
    scenario: str
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def domain(self) -> str:
        """The domain of care of this professional."""
        return self.who.trade.domain

    def somebody(self) -> tuple[Person, Contract] | None:
        """A person whose rights are open for this professional's domain."""
        return self.crowd.covered(self.domain, ADULT if self.domain == "AUDI" else 0)

    def beneficiary(self, person: Person, contract: Contract | None) -> dict[str, Any]:
        """What is copied from the card: NIR or member number, birth date and rank."""
        card = self.card(person)
        if contract is not None and chance(self.draw, BY_MEMBER_NUMBER):
            del card["nir"]
            card["member_number"] = contract.member_number
        return card

    def card(self, person: Person) -> dict[str, Any]:
        """What the card of the AMO says."""
        return {"nir": person.nir, "birth_date": person.birth_date, "birth_rank": person.birth_rank}

    def question(self, person: Person, insurer: str, contract: Contract | None) -> dict[str, Any]:
        """The body of a rights check."""
        return {
            "insurer": insurer,
            "beneficiary": self.beneficiary(person, contract),
            "care_date": self.day.isoformat(),
            "domain": self.domain,
            "pass": None,
        }

    def lines(self, person: Person) -> list[Line]:
        """The lines of this visit."""
        return acts.lines(self.draw, self.who, person.age, self.day.isoformat())

    def invoice(self, suffix: str = "") -> str:
        """An invoice number that this practice has not used."""
        return f"{self.day.year}-{self.day:%m%d}-{self.number:06d}{suffix}"

    def say(
        self, call: str, method: str, path: str, body: dict[str, Any] | str | None, must: Must,
        token: str = exchange.FULL,
    ) -> int:  # fmt: skip
        """Add an exchange; gives its step, to which later ones refer."""
        step = len(self.exchanges)
        at_s = self.at_s + 40 * step
        self.exchanges.append(
            Exchange(self.number, step, at_s, self.scenario, call, self.who.account, token, method, path, body, must)
        )
        return step

    def check(self, person: Person, insurer: str, contract: Contract | None, confirmed: bool) -> int:
        """A rights check."""
        body = self.question(person, insurer, contract)
        outcome = "confirmed" if confirmed else "not_confirmed"
        return self.ask(body, Must(200, outcome, person=person.number, insurer=insurer, domain=self.domain))

    def ask(self, body: dict[str, Any] | str, must: Must, token: str = exchange.FULL) -> int:
        """A rights check with this body."""
        return self.say("check", "POST", "/v1/rights/checks", body, must, token)

    def quote(self, check: int, person: Person, insurer: str, lines: list[Line]) -> int:
        """A quote under the engagement of step `check`."""
        body = {"engagement": engagement_of(check), "lines": lines}
        must = Must(200, "quoted", person=person.number, insurer=insurer, domain=self.domain, lines=tuple(lines))
        return self.say("quote", "POST", "/v1/quotes", body, must)

    def approval(self, check: int, person: Person, insurer: str, lines: list[Line]) -> int:
        """A devis to be approved under the engagement of step `check`."""
        body = {"engagement": engagement_of(check), "reference": self.invoice("-D"), "lines": lines}
        must = Must(201, "granted", person=person.number, insurer=insurer, domain=self.domain, lines=tuple(lines))
        return self.say("approval", "POST", "/v1/approvals", body, must)

    def of_approval(self, approval: int, outcome: str) -> int:
        """The approval of step `approval` is looked at, or cancelled."""
        path = f"/v1/approvals/{approval_of(approval)}"
        if outcome == "approval_shown":
            return self.say("show", "GET", path, None, Must(200, outcome, same_as=approval))
        return self.say("cancellation", "POST", f"{path}/cancellation", None, Must(200, outcome, same_as=approval))

    def claim(self, body: dict[str, Any], must: Must, token: str = exchange.FULL) -> int:
        """A claim with this body."""
        return self.say("claim", "POST", "/v1/claims", body, must, token)

    def accepted(self, person: Person, insurer: str, lines: list[Line]) -> Must:
        """The outcome of a claim that is right."""
        return Must(201, "accepted", person=person.number, insurer=insurer, domain=self.domain, lines=tuple(lines))

    def claim_under(self, check: int, person: Person, insurer: str, lines: list[Line]) -> int:
        """A claim under the engagement of step `check`, as it should be."""
        body = {"invoice": self.invoice(), "engagement": engagement_of(check), "lines": lines}
        return self.claim(body, self.accepted(person, insurer, lines))

    def cancel(self, claim: int) -> int:
        """A cancellation of the claim of step `claim`."""
        path = f"/v1/claims/{claim_of(claim)}/cancellation"
        return self.say("cancellation", "POST", path, None, Must(200, "cancelled", ends=claim))

    def claim_approved(self, approval: int, lines: list[Line], must: Must) -> int:
        """A claim under the approval of step `approval`."""
        return self.claim({"invoice": self.invoice(), "approval": approval_of(approval), "lines": lines}, must)

    def unannounced(self, person: Person, contract: Contract, lines: list[Line]) -> dict[str, Any]:
        """The body of a claim without a check: insurer and beneficiary stand in the place of the engagement."""
        return {
            "invoice": self.invoice(),
            "insurer": contract.insurer,
            "beneficiary": self.beneficiary(person, contract),
            "domain": self.domain,
            "lines": lines,
        }

    def other_birth_date(self, person: Person) -> Person:
        """The same person with a slip of the hand in the birth date."""
        year, month, day = person.birth_date.split("-")
        wrong = (
            f"{int(year) - 1}-{month}-{day}" if self.draw.randrange(2) else f"{year}-{month}-{int(day) % 28 + 1:02d}"
        )
        return replace(person, birth_date=wrong)


Writer = Callable[[Scene], bool]  # writes the visit; False when the world holds nobody to play it with


def engagement_of(step: int) -> str:
    """The engagement number that step gave."""
    return f"{{{step}.engagement.number}}"


def approval_of(step: int) -> str:
    """The id of the approval that step gave."""
    return f"{{{step}.approval_id}}"


def figures_of(step: int, place: int) -> Line:
    """The amounts that the quote of that step gave for its line at `place`."""
    return {name: f"{{{step}.lines.{place}.{name}}}" for name in ("amo_cents", "amc_cents", "patient_cents")}


def claim_of(step: int) -> str:
    """The id of the claim that step gave."""
    return f"{{{step}.claim_id}}"


def later(lines: list[Line], days: int) -> list[Line]:
    """The same lines with their day moved by `days`."""
    return [line | {"date": (date.fromisoformat(line["date"]) + timedelta(days=days)).isoformat()} for line in lines]


def of_somebody(write: Callable[[Scene, Person, Contract], None]) -> Writer:
    """A scene about a person whose rights are open; not written, and False, when nobody of that kind is left."""

    def written(scene: Scene) -> bool:
        found = scene.somebody()
        if found:
            write(scene, *found)
        return found is not None

    return wraps(write)(written)
