"""How care goes on once stolen accounts are cut, over HTTP: the thief again, the robbed practices' patients, everybody else.

Passes are issued by the hub's own command to some patients of the robbed practices, as their insurers would have; who shows
one is there. What is answered, and what is refused with which code, is counted from the answers alone.
"""

from __future__ import annotations

import contextlib
import csv
import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.attacks.http_door import CHECKS, ELSEWHERE, FULL, Line
from sim.clock import Ahead
from sim.contracts import Contract
from sim.hub import Address, Tokens
from sim.logins import HEADER
from sim.people import Person
from sim.professionals import Professional
from sim.story.room import Room
from sim.truth import open_contracts
from sim.world import World

EACH = 3  # patients of each robbed practice
ROBBED_MAX = 40  # robbed practices that are looked at
OTHERS_MAX = 200  # questions of practices that nobody robbed
DAYS = "7"  # a pass holds a week at least


@dataclass
class Fared:
    """How one kind of question fared: asked, confirmed, refused by code."""

    asked: int = 0
    confirmed: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, answer: dict[str, Any]) -> None:
        """One more answer."""
        self.asked += 1
        self.confirmed += answer.get("outcome") == "confirmed"
        if code := answer.get("code"):
            self.refused[code] += 1


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody who comes in: at whose desk, under which contract, and the pass they show; empty for none."""

    who: Professional
    person: Person
    contract: Contract
    shown: str = ""


@dataclass
class Care:
    """Questions after the accounts were cut, by kind."""

    thief: Fared = field(default_factory=Fared)
    present: Fared = field(default_factory=Fared)
    typed: Fared = field(default_factory=Fared)
    others: Fared = field(default_factory=Fared)


@dataclass
class Desks:
    """Every desk of the world, open for one more round after the cut.

    `login_ts`: when the sessions of robbed accounts began, before the cut. A login after it, with the professional's card, would
    lift the limit (docs/gate.md): the thief has no card, and here nobody shows one.
    """

    world: World
    tokens: Tokens
    clock: Ahead
    room: Room
    folder: Path  # for the lists that passes are issued from
    login_ts: int
    stolen: Collection[str]  # accounts of any theft, of this story or not

    def go_on(self, address: Address, robbed: Sequence[Professional], draw: random.Random) -> Care:
        """One round; `robbed` are the accounts that were cut."""
        care, crowd = Care(), list(self.world.people)
        draw.shuffle(crowd)
        free = iter(crowd)
        looked = robbed[:ROBBED_MAX]
        present = self.with_passes(self._patients(looked, free, EACH))
        typed = self._patients(looked, free, EACH)
        others = [who for who in self.world.professionals if who.account not in self.stolen]
        now_ts = int(self.clock.now().timestamp())
        elsewhere = self._patients(others, free, max(1, min(EACH, OTHERS_MAX // max(1, len(others)))))
        with contextlib.closing(Line(address)) as line:
            for patient in typed:
                care.thief.add(self._ask(line, patient, ELSEWHERE.address, self.login_ts))
            for patient in present:
                care.present.add(self._ask(line, patient, self._address(patient.who), self.login_ts))
            for patient in typed:
                care.typed.add(self._ask(line, patient, self._address(patient.who), self.login_ts))
            for patient in elsewhere[:OTHERS_MAX]:
                care.others.add(self._ask(line, patient, self._address(patient.who), now_ts))
        return care

    def with_passes(self, patients: Iterable[Patient]) -> list[Patient]:
        """The same patients, each with a pass that the hub issued for their insurer."""
        by_insurer: dict[str, list[Patient]] = {}
        for patient in patients:
            by_insurer.setdefault(patient.contract.insurer, []).append(patient)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return [each for insurer, mine in sorted(by_insurer.items()) for each in self._issued(insurer, mine)]

    def _issued(self, insurer: str, patients: list[Patient]) -> list[Patient]:
        asked, given = self.folder / f"{insurer}.csv", self.folder / f"{insurer}-passes.csv"
        with asked.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("member_number", "nir", "birth_date", "birth_rank"))
            for each in patients:
                person = each.person
                rows.writerow((each.contract.member_number, person.nir, person.birth_date, person.birth_rank))
        self.room.command("pass", "issue", str(asked), "--insurer", insurer, "--out", str(given), "--days", DAYS)
        with given.open(encoding="utf-8", newline="") as file:
            passes = {int(row["line"]): row["pass"] for row in csv.DictReader(file)}
        return [
            Patient(each.who, each.person, each.contract, passes[line]) for line, each in enumerate(patients, start=2)
        ]

    def _patients(self, desks: Sequence[Professional], free: Iterable[Person], each: int) -> list[Patient]:
        """`each` people a desk, covered today for its domain; nobody comes in twice."""
        found: list[Patient] = []
        for who in desks:
            for _ in range(each):
                if patient := self._next(who, free):
                    found.append(patient)
        return found

    def _next(self, who: Professional, free: Iterable[Person]) -> Patient | None:
        for person in free:
            for row in self.world.rights(person)[:1]:
                open_ = open_contracts(self.world, person, row.insurer, who.trade.domain, self.world.day)
                if open_:
                    return Patient(who, person, open_[0])
        return None

    def _ask(self, line: Line, patient: Patient, address: str, login_ts: int) -> dict[str, Any]:
        person, who = patient.person, patient.who
        body = {
            "insurer": patient.contract.insurer,
            "beneficiary": {"nir": person.nir, "birth_date": person.birth_date, "birth_rank": person.birth_rank},
            "care_date": self.world.day.isoformat(),
            "domain": who.trade.domain,
            "pass": patient.shown or None,
        }
        token = self.tokens.fresh(who.account, login_ts)
        return line.post(CHECKS, body, {"authorization": f"Bearer {token}", HEADER: address})

    def _address(self, who: Professional) -> str:
        return self.tokens.logins.of(who.account, FULL, after_noon=False).address
