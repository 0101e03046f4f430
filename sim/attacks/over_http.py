"""Attacks over HTTP against the real hub, while others work: what thieves were told is then asked of the hub itself.

The thief has read every line of this project. What it was told is counted from its answers alone; `ecluse exposure` must name as
many people. Weeks go by on a moved clock (`sim/clock.py`): each night the hub pays claims that are due.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from ecluse.gate.features import Last, features
from ecluse.gate.identity import Account
from ecluse.gate.signals import Step
from ecluse.kernel.days import paris_day
from ecluse.kernel.errors import Refused
from sim import acts
from sim.attacks.aims import Aim, aim_at, portal
from sim.attacks.scenarios import FAST, Scenario
from sim.attacks.thief import Answer, Loot, rob
from sim.auditor.lie import Oath
from sim.auditor.told import instant
from sim.clock import Ahead
from sim.hub import Address, Operator, Tokens
from sim.lab.desk import Desk, Place
from sim.lab.door import WARY_E
from sim.logins import HEADER, Login
from sim.player import Played, token_kinds
from sim.professionals import Professional
from sim.seeds import stream
from sim.world import World

SECOND_US = 1_000_000
TOLD = {"confirmed", "quoted", "granted", "accepted"}  # outcomes that tell an account of a person
FULL = "full"
NOBODYS_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"  # the thumbprint of a key that the thief has not
ELSEWHERE = Login("198.19.0.66", "curl", "stolen")  # RFC 2544, of no practice
MORNING_S = 7 * 3600  # UTC
CALM_S, CALM_TRIES = 0.3, 10  # between two looks of the watcher, and how many
CHECKS = "/v1/rights/checks"
OTHERS_EACH = 3  # questions of each account
OTHERS_EVERY_S = 0.05  # between two questions of the others while a theft goes on
OWN_PATIENTS = 40  # people of its own practice that are asked about after a theft


@dataclass(frozen=True, slots=True)
class Honest:
    """How others fared meanwhile: accounts nobody stole, and the robbed practice's own patients; asked, and refused."""

    asked: int = 0
    refused: int = 0
    own_asked: int = 0
    own_refused: int = 0


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
    honest: dict[str, Honest] = field(default_factory=dict)
    taken: int = 0  # accounts stolen so far
    robbed: set[str] = field(default_factory=set)

    def play(self, address: Address, scenario: Scenario, advance: Callable[[int], None]) -> Loot:
        """Play one scenario against the hub at `address`. Raises `Lie` when the hub knows of other people than were told."""
        stolen = self._stolen(scenario)
        draw = stream(self.world.seed, "attack", scenario.name)
        door = HttpDoor(self, address, scenario, {who.account: who for who in stolen})
        began_ts, began_s = door.now_s, time.perf_counter()
        listed, listing = (scenario.aims(self.world, stream(self.world.seed, "list", scenario.name)) for _ in range(2))
        accounts = [who.account for who in stolen]
        self.robbed.update(accounts)
        with _Others(self, address) as others:
            loot = rob(scenario, door, accounts, listed, draw, advance, tries(self.world, scenario))
        loot.stolen, loot.began_ts = accounts, began_ts
        loot.took_s = time.perf_counter() - began_s
        loot.portal = portal(self.world, list(itertools.islice(listing, loot.asked)))
        loot.displayed = self._displayed(stolen, began_ts, door.now_s)
        self.oath.same("what a thief was told is known", scenario.name, loot.displayed, loot.confirmed)
        self.honest[scenario.name] = Honest(others.asked, others.refused, *door.own_patients(draw))
        door.close()
        return loot

    def _stolen(self, scenario: Scenario) -> list[Professional]:
        """General practitioners first, for their caps are those that targets name; nobody twice as long as there are others."""
        ranked = sorted(
            self.world.professionals, key=lambda who: (who.trade.profession != "general_practitioner", who.account)
        )
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

    def _displayed(self, stolen: Sequence[Professional], began_ts: float, until_ts: float) -> int:
        """How many people the hub says it showed these accounts since."""
        place = ("--dir", str(self.directory))
        words = ["--from", instant(int(began_ts * SECOND_US)), "--to", instant(int(until_ts * SECOND_US)), *place]
        for who in stolen:
            words += ["--account", who.account]
        said = self._exposed(words, place)
        people: int = said["displayed"]["people"]["at_most"]
        return people

    def _exposed(self, words: Sequence[str], place: Sequence[str]) -> Any:
        """What the hub says, once its watcher has written down its last moves: until then the lake is behind the journal."""
        for _ in range(CALM_TRIES):
            self.operator.command("journal", "export", *place)
            try:
                return self.operator.command("exposure", *words)
            except Refused as refused:
                if refused.refusal.code != "lake_behind":
                    raise
            time.sleep(CALM_S)
        return self.operator.command("exposure", *words)

    def pay(self) -> None:
        """The night's payment run."""
        self.operator.command("pay", "run", "--date", self.today, "--dir", str(self.directory))

    @property
    def today(self) -> str:
        """The hub's day."""
        return paris_day(self.clock.now()).isoformat()


