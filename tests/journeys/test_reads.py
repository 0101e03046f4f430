"""Each read of the table in docs/security.md is done, and its entry found: what is shown of a person is in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyrage.x25519 import Identity

from ecluse.journal.entry import Entry, Operation
from tests.journal import entries_in
from tests.journeys.site import AMC, DOCTOR, MEMBER, Site, question, today
from tests.test_reads import reads

BY = ("--by", "Anne Martin, DPO")
TEETH = """product: TEETH
label: Dentaire
responsible: false
guarantees:
  - {domains: [DENT], guarantee: "BR_INCL:300", label: Couronnes}
"""  # care that a prior approval may be asked for


class Reader:
    """A hub, and everything on it that can be read: ids of a quote, claims, an approval, an exposure and its list."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder / "hub", ECLUSE_LAKE_EVERY_S="0")
        self.folder = folder
        self.since = datetime.now(UTC).isoformat()
        self.ids: dict[str, str] = {}

    def open(self) -> None:
        """Make the hub, with a public key for its insurer."""
        self.site.make()
        (self.folder / "teeth.yaml").write_text(TEETH)
        self.site.run("product", "load", str(self.folder / "teeth.yaml"), "--insurer", AMC)
        self.site.load([{"product": "TEETH", "domains": "DENT"}])
        (self.folder / "key.pub").write_text(str(Identity.generate().to_public()))
        self.site.run("insurer", "key", AMC, str(self.folder / "key.pub"))
        self.site.start()
        self.tokens = {
            "doctor": self.site.own_token,
            "insurer": self.site.token(f"amc:{AMC}", practice="", scope="feeds exposure:own"),
            "hub": self.site.token("operator", practice="", scope="investigate"),
        }

    def http(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """What a call answers; `{…}` in the path are ids."""
        with self.site.client(self.tokens[who]) as client:
            answer = client.request(method, path.format(**self.ids), json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.content

    def remember(self, name: str, told: Any) -> None:
        """Keep the id of what was made."""
        self.ids[name] = told[name]

    def lines(self) -> list[dict[str, Any]]:
        """One line of care."""
        return [
            {
                "line": 1,
                "act": "HBLD038",
                "date": today(),
                "expense_cents": 50_000,
                "base_cents": 12_000,
                "amo_rate": "60%",
            }
        ]

    def check(self) -> None:
        """Open an engagement."""
        self.ids["engagement"] = self.http("doctor", "POST", "/v1/rights/checks", question(domain="DENT"))[
            "engagement"
        ]["number"]

    def member(self) -> dict[str, Any]:
        """Who is in the member file."""
        return {name: MEMBER[name] for name in ("member_number", "nir", "birth_date")}

    def issue(self) -> None:
        """The command."""
        file = self.folder / "people.csv"
        file.write_text("member_number,nir,birth_date,birth_rank\n" + ",".join([*self.member().values(), "1"]) + "\n")
        self.site.run("pass", "issue", str(file), "--insurer", AMC, "--out", str(self.folder / "passes.csv"))

    def expose(self, *words: str) -> None:
        """The command, with the lake brought up before."""
        self.site.run("journal", "export")
        until = datetime.now(UTC).isoformat()
        self.site.run("exposure", "--account", DOCTOR, "--from", self.since, "--to", until, *words)

    def post_exposure(self) -> None:
        """The call, with lists."""
        self.site.run("journal", "export")
        until = datetime.now(UTC).isoformat()
        body = {"accounts": [DOCTOR], "from": self.since, "to": until, "lists": True}
        told = self.http("hub", "POST", "/v1/exposures", body)
        self.remember("exposure_id", told)
        self.ids["name"] = next(iter(told["lists"][0]["files"]))


def scoped(reader: Reader) -> None:
    """An incident about the doctor's account, and its scope."""
    window = ("--from", reader.since, "--to", datetime.now(UTC).isoformat())
    words = ("incident", "open", "--account", DOCTOR, *window, *BY, "--how", "Un appel")
    reader.remember("incident", reader.site.json(*words))
    reader.ids["incident_id"] = reader.ids["incident"]
    reader.site.run("journal", "export")
    reader.site.run("incident", "scope", reader.ids["incident"], *BY)


def packed(reader: Reader) -> None:
    """Its packs."""
    reader.site.run("journal", "export")
    reader.site.run("incident", "pack", reader.ids["incident"], *BY, "--no-proofs")


def drafted(reader: Reader) -> None:
    """Its letters, to be read before they are made."""
    reader.site.run("journal", "export")
    reader.site.run("incident", "letters", reader.ids["incident"])


def scoped_again(reader: Reader) -> None:
    """The scope, over HTTP."""
    reader.site.run("journal", "export")
    reader.http("hub", "POST", "/v1/incidents/{incident_id}/scope", {"again": True})


def asked_about(rest: str = "") -> Callable[[Reader], Any]:
    """The hub's own read of the incident."""
    return lambda reader: reader.http("hub", "GET", "/v1/incidents/{incident_id}" + rest)


def billed(reader: Reader) -> None:
    body = {"invoice": "F1", "engagement": reader.ids["engagement"], "lines": reader.lines()}
    reader.remember("claim_id", reader.http("doctor", "POST", "/v1/claims", body))


def asked_for(reader: Reader) -> None:
    body = {"reference": "D1", "engagement": reader.ids["engagement"], "lines": reader.lines()}
    reader.remember("approval_id", reader.http("doctor", "POST", "/v1/approvals", body))


def quoted(reader: Reader) -> None:
    body = {"engagement": reader.ids["engagement"], "lines": reader.lines()}
    reader.remember("quote_id", reader.http("doctor", "POST", "/v1/quotes", body))


# Each read of the table → how it is done, in an order in which each finds what it reads.
ACTS = {
    "POST /v1/rights/checks": Reader.check,
    "POST /v1/quotes": quoted,
    "POST /v1/approvals": asked_for,
    "GET /v1/approvals": lambda reader: reader.http("doctor", "GET", "/v1/approvals"),
    "GET /v1/approvals/{approval_id}": lambda reader: reader.http("doctor", "GET", "/v1/approvals/{approval_id}"),
    "POST /v1/approvals/{approval_id}/cancellation": lambda reader: reader.http(
        "doctor", "POST", "/v1/approvals/{approval_id}/cancellation"
    ),
    "POST /v1/claims": billed,
    "GET /v1/claims": lambda reader: reader.http("doctor", "GET", "/v1/claims"),
    "GET /v1/claims/{claim_id}": lambda reader: reader.http("doctor", "GET", "/v1/claims/{claim_id}"),
    "POST /v1/passes": lambda reader: reader.http("insurer", "POST", "/v1/passes", {"members": [reader.member()]}),
    "ecluse pass issue": Reader.issue,
    "GET /v1/openings": lambda reader: reader.http("insurer", "GET", "/v1/openings"),
    "ecluse gate openings": lambda reader: reader.site.run("gate", "openings", "--insurer", AMC),
    "ecluse explain": lambda reader: reader.site.run("explain", reader.ids["claim_id"]),
    "POST /v1/claims/{claim_id}/cancellation": lambda reader: reader.http(
        "doctor", "POST", "/v1/claims/{claim_id}/cancellation"
    ),
    "ecluse exposure": Reader.expose,
    "ecluse exposure --lists": lambda reader: reader.expose("--lists", str(reader.folder / "lists")),
    "POST /v1/exposures": Reader.post_exposure,
    "GET /v1/exposures/{exposure_id}": lambda reader: reader.http("hub", "GET", "/v1/exposures/{exposure_id}"),
    "GET /v1/exposures/{exposure_id}/lists/{name}": lambda reader: reader.http(
        "hub", "GET", "/v1/exposures/{exposure_id}/lists/{name}"
    ),
    "ecluse incident scope": scoped,
    "ecluse incident pack": packed,
    "ecluse incident professionals": lambda reader: reader.site.run(
        "incident", "professionals", reader.ids["incident"], *BY, "--out", str(reader.site.directory.parent / "pros")
    ),
    "ecluse incident letters": drafted,
    "GET /v1/incidents": lambda reader: reader.http("hub", "GET", "/v1/incidents"),
    "GET /v1/incidents/{incident_id}": asked_about(),
    "GET /v1/incidents/{incident_id}/clocks": asked_about("/clocks"),
    "GET /v1/incidents/{incident_id}/clocks.ics": asked_about("/clocks.ics"),
    "GET /v1/incidents/{incident_id}/pack": asked_about(f"/pack?insurer={AMC}"),
    "GET /v1/incidents/{incident_id}/pack/{name}": asked_about(f"/pack/personnes.csv.age?insurer={AMC}"),
    "POST /v1/incidents/{incident_id}/scope": scoped_again,
    "ecluse incident list": lambda reader: reader.site.run("incident", "list"),
    "ecluse incident show": lambda reader: reader.site.run("incident", "show", reader.ids["incident"]),
    "ecluse incident clock": lambda reader: reader.site.run("incident", "clock", reader.ids["incident"]),
}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    try:
        made.open()
        yield made
    finally:
        if made.site.process:
            made.site.stop()


def test_every_read_makes_its_entry(reader: Reader) -> None:
    assert ACTS.keys() == reads().keys(), "a read that nothing here does"
    silent = []
    for read, act in ACTS.items():
        before = entries(reader)
        act(reader)
        made = {each.operation for each in entries(reader)[len(before) :]}
        if Operation(reads()[read]) not in made:
            silent.append((read, made))
    assert silent == []


def entries(reader: Reader) -> list[Entry]:
    """The journal so far, in the order of its times."""
    return sorted(entries_in(reader.site.directory / "journal"), key=lambda each: each.ts_us)
