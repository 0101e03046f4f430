"""The slow truth of exposure: which fields every client really received, about whom, when, and from where it asked.

Read from the bytes that went over the line and from the world, by the auditor's own reading of docs/journal.md and of the public
contract; nothing of the hub's journal is looked at. Whom an answer is about:

- a rights check that confirms: who is on the card;
- whatever names an engagement, an approval or a claim: whom that was about, if it was given to this practice;
- a claim that names a card: who is on it, if the world covers them on every day of its lines (else nobody was confirmed).

A refusal of the door tells of nobody. Pages of a practice's own claims and approvals name nobody: they are counted.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sim import truth
from sim.logins import NOWHERE, Login
from sim.people import Person
from sim.player import Played
from sim.professionals import Professional
from sim.world import World

Json = dict[str, Any]

OPERATOR = "operator"
PREFIX_BITS = {4: 24, 6: 48}  # docs/journal.md: a /24 of IPv4, a /48 of IPv6

# Fields of docs/journal.md, and the names in an answer that carry them: at its top, or anywhere in it.
AT_THE_TOP = {
    "outcome": ("outcome",),
    "third_party_payment": ("third_party_payment",),
    "engagement": ("engagement",),
    "covered_until": ("covered_until",),
    "convention_type": ("convention_type",),
    "csr": ("csr",),
    "reason": ("refusals",),
    "claim": ("claim_id", "claims"),
    "approval": ("approval_id", "approvals"),
    "valid_until": ("valid_until",),
}
ANYWHERE = {
    "split": ("amo_cents", "amc_cents", "patient_cents", "waterfall"),
    "guarantee": ("because", "waterfall"),  # sentences, or bars, that say what the contract's guarantee pays and why
}
IN_WORDS = {"amount_mismatch": "split"}  # a refusal whose words say a field: the right amount


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """Somebody as an insurer names them."""

    insurer: str
    number: str
    birth_date: str
    birth_rank: int


class Between(NamedTuple):
    """When an exchange was under way (µs since 1970, our clock): the hub's own instant of it is between, both inside."""

    sent_us: int
    received_us: int

    @classmethod
    def of(cls, sent_at: float, received_at: float) -> Between:
        """From seconds since 1970, rounded outwards."""
        return cls(int(sent_at * 1_000_000), int(received_at * 1_000_000) + 1)