def tries(world: World, scenario: Scenario) -> int:
    """How many questions a thief asks at most: about everybody once for each day, or `FAST`."""
    return min(FAST * max(1, scenario.plan.days), len(world.people) * scenario.plan.days)


class Line:
    """One kept connection; the plainest there is, for a thief is fast."""

    def __init__(self, address: Address) -> None:
        self._connection = HTTPConnection(*address, timeout=60)

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        """What is answered, a refusal too."""
        content = json.dumps(body).encode()
        self._connection.request("POST", path, content, {**headers, "content-type": "application/json"})
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return answer

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class HttpDoor:
    """A `Door` on the real server, asked as a practice's software asks it."""

    def __init__(self, robber: Robber, address: Address, scenario: Scenario, staff: dict[str, Professional]) -> None:
        self.robber, self.scenario, self.staff = robber, scenario, staff
        self._line = Line(address)
        self._known = {account: set(people) for account, people in robber.known().items()}
        self._by_number = {person.number: person for person in robber.world.people}
        self._tokens: dict[str, str] = {}
        self._engagements: dict[tuple[str, Aim], str] = {}
        self._copies: dict[str, _Copy] = {}
        self._draw = stream(robber.world.seed, "false claims", scenario.name)
        self._invoices = itertools.count(1)
        self._session = itertools.count(1)

    @property
    def now_s(self) -> float:
        """The hub's instant."""
        return self.robber.clock.now().timestamp()

    def enter(self, account: str, *, elsewhere: bool) -> None:
        """The stolen token: of the practice's own login, or of one of the thief's."""
        self._tokens[account] = self._token(account)

    def ask(self, account: str, aim: Aim) -> Answer:
        """A rights check."""
        answer = self._check(account, aim)
        is_new = False
        if answer.get("outcome") == "confirmed":
            known = self._known.setdefault(account, set())
            is_new = aim.person not in known
            known.add(aim.person)
            self._engagements[account, aim] = answer["engagement"]["number"]
        told = Answer(
            answer.get("code", ""),
            answer.get("outcome") == "confirmed",
            len(answer) - 1 if answer.get("outcome") == "confirmed" else 0,  # the id of the check says nothing
            is_new,
        )
        if self.scenario.plan.wary:
            self._copy(account).ask(aim, self.now_s)
        return told

    def known(self, account: str, draw: random.Random) -> Aim | None:
        """Somebody the practice was told of before."""
        people = sorted(self._known.get(account, ()))
        covered = [number for number in people if self.robber.world.rights(self._by_number[number])]
        return aim_at(self.robber.world, self._by_number[draw.choice(covered)]) if covered else None

    def bill(self, account: str, aim: Aim) -> None:
        """A false claim under the engagement that was given."""
        who, person = self.staff[account], self._by_number[aim.person]
        lines = acts.lines(self._draw, who, person.age, self.robber.today)
        body = {
            "invoice": f"FX-{self.scenario.name[:8]}-{next(self._invoices)}",
            "engagement": self._engagements[account, aim],
            "lines": lines,
        }
        self._post("/v1/claims", body, account)

    def prove(self, account: str) -> None:
        """Log in anew: a token of this instant, after the limit it is to lift."""
        self.robber.clock.set(self.robber.clock.seconds + 2)
        self._tokens[account] = self._token(account)

    def is_safe(self, account: str, aim: Aim) -> bool:
        """The thief's own copy of the hub knows what was asked through it, and nothing else."""
        return self._copy(account).is_safe(aim, self.now_s)

    def wait(self, seconds: float) -> None:
        """The clock is moved."""
        if seconds:
            self.robber.clock.set(self.robber.clock.seconds + seconds)

    def sleep(self) -> None:
        """The night's payment run, then the next morning; the session goes on under a token refreshed."""
        self.robber.pay()
        now = self.robber.clock.now()
        morning = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0) + timedelta(seconds=MORNING_S)
        self.wait((morning - now).total_seconds())
        self._tokens = {account: self._token(account) for account in self._tokens}

    def own_patients(self, draw: random.Random) -> tuple[int, int]:
        """Ask about people new to the robbed practices, as their own staff would: how many, how many refused."""
        if self.scenario.token != "true":
            return 0, 0
        asked = refused = 0
        covered = [person for person in self.robber.world.people if self.robber.world.rights(person)]
        for account in list(self.staff)[:1]:
            new = [person for person in covered if person.number not in self._known.get(account, set())]
            for person in draw.sample(new, min(OWN_PATIENTS, len(new))):
                asked += 1
                refused += "code" in self._check(account, aim_at(self.robber.world, person))
        return asked, refused

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _check(self, account: str, aim: Aim) -> dict[str, Any]:
        beneficiary = {"nir": aim.nir, "birth_date": aim.birth_date, "birth_rank": aim.birth_rank}
        day, domain = self.robber.today, self.staff[account].trade.domain
        body = {"insurer": aim.insurer, "beneficiary": beneficiary, "care_date": day, "domain": domain}
        return self._post(CHECKS, body, account)

    def _post(self, path: str, body: dict[str, Any], account: str) -> dict[str, Any]:
        login = self._login(account)
        headers = {"authorization": f"Bearer {self._tokens[account]}", HEADER: login.address}
        return self._line.post(path, body, headers)

    def _login(self, account: str) -> Login:
        own = self.robber.tokens.logins.of(account, FULL, after_noon=False)
        return ELSEWHERE if self.scenario.plan.elsewhere else own

    def _token(self, account: str) -> str:
        if self.scenario.token == "forged":
            return "forged"
        who, login = self.staff[account], self._login(account)
        holder = Account(
            account, who.practice.number, who.trade.profession, "", frozenset(token_kinds()[FULL].split()),
            software=login.software, session=f"{login.session}-{next(self._session)}",
            jkt=NOBODYS_KEY if self.scenario.token == "replayed" else "",
        )  # fmt: skip
        return self.robber.tokens.issuer.token(holder, int(self.now_s))

    def _copy(self, account: str) -> _Copy:
        if account not in self._copies:
            profession = self.staff[account].trade.profession
            self._copies[account] = _Copy(profession, self.now_s)
        return self._copies[account]


