"""The thief's door in the laboratory: stolen accounts of offices in memory, under a clock that goes where it is told."""

from __future__ import annotations

import random
from collections.abc import Mapping

from ecluse.gate.containment import Step
from sim.attacks.aims import Aim
from sim.attacks.thief import Answer
from sim.lab.desk import DAY_S
from sim.lab.office import OPENS_S, Card, Office, card_of

ASK_S = 0.005  # a question takes a hub so long


class LabDoor:
    """A `Door` on offices by account. `token` as in the scenario: what is not true opens nothing."""

    def __init__(self, offices: Mapping[str, Office], start_s: float, token: str = "true") -> None:  # noqa: S107
        self.offices, self.token = offices, token
        self._now_s = start_s
        self._guesses = -1

    @property
    def now_s(self) -> float:
        """This instant."""
        return self._now_s

    def enter(self, account: str, *, elsewhere: bool) -> None:
        """The thief's first question comes from a new place, or from the practice's own in the practice's own login."""
        office = self._office(account)
        if elsewhere and self.token == "true":  # noqa: S105
            office.desk.enter(self._now_s, int(self._now_s % DAY_S // 3600), new=True)

    def ask(self, account: str, aim: Aim) -> Answer:
        """A rights check."""
        if self.token != "true":  # noqa: S105
            return Answer(code="unauthenticated")
        office = self._office(account)
        who = aim.person
        if who < 0:  # nobody: each a number of its own, below all others
            self._guesses -= 1
            who = self._guesses
        answer = office.steal(who, aim.person >= 0, card_of(aim), self._now_s)
        self._now_s += ASK_S
        return answer

    def known(self, account: str, draw: random.Random) -> Aim | None:
        """A patient of the practice."""
        office = self._office(account)
        if not office.known:
            return None
        card: Card = draw.choice(office.cards)
        return Aim("", card.nir, "", 1, draw.choice(office.known))

    def bill(self, account: str, aim: Aim) -> None:
        """A false claim, which will settle."""
        self._office(account).bill(aim.person)

    def prove(self, account: str) -> None:
        """The card is shown."""
        self._office(account).desk.prove(self._now_s)

    def is_safe(self, account: str, aim: Aim) -> bool:
        """Try it on a copy of the desk: told, the ladder where it was, and no signal of new people nearer to a step."""
        office = self._office(account)
        copy = office.desk.fork()
        told, _ = office._features(card_of(aim), self._now_s)
        answer = copy.ask(aim.person, True, self._now_s, told, card_of(aim).insurer)
        return answer.is_new and copy.state.step == Step.OPEN and copy.loudest <= max(WARY_E, office.desk.loudest)

    def wait(self, seconds: float) -> None:
        """Time goes by; the practice works on."""
        self._now_s += seconds

    def sleep(self) -> None:
        """Until the practice opens the next day."""
        self._now_s = (self._now_s // DAY_S + 1) * DAY_S + OPENS_S

    def _office(self, account: str) -> Office:
        office = self.offices[account]
        office.until(self._now_s)
        return office


WARY_E = 100.0  # a tenth of the first step
