"""Attacks over HTTP against the real hub, while others work: what thieves were told is then asked of the hub itself.

The thief has read every line of this project. What it was told is counted from its answers alone; `ecluse exposure` must name as
many people. Weeks go by on a moved clock (`sim/clock.py`): each night the hub pays claims that are due.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from ecluse.gate.containment import Containment
from ecluse.gate.signals import Step
from sim.attacks.aims import Aim, aim_at, portal
from sim.attacks.http_door import CHECKS, HttpDoor, Line, Scene
from sim.attacks.scenarios import FAST, Scenario
from sim.attacks.thief import QUARANTINED, Loot, rob
from sim.auditor.lie import Oath
from sim.auditor.told import Between, Record, instant
from sim.clock import Ahead
from sim.hub import Address, Operator, Tokens
from sim.logins import NOWHERE
from sim.player import Played
from sim.professionals import Professional
from sim.seeds import stream
from sim.world import World

SECOND_US = 1_000_000
TOLD = {"confirmed", "quoted", "granted", "accepted"}  # outcomes that tell an account of a person
OTHERS_EACH = 3  # questions of each account
OTHERS_EVERY_S = 0.05  # between two questions of the others while a theft goes on


@dataclass(frozen=True, slots=True)
class Honest:
    """How others fared meanwhile: accounts nobody stole, and the robbed practice's own patients; asked, and refused.

    `codes`: what others were refused with; `quarantined`: accounts that nobody ever stole and that are closed at the end.
    """

    asked: int = 0
    refused: int = 0
    own_asked: int = 0
    own_refused: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0


@dataclass
class Robber:
    """Plays attacks on one world, after the exchanges `played` there, and asks the hub in `directory` what it knows of them."""

    world: World
    played: Sequence[Played]
    tokens: Tokens
    operator: Operator
    directory: Path
    oath: Oath
    clock: Ahead
    record: Record  # of what everybody is told meanwhile
    honest: dict[str, Honest] = field(default_factory=dict)
    taken: int = 0  # accounts stolen so far
    robbed: set[str] = field(default_factory=set)

    def play(self, address: Address, scenario: Scenario, advance: Callable[[int], None]) -> Loot:
        """Play one scenario against the hub at `address`. Raises `Lie` when the hub knows of other people than were told."""
        stolen = self._stolen(scenario)
        draw = stream(self.world.seed, "attack", scenario.name)
        scene = self._scene()
        door = HttpDoor(scene, address, scenario, {who.account: who for who in stolen})
        began_ts, began_s = door.now_s, time.perf_counter()
        listed, listing = (scenario.aims(self.world, stream(self.world.seed, "list", scenario.name)) for _ in range(2))
        accounts = [who.account for who in stolen]
        self.robbed.update(accounts)
        with _Others(self, scene, address) as others:
            loot = rob(scenario, door, accounts, listed, draw, advance, tries(self.world, scenario))
        loot.stolen, loot.began_ts = accounts, began_ts
        loot.took_s = time.perf_counter() - began_s
        loot.portal = portal(self.world, list(itertools.islice(listing, loot.asked)))
        shown = self._displayed(stolen, began_ts, door.now_s)
        loot.displayed, told = shown["people"]["at_most"], sum(shown["disclosures"].values())
        self.oath.same("what a thief was told is known", scenario.name, loot.displayed, loot.confirmed)
        more = told - loot.fields
        holds = more > 0 if loot.claims else not more  # what a claim is answered tells of its person, too
        self.oath.true("what a thief was told is known", f"{scenario.name}, fields", holds, str(loot.fields), told)
        closed = self._limits(loot, door)
        self.honest[scenario.name] = Honest(
            others.asked, others.codes.total(), *door.own_patients(draw), dict(others.codes), closed
        )
        door.close()
        return loot

    def _stolen(self, scenario: Scenario) -> list[Professional]:
        """The next of `in_order_of_theft`; nobody twice as long as there is somebody else."""
        ranked = in_order_of_theft(self.world.professionals)
        first = self.taken % len(ranked)
        found = ranked[first : first + scenario.accounts]
        self.taken += len(found) if scenario.token == "true" else 0
        return found

    def known(self) -> dict[str, list[int]]:
        """Whom each account was told of before, by their numbers."""
        found: dict[str, list[int]] = {}
        for each in self.played:
            if each.planned.must.outcome in TOLD and each.planned.must.person >= 0:
                found.setdefault(each.planned.account, []).append(each.planned.must.person)
        return found

    def _limits(self, loot: Loot, door: HttpDoor) -> int:
        """What the hub holds the stolen logins to; how many others are closed. Raises `Lie` where it says other than it did."""
        limits = {each["name"]: each for each in self.operator.command("gate", "show", "--dir", str(self.directory))}
        steps: Counter[Step] = Counter()
        for account in loot.stolen:
            state = msgspec.convert(limits.get(account, {}).get("state", {"kind": "account"}), Containment)
            steps[Step(state.step_of(door.logins_ts[account] * SECOND_US))] += 1
        loot.held = {step.name.lower(): count for step, count in sorted(steps.items())}
        loot.quarantined = steps[Step.QUARANTINED]
        was = bool(loot.refused[QUARANTINED])
        self.oath.true(
            "a closed account is known", loot.scenario.name, not was or loot.quarantined > 0, "closed", loot.held
        )
        closed = {name for name, each in limits.items() if each["step"] == "quarantined"}
        return len(closed & {who.account for who in self.world.professionals} - self.robbed)

    def _displayed(self, stolen: Sequence[Professional], began_ts: float, until_ts: float) -> Any:
        """Whom, and with which fields, the hub says it showed these accounts since."""
        place = ("--dir", str(self.directory))
        words = ["--from", instant(int(began_ts * SECOND_US)), "--to", instant(int(until_ts * SECOND_US)), *place]
        for who in stolen:
            words += ["--account", who.account]
        return self.operator.command("exposure", *words)["displayed"]

    def _scene(self) -> Scene:
        def pay(day: str) -> None:
            self.operator.command("pay", "run", "--date", day, "--dir", str(self.directory))

        return Scene(self.world, self.tokens, self.clock, self.known(), pay, self.record)


def in_order_of_theft(professionals: Sequence[Professional]) -> list[Professional]:
    """General practitioners before others, for their caps are those that targets name.

    From the end of the list, and the first of each profession after everybody else: whoever opens the hub afterwards tries the
    first rows.
    """
    listed = sorted(professionals, key=lambda who: who.account, reverse=True)
    firsts = {who.trade.profession: who.account for who in listed}  # the last one in this order stays
    return sorted(
        listed,
        key=lambda who: (who.account == firsts[who.trade.profession], who.trade.profession != "general_practitioner"),
    )


def tries(world: World, scenario: Scenario) -> int:
    """How many questions a thief asks at most: about everybody once for each day, or `FAST`."""
    return min(FAST * max(1, scenario.plan.days), len(world.people) * scenario.plan.days)


class _Others:
    """Everybody else goes on asking about their patients, from another thread."""

    def __init__(self, robber: Robber, scene: Scene, address: Address) -> None:
        self.robber, self.scene, self.address = robber, scene, address
        self.staff = [who for who in robber.world.professionals if who.account not in robber.robbed]
        self.asked, self.codes = 0, Counter[str]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> _Others:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        world, draw = self.robber.world, stream(self.robber.world.seed, "others", self.robber.taken)
        people: Iterator[Aim] = itertools.cycle(aim_at(world, each) for each in world.people if world.rights(each))
        busy: Counter[str] = Counter()
        with contextlib.closing(Line(self.address)) as line:
            while self.staff and not self._over.wait(OTHERS_EVERY_S):
                who = draw.choice(self.staff)
                busy[who.account] += 1
                if busy[who.account] > OTHERS_EACH:  # nobody of them is at a cap
                    continue
                aim = next(people)
                beneficiary = {"nir": aim.nir, "birth_date": aim.birth_date, "birth_rank": aim.birth_rank}
                body = {"insurer": aim.insurer, "beneficiary": beneficiary, "care_date": self.scene.today}
                asked = body | {"domain": who.trade.domain}
                answer = self._answered(line, who, asked)
                if answer.get("code") == "unauthenticated":  # the clock was moved on under the token
                    answer = self._answered(line, who, asked)
                self.asked += 1
                if "code" in answer:
                    self.codes[answer["code"]] += 1

    def _answered(self, line: Line, who: Professional, asked: dict[str, Any]) -> dict[str, Any]:
        sent_at = self.robber.clock.now().timestamp()
        token = self.robber.tokens.fresh(who.account, int(sent_at))
        answer = line.post(CHECKS, asked, {"authorization": f"Bearer {token}"})
        at = Between.of(sent_at, self.robber.clock.now().timestamp())
        self.robber.record.hear_check(at, who.account, NOWHERE, asked, answer)  # no address was said
        return answer
