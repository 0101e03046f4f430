"""The whole simulated world of one seed: the same seed, size and day give the same world, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sim.contracts import Contract, contracts_of
from sim.insurers import Insurer, found_insurers
from sim.people import Person, families
from sim.professionals import Practice, Professional, found_professionals, practices

PEOPLE_MAX = 2_000_000  # the world is held in memory: about 1 KiB a person


@dataclass(frozen=True)
class World:
    """People, what covers them, insurers and professionals, as they are on `day`."""

    seed: int
    day: date
    people: tuple[Person, ...]
    contracts: tuple[Contract, ...]
    insurers: tuple[Insurer, ...]
    professionals: tuple[Professional, ...]
    contracts_by_person: dict[int, list[Contract]] = field(default_factory=dict)

    @property
    def practices(self) -> tuple[Practice, ...]:
        """The places of practice, each once."""
        return practices(self.professionals)

    def insurer(self, number: str) -> Insurer:
        """The insurer with this number."""
        return next(each for each in self.insurers if each.number == number)

    def rights(self, person: Person) -> list[Contract]:
        """The rows of rights of one person, none for those without complementary insurance."""
        return self.contracts_by_person.get(person.number, [])


def build(seed: int, people: int, day: date) -> World:
    """The world of `seed` with `people` inhabitants (at most `PEOPLE_MAX`), on the eve of the first visit of `day`."""
    if not 0 < people <= PEOPLE_MAX:
        raise ValueError(f"a world holds from 1 to {PEOPLE_MAX} people, not {people}")
    insurers = found_insurers(seed, day)
    inhabitants: list[Person] = []
    rights: list[Contract] = []
    for members in families(seed, people, day):
        inhabitants += members
        rights += contracts_of(seed, members, insurers, day)
    by_person: dict[int, list[Contract]] = {}
    for row in rights:
        by_person.setdefault(row.person, []).append(row)
    professionals = found_professionals(seed, people)
    return World(seed, day, tuple(inhabitants), tuple(rights), insurers, professionals, by_person)
