"""The thief's door on the real server, asked as a practice's software asks it, under a clock that is moved."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any

from ecluse.gate.features import Last, features
from ecluse.gate.identity import Account
from ecluse.gate.signals import Step
from ecluse.kernel.days import paris_day
from sim import acts
from sim.attacks.aims import Aim, aim_at
from sim.attacks.scenarios import Scenario
from sim.attacks.thief import Answer
from sim.auditor.told import Between, Record
from sim.clock import Ahead
from sim.hub import Address, Tokens
from sim.lab.desk import Desk, Place
from sim.lab.door import WARY_E
from sim.logins import HEADER, Login
from sim.player import token_kinds
from sim.professionals import Professional
from sim.seeds import stream
from sim.world import World

FULL = "full"
NOBODYS_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"  # the thumbprint of a key that the thief has not
ELSEWHERE = Login("198.19.0.66", "curl", "stolen")  # RFC 2544, of no practice
MORNING_S = 7 * 3600  # UTC
CHECKS = "/v1/rights/checks"
OWN_PATIENTS = 40  # people of its own practice that are asked about after a theft


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens: the world, who signs tokens, the hub's clock, whom accounts were told of before, the night's payments.

    `record` keeps what everybody is told meanwhile.
    """

    world: World
    tokens: Tokens
    clock: Ahead
    known: Mapping[str, Sequence[int]]
    pay: Callable[[str], None]
    record: Record

    @property
    def today(self) -> str:
        """The hub's day."""
        return paris_day(self.clock.now()).isoformat()


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

    def __init__(self, place: Scene, address: Address, scenario: Scenario, staff: dict[str, Professional]) -> None:
        self.place, self.scenario, self.staff = place, scenario, staff
        self._line = Line(address)
        self._known = {account: set(people) for account, people in place.known.items()}
        self._by_number = {person.number: person for person in place.world.people}
        self._tokens: dict[str, str] = {}
        self._used: dict[str, Login] = {}
        self.logins_ts: dict[str, int] = {}  # when whoever is at a stolen account last logged in
        self._engagements: dict[tuple[str, Aim], str] = {}
        self._copies: dict[str, _Copy] = {}
        self._draw = stream(place.world.seed, "false claims", scenario.name)
        self._invoices = itertools.count(1)
        self._session = itertools.count(1)

    @property
    def now_s(self) -> float:
        """The hub's instant."""
        return self.place.clock.now().timestamp()

    def enter(self, account: str, *, elsewhere: bool) -> None:
        """The stolen token: of the practice's own login, or of one of the thief's."""
        self._log_in(account)

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
        covered = [number for number in people if self.place.world.rights(self._by_number[number])]
        return aim_at(self.place.world, self._by_number[draw.choice(covered)]) if covered else None

    def bill(self, account: str, aim: Aim) -> None:
        """A false claim under the engagement that was given."""
        who, person = self.staff[account], self._by_number[aim.person]
        lines = acts.lines(self._draw, who, person.age, self.place.today)
        body = {
            "invoice": f"FX-{self.scenario.name[:8]}-{next(self._invoices)}",
            "engagement": self._engagements[account, aim],
            "lines": lines,
        }
        self._post("/v1/claims", body, account)

    def prove(self, account: str) -> None:
        """Log in anew: a token of this instant, after the limit it is to lift."""
        self.place.clock.set(self.place.clock.seconds + 2)
        self._log_in(account)

    def is_safe(self, account: str, aim: Aim) -> bool:
        """The thief's own copy of the hub knows what was asked through it, and nothing else."""
        return self._copy(account).is_safe(aim, self.now_s)

    def wait(self, seconds: float) -> None:
        """The clock is moved."""
        if seconds:
            self.place.clock.set(self.place.clock.seconds + seconds)

    def sleep(self) -> None:
        """The night's payment run, then the next morning. A stolen session goes on under a token refreshed, of the same login; on
        the practice's own device its staff logs in each morning."""
        self.place.pay(self.place.today)
        now = self.place.clock.now()
        morning = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0) + timedelta(seconds=MORNING_S)
        self.wait((morning - now).total_seconds())
        for account in self._tokens:
            if self.scenario.plan.elsewhere:
                self._tokens[account] = self._token(account)
            else:
                self._log_in(account)

    def own_patients(self, draw: random.Random) -> tuple[int, int]:
        """Ask about people new to a robbed practice, as its own staff do who log in anew: how many, how many refused."""
        if self.scenario.token != "true":
            return 0, 0
        asked = refused = 0
        self.place.clock.set(self.place.clock.seconds + 2)
        covered = [person for person in self.place.world.people if self.place.world.rights(person)]
        for account in list(self.staff)[:1]:
            token = self.place.tokens.fresh(account, int(self.now_s))
            new = [person for person in covered if person.number not in self._known.get(account, set())]
            for person in draw.sample(new, min(OWN_PATIENTS, len(new))):
                asked += 1
                refused += "code" in self._check(account, aim_at(self.place.world, person), token)
        return asked, refused

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _check(self, account: str, aim: Aim, token: str = "") -> dict[str, Any]:
        beneficiary = {"nir": aim.nir, "birth_date": aim.birth_date, "birth_rank": aim.birth_rank}
        day, domain = self.place.today, self.staff[account].trade.domain
        body = {"insurer": aim.insurer, "beneficiary": beneficiary, "care_date": day, "domain": domain}
        sent_at = self.now_s
        answer = self._post(CHECKS, body, account, token)
        login = self._own(account) if token else self._used[account]
        self.place.record.hear_check(Between.of(sent_at, self.now_s), account, login, body, answer)
        return answer

    def _post(self, path: str, body: dict[str, Any], account: str, token: str = "") -> dict[str, Any]:
        """Sent with the stolen token, or from the practice with one of its own."""
        login = self._own(account) if token else self._login(account)
        headers = {"authorization": f"Bearer {token or self._tokens[account]}", HEADER: login.address}
        return self._line.post(path, body, headers)

    def _own(self, account: str) -> Login:
        return self.place.tokens.logins.of(account, FULL, after_noon=False)

    def _login(self, account: str) -> Login:
        return ELSEWHERE if self.scenario.plan.elsewhere else self._own(account)

    def _log_in(self, account: str) -> None:
        self.logins_ts[account] = int(self.now_s)
        self._tokens[account] = self._token(account)

    def _token(self, account: str) -> str:
        who, login = self.staff[account], self._login(account)
        used = self._used[account] = replace(login, session=f"{login.session}-{next(self._session)}")
        if self.scenario.token == "forged":
            return "forged"
        holder = Account(
            account, who.practice.number, who.trade.profession, "", frozenset(token_kinds()[FULL].split()),
            software=used.software, session=used.session, auth_ts=self.logins_ts[account],
            jkt=NOBODYS_KEY if self.scenario.token == "replayed" else "",
        )  # fmt: skip
        return self.place.tokens.issuer.token(holder, int(self.now_s))

    def _copy(self, account: str) -> _Copy:
        if account not in self._copies:
            profession = self.staff[account].trade.profession
            self._copies[account] = _Copy(profession, self.now_s)
        return self._copies[account]


class _Copy:
    """A thief's own copy of the hub, for one account: what everybody may read, fed with what was asked."""

    def __init__(self, profession: str, now_s: float) -> None:
        from ecluse.wiring.gate import built_in_caps

        self.desk = Desk(built_in_caps().of(profession), profession, int(now_s), senses=True)
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
