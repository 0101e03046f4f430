"""The thief: one code for every scenario, which asks through a door and counts what it was told from the answers alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sim.attacks.aims import Aim, Timeline
from sim.attacks.scenarios import Plan, Scenario

QUARANTINED = "account_quarantined"
PROVABLE = ("presence_required", "step_up_required", "insufficient_user_authentication")  # what a fresh login may lift


class Answer(NamedTuple):
    """What the door said. `code`: of a refusal, else empty; `fields` told; `is_new`: the account did not know this person."""

    code: str = ""
    confirmed: bool = False
    fields: int = 0
    is_new: bool = False


class Door(Protocol):
    """Where a thief asks with stolen accounts. Seconds are simulated ones, where the door has a clock of its own."""

    def enter(self, account: str, *, elsewhere: bool) -> None:
        """Begin to use an account, from the practice's own device or from elsewhere."""
        ...

    def ask(self, account: str, aim: Aim) -> Answer:
        """A rights check, identifiers typed."""
        ...

    def known(self, account: str, draw: random.Random) -> Aim | None:
        """Somebody the practice knows, from its own files; None when it has none."""
        ...

    def bill(self, account: str, aim: Aim) -> None:
        """A false claim for somebody just told of."""
        ...

    def prove(self, account: str) -> None:
        """Log in anew as the account's owner."""
        ...

    def is_safe(self, account: str, aim: Aim) -> bool:
        """Whether the thief's own copy of the hub would answer this, raise no alarm, and be nearer to none."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        ...

    def sleep(self) -> None:
        """Let time go by until the next morning."""
        ...

    @property
    def now_s(self) -> float:
        """This instant, Unix seconds."""
        ...


@dataclass
class Loot:
    """What one attack gave. `newly`: people an account told of that it did not know; `confirmed`: known or not; fields likewise.

    `displayed`: the same, as `ecluse exposure` answers. `last_new_s`: from the first question to the last person newly told of:
    the time to containment. `quarantined`: accounts that were; `held`: by step, those whose stolen login is held to it then.
    `people`: whom the thief was told of, by their numbers.
    """

    scenario: Scenario
    accounts: int
    asked: int = 0
    newly: int = 0
    confirmed: int = 0
    fields: int = 0
    fields_newly: int = 0
    claims: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    timeline: Timeline = field(default_factory=lambda: [(0, 0)])
    portal: Timeline = field(default_factory=lambda: [(0, 0)])
    last_new_s: float = 0.0
    quarantined: int = 0
    held: dict[str, int] = field(default_factory=dict)
    displayed: int = 0
    took_s: float = 0.0
    stolen: Sequence[str] = ()
    began_ts: float = 0.0
    people: set[int] = field(default_factory=set)


def rob(
    scenario: Scenario,
    door: Door,
    stolen: Sequence[str],
    aims: Iterator[Aim],
    draw: random.Random,
    told: Callable[[int], None] = lambda _: None,
    questions_max: int = 10**9,
) -> Loot:
    """Play an attack through `door` with the accounts stolen; `told` hears of each question."""
    plan, loot = scenario.plan, Loot(scenario, len(stolen))
    thief = _Thief(plan, door, loot, draw, aims)
    for account in stolen:
        door.enter(account, elsewhere=plan.elsewhere)
    left = list(stolen)
    for day in range(plan.days):
        if day:
            door.sleep()
        today = list(left)
        for number in range(plan.a_day * len(left)):
            if not today or thief.next is None or loot.asked >= questions_max:
                break
            account = today[number % len(today)]
            code = thief.question(account)
            is_lost = code == QUARANTINED and plan.days > 1
            if is_lost:
                left.remove(account)
            if is_lost or (code and plan.careful):
                today.remove(account)
            told(1)
            door.wait(plan.gap_s)
    loot.timeline.append((loot.asked, loot.newly))
    return loot


class _Thief:
    """One robbery in progress."""

    def __init__(self, plan: Plan, door: Door, loot: Loot, draw: random.Random, aims: Iterator[Aim]) -> None:
        self.plan, self.door, self.loot, self.draw, self.aims = plan, door, loot, draw, aims
        self.began_s = door.now_s
        self.told: set[Aim] = set()
        self.next = next(aims, None)

    def question(self, account: str) -> str:
        """Ask one question with an account; the code of its refusal."""
        aim = self._aim(account)
        if aim is None:
            return ""
        answer = self._asked(account, aim)
        if answer.code in PROVABLE and self.plan.proves:
            self.door.prove(account)
            answer = self._asked(account, aim)
        if answer.code:
            self.loot.refused[answer.code] += 1
        if answer.confirmed:
            self._noted(account, aim, answer)
        return answer.code

    def _asked(self, account: str, aim: Aim) -> Answer:
        self.loot.asked += 1
        return self.door.ask(account, aim)

    def _aim(self, account: str) -> Aim | None:
        """The next on the list, or somebody the practice knows, to hide among."""
        assert self.next is not None
        hides = self.plan.known_share and self.draw.randrange(100) < self.plan.known_share
        if hides or (self.plan.wary and not self.door.is_safe(account, self.next)):
            return self.door.known(account, self.draw)
        aim, self.next = self.next, next(self.aims, None)
        return aim

    def _noted(self, account: str, aim: Aim, answer: Answer) -> None:
        loot = self.loot
        if aim not in self.told:
            self.told.add(aim)
            loot.people.add(aim.person)
            loot.confirmed += 1
        loot.fields += answer.fields
        if not answer.is_new:
            return
        loot.newly += 1
        loot.fields_newly += answer.fields
        loot.last_new_s = self.door.now_s - self.began_s
        loot.timeline.append((loot.asked, loot.newly))
        if self.draw.randrange(100) < self.plan.claimed_share:
            loot.claims += 1
            self.door.bill(account, aim)
