"""Practices that ask and bill all the time, and remember what they were told; and what must hold afterwards.

A practice's software sends what was refused with 503 again, the same bytes, until it is answered.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from ecluse.kernel.ids import nir_key
from tests.journeys.site import AMC, MEMBER, Site, question, today
from tests.servers import Server

PEOPLE = 12  # who share a person wait for each other: claims of one are taken in one after the other
PAUSE_S = 0.005  # before a refused request is sent again
_number = itertools.count()


def nir(n: int) -> str:
    """The NIR of the n-th person."""
    return (bare := f"2790675056{n:03d}") + nir_key(bare)


def people(insurer: str = AMC) -> list[dict[str, str]]:
    """The members of `PEOPLE`, as a member file has them."""
    return [
        {"insurer": insurer, "nir": nir(n), "member_number": f"M{n}", "contract": f"C{n}", "birth_date": "1979-06-14"}
        for n in range(PEOPLE)
    ]


def asked(n: int, insurer: str = AMC) -> dict[str, Any]:
    """The rights question about the n-th person."""
    return question(insurer=insurer, beneficiary={"nir": nir(n % PEOPLE), "birth_date": MEMBER["birth_date"]})


def claim(number: int, insurer: str = AMC) -> dict[str, Any]:
    """A claim nobody sent before."""
    about = {name: asked(number, insurer)[name] for name in ("insurer", "beneficiary", "domain")}
    line = {"line": 1, "act": "CS", "date": today(), "expense_cents": 5000 + number, "base_cents": 3150}
    return {"invoice": f"F-{number}", **about, "lines": [line | {"amo_rate": "70%"}]}


@dataclass
class Told:
    """What clients were told: answers of checks, answers of claims by invoice, and when each good one came (monotonic, s)."""

    checks: list[dict[str, Any]] = field(default_factory=list)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: list[tuple[float, str]] = field(default_factory=list)
    check_times_s: list[float] = field(default_factory=list)
    claim_times_s: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def codes(self) -> set[str]:
        """Every refusal there was."""
        return {code for _, code in self.refused}


class Traffic:
    """Threads that ask and bill; `told` is shared with the test."""

    def __init__(self, url: str, token: str, told: Told, insurers: Sequence[str] = (AMC,)) -> None:
        self.told, self._url, self._token, self._insurers = told, url, token, insurers
        self._stop = threading.Event()

    @contextmanager
    def running(self, checkers: int = 2, billers: int = 3) -> Iterator[Told]:
        """Until the end of the block; each finishes what it began, if it is answered within ten seconds."""
        works = [self._check] * checkers + [self._bill] * billers
        threads = [threading.Thread(target=self._run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield self.told
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
            self._stop.clear()

    def _run(self, work: Any) -> None:
        with httpx.Client(base_url=self._url, headers={"Authorization": f"Bearer {self._token}"}, timeout=60) as client:
            while not self._stop.is_set():
                work(client, next(_number))

    def _check(self, client: httpx.Client, number: int) -> None:
        answer = self._answered(client, "/v1/rights/checks", asked(number, self._insurer(number)))
        if answer is not None:
            self.told.check_times_s.append(time.monotonic())
            self.told.checks.append(answer)

    def _bill(self, client: httpx.Client, number: int) -> None:
        sent = claim(number, self._insurer(number))
        answer = self._answered(client, "/v1/claims", sent)
        if answer is not None:
            self.told.claim_times_s.append(time.monotonic())
            self.told.claims[sent["invoice"]] = answer

    def _insurer(self, number: int) -> str:
        return self._insurers[number % len(self._insurers)]

    def _answered(self, client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Send until it is answered; None when the test ended before."""
        until_s: float | None = None
        while True:
            reply = client.post(path, json=body)
            if reply.is_success:
                answer: dict[str, Any] = reply.json()
                return answer
            said = reply.json().get("code", "")
            if reply.status_code != 503 or not reply.json().get("fix"):
                self.told.broken.append(f"{reply.status_code} {said}")
            self.told.refused.append((time.monotonic(), said))
            if self._stop.is_set():
                until_s = until_s or time.monotonic() + 10
                if time.monotonic() > until_s:
                    return None
            time.sleep(PAUSE_S)


def gap_s(times_s: Sequence[float], since_s: float) -> float:
    """The longest time without a good answer, in seconds, of those that ended after `since_s`."""
    ordered = sorted(times_s)
    return max(after - before for before, after in itertools.pairwise(ordered) if after > since_s)


# Each law, and the question that finds what breaks it: nothing, if all is well.
LAWS = {
    "the ledger sums to zero": "SELECT sum(amount_cents) FROM posting HAVING sum(amount_cents) <> 0",
    "each entry sums to zero": "SELECT entry FROM posting GROUP BY entry HAVING sum(amount_cents) <> 0",
    "each accepted claim is booked once": (
        "SELECT id FROM claim WHERE state <> 'refused' AND amc_cents <> 0 AND amc_cents <>"
        " coalesce((SELECT -sum(amount_cents) FROM posting WHERE about = claim.id AND because = 'claim_accepted'"
        " AND account LIKE 'practice:%'), 0)"
    ),
    "an invoice is one claim": (
        "SELECT practice, invoice FROM claim WHERE state <> 'refused' GROUP BY 1, 2 HAVING count(*) > 1"
    ),
    "a claim is paid once": (
        "SELECT claim FROM remittance_line WHERE kind = 'payment' GROUP BY claim HAVING count(*) > 1"
    ),
    "a run holds what it says": (
        "SELECT id FROM remittance r WHERE amount_cents <>"
        " (SELECT coalesce(sum(amount_cents), 0) FROM remittance_line l WHERE l.remittance = r.id)"
    ),
    "what is ordered is in a remittance": (
        "SELECT id FROM claim WHERE state = 'ordered' AND NOT EXISTS"
        " (SELECT 1 FROM remittance_line l WHERE l.claim = claim.id AND l.remittance = claim.remittance)"
    ),
}


def hold_laws(home: Server, database: str) -> None:
    """Every law of the books holds."""
    for law, query in LAWS.items():
        assert home.sql(query, database) == "", law


def hold_told(site: Site, home: Server, database: str, told: Told) -> None:
    """What was told is kept, once, and journalled; every law of the books holds; the newest engagements can be billed."""
    assert told.broken == []
    hold_laws(home, database)
    rows = (line.split("|") for line in home.sql("SELECT invoice, id, amc_cents FROM claim", database).splitlines())
    kept = {invoice: (id_, int(cents)) for invoice, id_, cents in rows}
    journalled = {entry.request for entry in told(site.directory / "journal")}
    for invoice, answer in told.claims.items():
        assert answer["status"] == "accepted", answer
        assert kept[invoice] == (answer["claim_id"], answer["amc_cents"])
        assert answer["claim_id"] in journalled
    for answer in told.checks:
        assert answer["outcome"] == "confirmed"
        assert answer["check_id"] in journalled
    bill(site, told.checks[-200:])


def bill(site: Site, checks: Sequence[dict[str, Any]]) -> None:
    """Each of these engagements is found by the hub as it is now."""
    line = {"line": 1, "act": "CS", "date": today(), "quantity": 1, "expense_cents": 5000, "base_cents": 3150}
    with site.client() as client:
        for answer in checks:
            number = answer["engagement"]["number"]
            reply = client.post("/v1/quotes", json={"engagement": number, "lines": [line | {"amo_rate": "70%"}]})
            assert reply.status_code == 200, (reply.json(), number)