class Page(NamedTuple):
    """A page of somebody's own claims or approvals; as a `Telling`, about nobody."""

    account: str
    sent_us: int
    received_us: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Telling:
    """One answer about one person. The hub's instant is between `sent_us` and `received_us` (µs since 1970, on our clock).

    `attempts`: how often it was asked: the hub may have said it each time, and the line was lost. `bills`: the claim it accepted.
    """

    sent_us: int
    received_us: int
    attempts: int
    account: str
    practice: str
    network: str
    software: str
    session: str
    member: Member
    fields: frozenset[str]
    bills: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a number or an id stands for, and the practice that it was given to."""

    member: Member
    practice: str


class Record:
    """What everybody was told, exchange after exchange."""

    def __init__(self, world: World, staff: Mapping[str, Professional]) -> None:
        self.world, self.staff = world, staff
        self.tellings: list[Telling] = []
        self.pages: list[Page] = []
        self.cancelled: set[str] = set()
        self.subjects: dict[str, Subject | None] = {}
        self.by_nir = {(each.nir, each.birth_date, each.birth_rank): each for each in world.people}
        self.by_number: dict[tuple[str, str, str, int], Person] = {}
        for row in world.contracts:
            person = world.people[row.person]
            self.by_number[row.insurer, row.member_number, person.birth_date, person.birth_rank] = person

    def hear(self, played: Played) -> None:
        """Keep what one exchange told."""
        if played.status >= 400:
            return
        answer, account, path = json.loads(played.answer), played.planned.account, played.path.split("?")[0]
        practice, at = self.staff[account].practice.number, Between.of(played.sent_at, played.received_at)
        if played.planned.method == "GET" and path in PAGES:
            if fields_in(answer):  # an empty one shows nothing
                self.pages.append(Page(account, at.sent_us, at.received_us, played.attempts))
            return
        subject = self._subject(path, played.request, answer, practice)
        if path.endswith("/cancellation"):
            self.cancelled.add(path.split("/")[3])
        if subject:
            bills = answer["claim_id"] if path == "/v1/claims" and answer["status"] == "accepted" else ""
            self._keep(at, played.attempts, account, practice, played.login, subject.member, answer, bills)

    def hear_check(self, at: Between, account: str, login: Login, asked: Json, answer: Json) -> None:
        """Keep what a rights check told that nobody had planned: a thief's, or another's while thieves are at work."""
        if "outcome" not in answer:  # a refusal tells of nobody
            return
        practice = self.staff[account].practice.number
        if subject := self._subject("/v1/rights/checks", asked, answer, practice):
            self._keep(at, 1, account, practice, login, subject.member, answer, "")

    def explained(self, id_: str, sent_at: float, received_at: float, said: Json) -> None:
        """The operator read how a quote or a claim was shared out."""
        if subject := self.subjects[id_]:
            self._keep(Between.of(sent_at, received_at), 1, OPERATOR, "", NOWHERE, subject.member, said, "")

    def _keep(
        self, at: Between, attempts: int, account: str, practice: str, login: Login, member: Member, answer: Json, bills: str
    ) -> None:  # fmt: skip
        asker = (account, practice, network_of(login.address), login.software, login.session)
        self.tellings.append(Telling(at.sent_us, at.received_us, attempts, *asker, member, fields_in(answer), bills))

    # whom an answer is about

    def _subject(self, path: str, request: Json | str | None, answer: Json, practice: str) -> Subject | None:
        """Whom the answer is about, and from now on the numbers and ids in it."""
        if named := NAMED.match(path):  # a claim or an approval, shown again or cancelled
            return self.subjects.get(named[1])
        made = next((answer[name] for name in MADE if name in answer), "")
        if made in self.subjects:  # sent again: it is the one it was
            return self.subjects[made]
        assert isinstance(request, dict), "what is answered was asked"
        subject = self._asked_about(path, request, answer, practice)
        for name in (made, number_in(answer)):
            if name:
                self.subjects.setdefault(name, subject)
        return subject

    def _asked_about(self, path: str, body: Json, answer: Json, practice: str) -> Subject | None:
        if promise := body.get("engagement") or body.get("approval"):
            subject = self.subjects.get(promise)
            return subject if subject and subject.practice == practice else None
        person = self._on_card(body)
        if person is None:
            return None
        if path == "/v1/rights/checks":
            days = [date.fromisoformat(body["care_date"])] if answer["outcome"] == "confirmed" else []
        else:
            days = days_of(body)
        rows = [truth.open_contracts(self.world, person, body["insurer"], body["domain"], day) for day in days]
        if not rows or not all(rows):
            return None
        return Subject(
            Member(body["insurer"], rows[0][0].member_number, person.birth_date, person.birth_rank), practice
        )

    def _on_card(self, body: Json) -> Person | None:
        card = body["beneficiary"]
        rest = (card["birth_date"], card.get("birth_rank", 1))
        if "nir" in card:
            return self.by_nir.get((card["nir"], *rest))
        return self.by_number.get((body["insurer"], card["member_number"], *rest))


PAGES = ("/v1/claims", "/v1/approvals")
MADE = ("claim_id", "approval_id", "quote_id")
NAMED = re.compile(r"/v1/(?:claims|approvals)/([A-Za-z0-9_]+)(?:/cancellation)?$")
SESSIONS_DAYS = 30  # a claim's lines may be of thirty days; what is later is refused whatever the rights


def days_of(body: Json) -> list[date]:
    """The days on which a claim without engagement asks whether somebody is covered."""
    days = [date.fromisoformat(line["date"]) for line in body["lines"]]
    first = date.fromisoformat(body["care_date"]) if body.get("care_date") else min(days)
    return [first, *(day for day in days if first <= day <= first + timedelta(days=SESSIONS_DAYS))]


def number_in(answer: Json) -> str:
    """The engagement that an answer gives, or repeats; empty when there is none."""
    given = answer.get("engagement")
    return str(given["number"]) if isinstance(given, dict) else ""


def fields_in(answer: Json) -> frozenset[str]:
    """The fields of docs/journal.md that are in an answer; what is null or empty tells nothing."""
    top = {name for name, keys in AT_THE_TOP.items() if any(answer.get(key) not in (None, [], "") for key in keys)}
    names = set(names_in(answer))
    anywhere = {name for name, keys in ANYWHERE.items() if names.intersection(keys)}
    return frozenset(top | anywhere | {IN_WORDS[code] for code in refusals_of(answer) if code in IN_WORDS})


def refusals_of(answer: Json) -> Iterator[str]:
    """The codes of why a claim or an approval is refused."""
    return (each["code"] for each in answer.get("refusals") or ())


def names_in(value: Any) -> Iterator[str]:
    """Every name in a JSON value that has a value which is not null."""
    if isinstance(value, dict):
        for name, each in value.items():
            if each is not None:
                yield name
            yield from names_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from names_in(each)


def network_of(address: str) -> str:
    """The network that the journal may keep of an address; empty for none."""
    if not address:
        return ""
    bits = PREFIX_BITS[ipaddress.ip_address(address).version]
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def instant(ts_us: int) -> str:
    """Microseconds since 1970 as RFC 3339, UTC."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ts_us)).isoformat()
