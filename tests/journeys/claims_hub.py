"""A hub with a handful of members, real engines underneath, spoken to over HTTP: what the tests of claims stand on.

Only the members are held in memory; claims, products, ledger, keys and journal are the engines of the product.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from ecluse.app.access import Desk, open_engagement
from ecluse.app.allowance import Allowance
from ecluse.app.asker import Askers
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB, Mark
from ecluse.app.tries import Tries
from ecluse.coverage.product import read_product
from ecluse.doors.http.app import build
from ecluse.doors.http.who import Door
from ecluse.engines.clock import RandomIds
from ecluse.engines.issuer import PUBLIC, DevelopmentIssuer, create_development_issuer
from ecluse.engines.issuers import Source, TrustedIssuers
from ecluse.engines.journal_search import JournalSearch
from ecluse.engines.keys.file import DevelopmentOnly, KeyFile
from ecluse.engines.sql.ledger import balances
from ecluse.gate.admission import Admission, Person
from ecluse.gate.identity import Account, Issuer
from ecluse.journal.entry import Entry
from ecluse.rights.model import Engagement, Right
from ecluse.rights.person import nir_message
from ecluse.rules.book import open_book
from ecluse.wiring.gate import built_in_caps, open_allowances, open_containments, open_freezes, open_sensings
from tests.journal import entries_in, open_log
from tests.rights import right
from tests.stores import Books, chosen, open_stores

INSURER, OTHER_INSURER = "0075123456", "0075999999"
PRACTICE, OTHER_PRACTICE = "750000018", "750000026"
DOCTOR = "rpps:10000000001"
NIR, BIRTH = "279067505612357", "1979-06-14"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PRODUCTS = [
    """{product: P, label: Produit, responsible: false, guarantees: [
        {domains: [MED], guarantee: "BR_INCL:200", label: Consultations},
        {domains: [AUXM], acts: [OST], guarantee: "EUR_ACT:30/5Y", label: Ostéopathie},
        {domains: [AUXM], acts: [DIET], guarantee: "EUR_YEAR:250", label: Diététique},
        {domains: [AUXM], guarantee: "TM:100", label: Soins},
        {domains: [PHAR], acts: [NR], guarantee: "NONE", label: Rien}]}""",
    """{product: S, label: Surcomplémentaire, responsible: false, guarantees: [
        {domains: [MED, AUXM], guarantee: "EUR:5", label: Forfait}]}""",
]
Answer = TypeVar("Answer")


class Members:
    """The `RightsStore` port, in memory: rights by keyed pseudonym, engagements by number."""

    def __init__(self, keys: KeyFile) -> None:
        self.held: dict[bytes, list[Right]] = {}
        self._given: dict[str, Entry] = {}
        self._keys = keys

    async def ready(self) -> None: ...

    async def rights(self, admission: Admission) -> list[Right]:
        assert isinstance(admission.about, Person)
        return self.held.get(admission.about.keys[-1], []) if admission.about.keys else []

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        self._given |= {entry.engagement: entry for entry in entries if entry.gives_engagement}

    async def engagement(self, admission: Admission) -> Engagement | None:
        assert isinstance(admission.about, str)
        entry = self._given.get(admission.about)
        if entry is None or entry.practice != admission.asked.account.practice:
            return None
        return open_engagement(self._keys, entry.insurer, entry.engagement, entry.sealed)


class SetClock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.instant = NOW

    def now(self) -> datetime:
        return self.instant


class ClaimsHub:
    """The hub and its one HTTP client. `member` and `product` change the world; everything else is asked over HTTP."""

    def __init__(self, directory: Path, url: str = "") -> None:
        warnings.simplefilter("ignore", DevelopmentOnly)
        self.directory = directory
        self.clock = SetClock()
        self.keys = KeyFile(directory / "hub.keys", "")
        for scope in (HUB, INSURER, OTHER_INSURER):
            self.keys.create(scope)
        self.stores = open_stores(url or chosen(), directory, self.keys)
        self.books = Books(url or chosen(), directory)
        self.rows, self.change = self.books.all, self.books.change
        self.products = self.stores.products
        self.members = Members(self.keys)
        self.log = open_log(directory / "journal")
        self.allowance = Allowance(self.clock, open_allowances(directory, built_in_caps()), self.stores.claims)
        self.contained, self.sensings = open_containments(directory), open_sensings(directory)
        self.desk = Desk(self.clock, self.keys, self.log, self.members, self.allowance, self.contained)
        self.hub = Hub(
            clock=self.clock, ids=RandomIds(), keys=self.keys, book=open_book(), desk=self.desk, allowance=self.allowance,
            containments=self.contained, sensings=self.sensings, freezes=open_freezes(directory),
            rights=self.members,
            products=self.products, claims=self.stores.claims, approvals=self.stores.approvals,
            promises=self.stores.promises,
            recall=JournalSearch(directory / "journal"), refused=Tries(lambda: self.clock.instant.timestamp()), **_others(),
        )  # fmt: skip
        create_development_issuer(directory)
        self._issuer = DevelopmentIssuer(directory, "dev", "ecluse")
        source = Source(Issuer("dev", "ecluse", (), bearer=True), PUBLIC, 0)
        issuers = TrustedIssuers([source], directory, self.clock.now, _nobody)
        door: Any = build(self.hub, Door(Askers(issuers, self.clock)), in_flight_max=64)
        transport = httpx.ASGITransport(door, raise_app_exceptions=True)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://hub")  # asks as nobody
        self._tokens: dict[tuple[str, str, str, date], str] = {}

    async def open(self) -> None:
        for text in PRODUCTS:
            await self.product(text)
        self.member(right())

    async def close(self) -> None:
        await self.http.aclose()
        self.desk.close()
        self.log.close()
        await self.stores.close()
        await self.books.close()

    async def product(self, text: str, insurer: str = INSURER) -> None:
        await self.products.add(insurer, read_product(text.encode()), int(self.clock.instant.timestamp() * 1e6))

    def member(self, *rights: Right, nir: str = NIR, birth: str = BIRTH, insurer: str = INSURER) -> None:
        (person,) = self.keys.pseudonyms(insurer, [nir_message(nir, birth, 1)], 1)
        self.members.held[person] = list(rights)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        practice: str = PRACTICE,
        scope: str = "rights claims",
        account: str = DOCTOR,
    ) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": self.bearer(practice, scope, account), "content-type": "application/json"}
        content = msgspec.json.encode(body) if body is not None else None
        answer = await self.http.request(method, path, content=content, headers=headers)
        return answer.status_code, answer.json()

    def bearer(self, practice: str = PRACTICE, scope: str = "rights claims", account: str = DOCTOR) -> str:
        key = (account, practice, scope, self.clock.instant.date())
        if key not in self._tokens:
            asking = Account(account, practice, "doctor", scopes=frozenset(scope.split()))
            self._tokens[key] = self._issuer.token(asking, int(self.clock.instant.timestamp()) - 3600)
        return f"Bearer {self._tokens[key]}"

    async def check(self, practice: str = PRACTICE, **changes: Any) -> str:
        """The engagement number of a rights check that is confirmed."""
        question = {**CARD, "care_date": "2026-11-23", "pass": None, **changes}
        status, answer = await self.call("POST", "/v1/rights/checks", question, practice)
        assert (status, answer["outcome"]) == (200, "confirmed"), answer
        return str(answer["engagement"]["number"])

    async def send(self, body: dict[str, Any], practice: str = PRACTICE) -> dict[str, Any]:
        """A claim that is taken in."""
        status, answer = await self.call("POST", "/v1/claims", body, practice)
        assert status == 201, answer
        return answer

    async def balances(self) -> dict[str, int]:
        return await balances(self.books.database.reads)

    def journal(self) -> list[Entry]:
        return entries_in(self.directory / "journal")


async def _nobody(*_: str) -> bytes:
    raise OSError("no network here")


def _others() -> dict[str, Any]:
    """Ports of the hub that claims never touch."""
    return {name: None for name in Hub.__dataclass_fields__ if name not in _MINE}


_MINE = {
    "clock",
    "ids",
    "keys",
    "book",
    "desk",
    "allowance",
    "containments",
    "sensings",
    "last",
    "mismatches",
    "refused",
    "colleagues",
    "freezes",
    "recall",
    "rights",
    "products",
    "claims",
    "approvals",
    "promises",
}
CARD = {"insurer": INSURER, "beneficiary": {"nir": NIR, "birth_date": BIRTH, "birth_rank": 1}, "domain": "MED"}
LINE = {
    "line": 1, "act": "CS", "date": "2026-11-23", "quantity": 1,
    "expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%",
}  # fmt: skip


def line(**changes: Any) -> dict[str, Any]:
    return {**LINE, **changes}


def claim(invoice: str = "2026-000123", /, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The body of a claim: under `engagement` or `approval` if given, else with the card."""
    about = {} if {"engagement", "approval"} & fields.keys() else CARD
    return {"invoice": invoice, **about, "lines": list(lines) or [line()]} | fields


def played(directory: Path, story: Callable[[ClaimsHub], Awaitable[Answer]]) -> Answer:
    """Play a story on a fresh hub."""

    async def play() -> Answer:
        hub = ClaimsHub(directory)
        try:
            await hub.open()
            return await story(hub)
        finally:
            await hub.close()

    return asyncio.run(play())
