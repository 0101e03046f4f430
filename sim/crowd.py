"""Who comes in: people in an order of the day's own, each at most once a day, so that what is owed hangs on no race."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sim.contracts import Contract
from sim.people import Person
from sim.seeds import stream
from sim.truth import is_open, open_contracts
from sim.world import World


class Crowd:
    """The people of the world who have not come yet today."""

    def __init__(self, world: World, day: date) -> None:
        self.world, self.day = world, day
        self.waiting = list(world.people)
        stream(world.seed, "crowd", day).shuffle(self.waiting)

    def covered(self, domain: str, youngest: int = 0) -> tuple[Person, Contract] | None:
        """Someone whose rights are open for `domain` today, with the first contract that pays."""
        for place, person in enumerate(self.waiting):
            if person.age < youngest:
                continue
            rows = [row for row in self.world.rights(person) if domain in row.domains and is_open(row, self.day)]
            if rows:
                del self.waiting[place]
                return person, min(rows, key=lambda row: (row.priority, row.contract))
        return None

    def closed(self) -> tuple[Person, Contract] | None:
        """Someone whose contracts are all ended or not yet begun."""
        return self._first(lambda rows: not any(is_open(row, self.day) for row in rows))

    def without_domain(self, domain: str) -> tuple[Person, Contract] | None:
        """Someone covered today, but not for `domain`."""
        return self._first(
            lambda rows: (
                any(is_open(row, self.day) for row in rows)
                and not any(is_open(row, self.day) and domain in row.domains for row in rows)
            )
        )

    def uncovered(self) -> Person | None:
        """Someone without complementary insurance."""
        for place, person in enumerate(self.waiting):
            if not self.world.rights(person):
                return self.waiting.pop(place)
        return None

    def _first(self, fits: Callable[[list[Contract]], bool]) -> tuple[Person, Contract] | None:
        for place, person in enumerate(self.waiting):
            rows = self.world.rights(person)
            if rows and fits(rows):
                del self.waiting[place]
                return person, rows[0]
        return None


def elsewhere(world: World, person: Person, domain: str, day: date) -> str:
    """An insurer that knows nothing of `person`."""
    for insurer in world.insurers:
        if not open_contracts(world, person, insurer.number, domain, day):
            return insurer.number
    raise AssertionError("nobody is covered by every insurer")