class _Copy:
    """A thief's own copy of the hub, for one account: what everybody may read, fed with what was asked."""

    def __init__(self, profession: str, now_s: float) -> None:
        from sim.lab.caps import built_in

        self.desk = Desk(built_in().of(profession), profession, int(now_s), senses=True)
        self.last: Last | None = None

    def ask(self, aim: Aim, at_s: float) -> None:
        """The same question as was asked."""
        self.desk, self.last, _ = self._tried(self.desk, aim, at_s)

    def is_safe(self, aim: Aim, at_s: float) -> bool:
        """Whether it would be told, and no alarm be nearer."""
        copy, _, answer = self._tried(self.desk.fork(), aim, at_s)
        return answer.is_new and copy.state.step == Step.OPEN and copy.loudest <= max(WARY_E, self.desk.loudest)

    def _tried(self, desk: Desk, aim: Aim, at_s: float) -> tuple[Desk, Last, Answer]:
        told, last = features(aim.nir, at_s, self.last)
        answer = desk.ask(aim.person, aim.person >= 0, at_s, Place("", "", ""), aim.insurer, told)
        return desk, last, answer


class _Others:
    """Everybody else goes on asking about their patients, from another thread."""

    def __init__(self, robber: Robber, address: Address) -> None:
        self.robber, self.address = robber, address
        self.staff = [who for who in robber.world.professionals if who.account not in robber.robbed]
        self.asked = self.refused = 0
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
                body = {"insurer": aim.insurer, "beneficiary": beneficiary, "care_date": self.robber.today}
                token = self.robber.tokens.fresh(who.account, int(self.robber.clock.now().timestamp()))
                headers = {"authorization": f"Bearer {token}"}
                answer = line.post(CHECKS, body | {"domain": who.trade.domain}, headers)
                self.asked += 1
                self.refused += "code" in answer
