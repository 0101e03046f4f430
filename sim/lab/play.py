"""Many seeds: practices are grown once, then robbed in each scenario, seed by seed; scores are taken from what thieves were told.

A practice's story is a function of the seed and its number; a robbery forks it, so that every scenario meets the same practices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import islice

from ecluse.gate.allowance import CapTable
from ecluse.gate.signals import Step
from sim.attacks.aims import Aim, portal
from sim.attacks.scenarios import Scenario
from sim.attacks.thief import Loot, rob
from sim.lab.desk import DAY_S
from sim.lab.door import LabDoor
from sim.lab.office import Card, Office, Served
from sim.lab.rates import habit
from sim.seeds import stream
from sim.world import World

GROWN_DAYS = 180  # a practice's story before thefts: past the 120 days of an own cap, and some of maturing
THEFT_WITHIN_DAYS = 60  # a login is stolen on one of so many days: holidays are among them
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Lab:
    """A world, caps, and what of the gate is on. `with_pass`: share of honest first look-ups that carry a pass."""

    world: World
    caps: CapTable
    seed: int = 1
    profession: str = "general_practitioner"
    senses: bool = True
    with_pass: float = 0.0
    offices: dict[int, Office] = field(default_factory=dict)

    @cached_property
    def cards(self) -> list[Card]:
        """What questions about people of the world say."""
        rights = self.world.rights
        return [Card(who.nir, rights(who)[0].insurer) for who in self.world.people if rights(who)]

    def office(self, number: int) -> Office:
        """The practice of that number, grown up; the same object each time: fork it."""
        if number not in self.offices:
            draw = stream(self.seed, "office", self.profession, number, self.with_pass)
            who = habit(draw, self.profession, self.with_pass)
            first = (self.world.day - EPOCH).days - GROWN_DAYS - THEFT_WITHIN_DAYS + draw.randrange(THEFT_WITHIN_DAYS)
            office = Office(who, self.caps.of(self.profession), self.cards, draw, first, senses=self.senses)
            office.until((first + GROWN_DAYS) * DAY_S + 10 * 3600 + draw.randrange(6 * 3600))
            self.offices[number] = office
        return self.offices[number]


@dataclass
class Score:
    """A scenario over seeds: what thieves got, and how the robbed practices' own patients fared meanwhile."""

    scenario: Scenario
    loot: list[Loot] = field(default_factory=list)
    served: Counter[str] = field(default_factory=Counter)

    @property
    def newly(self) -> list[int]:
        """People newly told of, by seed, in order of size."""
        return sorted(each.newly for each in self.loot)

    def add(self, loot: Loot, offices: Sequence[Office]) -> None:
        """One more seed."""
        self.loot.append(loot)
        for office in offices:
            self.served += served(office.served)


def served(one: Served) -> Counter[str]:
    """Counts of the honest questions of one practice."""
    return Counter(
        asked=one.asked, with_pass=one.with_pass, refused=one.refused.total(), refused_with_pass=one.refused_with_pass
    )


def robbed(lab: Lab, scenario: Scenario, seed: int, accounts: int = 0) -> tuple[Loot, list[Office]]:
    """One robbery of the laboratory's practices: of the seed's own, and of the next ones where many are stolen."""
    draw = stream(lab.seed, "attack", scenario.name, seed)
    count = accounts or scenario.accounts
    offices = {str(number): lab.office(number).fork(draw) for number in range(seed, seed + count)}
    start_s = max(office.day * DAY_S + 10 * 3600 for office in offices.values())
    door = LabDoor(offices, start_s, scenario.token)
    listed, listing = _twice(lab.world, scenario, seed, lab.seed)
    loot = rob(scenario, door, list(offices), listed, draw, questions_max=len(lab.world.people) if count > 1 else 10**9)
    loot.portal = portal(lab.world, list(islice(listing, min(loot.asked, len(lab.world.people)))))
    for office in offices.values():  # how its patients fare the day after
        office.until(door.now_s + DAY_S)
    loot.quarantined = sum(office.desk.state.step == Step.QUARANTINED for office in offices.values())
    return loot, list(offices.values())


def _twice(world: World, scenario: Scenario, seed: int, lab_seed: int) -> tuple[Iterator[Aim], Iterator[Aim]]:
    """The thief's list, and the same again for the portal."""
    lists = (scenario.aims(world, stream(lab_seed, "list", scenario.name, seed)) for _ in range(2))
    first, second = lists
    return first, second


def play(lab: Lab, scenario: Scenario, seeds: int, told: Callable[[int, int], None] = lambda *_: None) -> Score:
    """Rob a practice a seed."""
    score = Score(scenario)
    for seed in range(seeds):
        score.add(*robbed(lab, scenario, seed))
        told(seed + 1, seeds)
    return score
