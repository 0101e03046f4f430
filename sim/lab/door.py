"""The thief's door in the laboratory: stolen accounts of offices in memory, under a clock that goes where it is told."""

from __future__ import annotations

import random
from collections.abc import Mapping

from ecluse.gate.signals import Step
from sim.attacks.aims import Aim
from sim.attacks.thief import Answer
from sim.lab.desk import DAY_S, WATCH_S
from sim.lab.office import OPENS_S, Card, Office, card_of

ASK_S = 0.002  # a question takes a hub so long


class LabDoor:
    """A `Door` on offices by account. `token` as in the scenario: what is not true opens nothing."""

    def __init__(self, offices: Mapping[str, Office], start_s: float, token: str = "true") -> None:
        self.offices, self.token = offices, token
        self._now_s = start_s
        self._guesses = -1
        self._elsewhere = True

    @property
    def now_s(self) -> float:
        """This instant."""
        return self._now_s

    def enter(self, account: str, *, elsewhere: bool) -> None:
        """The practice's day goes on until now."""
        self._elsewhere = elsewhere
        self._office(account).stolen_s = self._now_s

    def ask(self, account: str, aim: Aim) -> Answer:
        """A rights check."""
        if self.token != "true":
            return Answer(code="unauthenticated")
        office = self._office(account)
        who = aim.person
        if who < 0:  # nobody: each a number of its own, below all others
            self._guesses -= 1
            who = self._guesses
        answer = office.steal(who, aim.person >= 0, card_of(aim), self._now_s, elsewhere=self._elsewhere)
        self._now_s += ASK_S
        return answer

    def known(self, account: str, draw: random.Random) -> Aim | None:
        """A patient of the practice."""
        office = self._office(account)
        if not office.known:
            return None
        card: Card = draw.choice(office.cards)
        return Aim(card.insurer, card.nir, "", 1, draw.choice(office.known))

    def bill(self, account: str, aim: Aim) -> None:
        """A false claim, which will settle."""
        self._office(account).bill(aim.person)

    def prove(self, account: str) -> None:
        """The card is shown, where the thief is."""
        office = self._office(account)
        if self._elsewhere:
            office.stolen_s = office.desk.prove(self._now_s)
        else:
            office.log_in(self._now_s)

    def is_safe(self, account: str, aim: Aim) -> bool:
        """Try it on a copy of the desk: told, the ladder where it was, and no signal of new people nearer to a step."""
        office = self._office(account)
        before, last = office.desk, office.last
        office.desk = before.fork()
        answer = office.typed(aim.person, True, card_of(aim), self._now_s, office.place(self._now_s))
        office.desk.watch(self._now_s + WATCH_S)
        copy, office.desk, office.last = office.desk, before, last
        quiet = max(WARY_E, before.loudest)
        return answer.is_new and copy.state.step == Step.OPEN and copy.loudest <= quiet

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
