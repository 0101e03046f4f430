"""`/schema` is true: a client made from it sends what the hub takes and reads what it answers, on every call there is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyrage.x25519 import Identity

from tests.described import Described
from tests.journeys.site import AMC, DOCTOR, PRACTICE, Site, today, todays_line
from tests.test_docs import refusals_written

ROOT = Path(__file__).parents[2]
OFFICER, BY = "staff:a.martin", {"by": "Anne Martin, DPO"}
MEMBER = {"member_number": "A1001", "birth_date": "1979-06-14"}


def readme(engagement: str = "E26X", day: str = "") -> dict[str, Any]:
    """The bodies of the README's walk, by where they are sent."""
    walk = (ROOT / "README.md").read_text().split("## By hand")[1]
    lines = re.findall(r"LINES='(.+)'", walk)[0]
    bodies = re.findall(r"localhost:8400(/v1/\S+).+?-d '(\{.+?\})'(?:\n| \|)", walk, re.S)
    for shell, said in (("'\"$LINES\"'", lines), ("'$ENGAGEMENT'", engagement), ("'$TODAY'", day or today())):
        bodies = [(path, body.replace(shell, said)) for path, body in bodies]
    return {path: json.loads(body) for path, body in bodies}


class Walk:
    """A served hub, and every call made of it: bodies that are taken and answers are held against what `/schema` says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site = folder, Site(folder / "hub", ECLUSE_LAKE_EVERY_S="0")
        self.heard: set[tuple[str, str]] = set()
        self.since = datetime.now(UTC).isoformat()

    def open(self) -> None:
        (self.folder / "key.pub").write_text(f"{Identity.generate().to_public()}\n")
        self.site.run("init", str(self.site.directory))
        self.site.run("insurer", "load", str(ROOT / "examples/insurers.csv"))
        self.site.run("insurer", "key", AMC, str(self.folder / "key.pub"))
        self.site.run("product", "load", str(ROOT / "examples/confort.yaml"), "--insurer", AMC)
        self.site.run("feed", "load", str(ROOT / "examples/members.csv"), "--insurer", AMC, "--full")
        self.site.run("practice", "load", str(ROOT / "examples/practices.csv"))
        self.site.start()
        who = {"doctor": (DOCTOR, ""), "insurer": (f"amc:{AMC}", AMC), "officer": (OFFICER, "")}
        scopes = {
            "doctor": "rights claims remittances",
            "insurer": "feeds exposure:own",
            "officer": "operate investigate",
        }
        self.clients = {
            name: self.site.client(self.site.token(account, practice=PRACTICE, scope=scopes[name], insurer=insurer))
            for name, (account, insurer) in who.items()
        }
        self.described = Described(self.ask("doctor", "GET", "/schema").json())

    def close(self) -> None:
        if self.site.process:
            self.site.stop()

    def ask(self, who: str, method: str, path: str, **given: Any) -> httpx.Response:
        return self.clients[who].request(method, path, **given)

    def call(self, who: str, method: str, path: str, body: Any = None, status: int = 200, **given: Any) -> Any:
        """What is answered, once `/schema` has said the same of it, and of the body that was taken."""
        if body is not None:
            given["json"] = body
        answer = self.ask(who, method, path, **given)
        assert answer.status_code == status, (path, answer.text)
        media = answer.headers["content-type"].partition(";")[0]
        told = answer.json() if "json" in media else None
        plain = path.partition("?")[0]
        assert self.described.answered(method, plain, status, media, told) == [], (path, told)
        if status < 300:
            assert body is None or self.described.sent(plain, body) == [], path
            template, _ = self.described.call(method, plain)
            self.heard.add((method, template))
        return told

    def engagement(self, domain: str = "MED") -> str:
        question = {**readme()["/v1/rights/checks"], "domain": domain}
        return str(self.call("doctor", "POST", "/v1/rights/checks", question)["engagement"]["number"])

    def window(self) -> dict[str, Any]:
        return {"accounts": [DOCTOR], "from": self.since, "to": datetime.now(UTC).isoformat()}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    made = Walk(tmp_path_factory.mktemp("described"))
    try:
        made.open()
        yield made
    finally:
        made.close()


def professionals(walk: Walk) -> None:
    bodies = readme(walk.engagement())
    for path, body in bodies.items():
        walk.call("doctor", "POST", path, body, 201 if path == "/v1/claims" else 200)
    ((claim, *_),) = [walk.call("doctor", "GET", "/v1/claims?limit=5&state=accepted")["claims"]]
    walk.call("doctor", "GET", f"/v1/claims/{claim['claim_id']}")
    card = {name: bodies["/v1/rights/checks"][name] for name in ("insurer", "beneficiary", "domain")}
    other = {"invoice": "F-2", **card, "lines": [todays_line(act="CNP")]}
    spare = walk.call("doctor", "POST", "/v1/claims", other, 201)["claim_id"]
    walk.call("doctor", "POST", f"/v1/claims/{spare}/cancellation", {"reason": "duplicate"})
    crown = todays_line(act="HBLD038", expense_cents=50_000, base_cents=12_000, amo_rate="60%")
    devis = {"engagement": walk.engagement("DENT"), "reference": "D-1", "lines": [crown]}
    approval = walk.call("doctor", "POST", "/v1/approvals", devis, 201)["approval_id"]
    walk.call("doctor", "GET", "/v1/approvals")
    walk.call("doctor", "GET", f"/v1/approvals/{approval}")
    walk.call("doctor", "POST", f"/v1/approvals/{approval}/cancellation")
    walk.site.run("pay", "run", "--date", today())
    (remittance,) = walk.call("doctor", "GET", "/v1/remittances")["remittances"]
    walk.call("doctor", "GET", f"/v1/remittances/{remittance['remittance_id']}")


def insurers(walk: Walk) -> None:
    csv = {"content": (ROOT / "examples/members.csv").read_bytes(), "headers": {"content-type": "text/csv"}}
    csv["headers"]["idempotency-key"] = "once"
    feed = walk.call("insurer", "POST", "/v1/feeds", None, 202, **csv)["feed_id"]
    walk.call("insurer", "GET", f"/v1/feeds/{feed}")
    wanted = {**MEMBER, "birth_rank": 1, "nir": "279067505612357"}
    (issued,) = walk.call("insurer", "POST", "/v1/passes", {"members": [wanted]})["passes"]
    walk.call("insurer", "POST", "/v1/passes/revocations", {"pass": issued["pass"]})
    walk.call("insurer", "GET", "/v1/openings")
    walk.call("insurer", "POST", "/v1/openings/opn_06H2Z839P04R1G1PWYEK/denials", None, 404)
    walk.call("insurer", "POST", "/v1/freezes", {"member": MEMBER})
    walk.call("insurer", "POST", "/v1/freezes/liftings", {"member": MEMBER})


def investigation(walk: Walk) -> None:
    walk.site.run("journal", "export")
    asked = {**walk.window(), "insurers": [AMC], "sessions": [], "networks": ["127.0.0.1"], "lists": True}
    told = walk.call("officer", "POST", "/v1/exposures", {**asked, "networks": []}, 201)
    walk.call("officer", "GET", f"/v1/exposures/{told['exposure_id']}")
    for each in told["lists"][0]["files"]:
        walk.call("officer", "GET", f"/v1/exposures/{told['exposure_id']}/lists/{each}")


def incidents(walk: Walk) -> None:
    opened = {**walk.window(), "insurers": [AMC], "how_found": "Le titulaire a appelé.", **BY}
    name = walk.call("officer", "POST", "/v1/incidents", opened, 201)["incident"]
    at = f"/v1/incidents/{name}"
    walk.call("officer", "POST", f"{at}/facts", {"name": "cause", "value": "external_malicious", **BY})
    walk.call("officer", "POST", f"{at}/scope", BY)
    walk.call("officer", "POST", f"{at}/decisions", BY)
    walk.call("officer", "POST", f"{at}/notifications", {"deadline": "gdpr_controllers", "insurer": AMC, **BY})
    walk.site.run("incident", "pack", name, "--by", BY["by"], "--no-proofs")
    for who in ("officer", "insurer"):  # each has a view of its own
        walk.call(who, "GET", at)
        walk.call(who, "GET", f"{at}/clocks")
    walk.call("officer", "GET", "/v1/incidents")
    walk.call("officer", "GET", f"{at}/clocks.ics")
    pack = walk.call("insurer", "GET", f"{at}/pack")
    walk.call("insurer", "GET", f"{at}/pack/{pack['files'][0]['name']}")
    walk.call("officer", "POST", f"{at}/closure", {"reason": "Fini.", **BY})
    walk.call("officer", "POST", f"{at}/reopening", {"reason": "Une suite.", **BY})


PARTS: tuple[Callable[[Walk], None], ...] = (professionals, insurers, investigation, incidents)
NOT_HEARD = {("POST", "/v1/openings/{opening_id}/denials")}  # its opening is read with the insurer's key, a day later


def test_every_call_takes_and_answers_what_the_schema_says(walk: Walk) -> None:
    for part in PARTS:
        part(walk)
    calls = {(how.upper(), path) for path, each in walk.described.paths.items() for how in each}
    assert {each for each in calls if each[1].startswith("/v1/")} - walk.heard == NOT_HEARD


GARBAGE: dict[str, list[dict[str, Any]]] = {
    "/v1/quotes": [{"lines": ["garbage"]}, {"lines": [{}]}, {"lines": []}],
    "/v1/approvals": [{"lines": ["garbage"]}, {"lines": [{**todays_line(), "act": 1}]}],
    "/v1/claims": [{"lines": [1]}, {"lines": [{"line": 1}]}],
    "/v1/exposures": [{"accounts": [{}]}, {"accounts": []}, {"insurers": [1]}, {"sessions": [None]}, {"networks": [2]}],
    "/v1/incidents": [{"accounts": [1]}, {"insurers": [{}]}, {"sessions": ["x", 1]}, {"networks": [[]]}],
    "/v1/passes": [{"members": ["garbage"]}, {"members": []}],
}


def test_what_the_hub_cannot_read_the_schema_refuses(walk: Walk) -> None:
    good = readme() | {
        "/v1/approvals": {"engagement": "E26X", "reference": "D-1", "lines": [todays_line()]},
        "/v1/exposures": walk.window(),
        "/v1/incidents": {**walk.window(), "how_found": "Un appel.", **BY},
        "/v1/passes": {"members": [{**MEMBER, "nir": "279067505612357"}]},
    }
    who = {"/v1/exposures": "officer", "/v1/incidents": "officer", "/v1/passes": "insurer"}
    for path, wrong in GARBAGE.items():
        assert walk.described.sent(path, good[path]) == []
        for each in wrong:
            assert walk.described.sent(path, good[path] | each), (path, each)
            told = walk.call(who.get(path, "doctor"), "POST", path, good[path] | each, 400)
            assert told["code"] in {"malformed", "exposure_invalid"}, (path, each, told)


REFUSED: dict[str, tuple[str, str, Any, dict[str, str], int]] = {
    "unknown": ("GET", "/v1/claims/clm_x", None, {}, 404),
    "no such engagement": ("POST", "/v1/quotes", {"engagement": "E26X", "lines": [todays_line()]}, {}, 404),
    "too large": ("POST", "/v1/quotes", {"engagement": "E" * (1 << 20)}, {}, 413),
    "of another type": ("POST", "/v1/quotes", {}, {"content-type": "text/csv"}, 415),
    "nonsense": ("POST", "/v1/quotes", {}, {}, 400),
    "a stranger": ("GET", "/v1/claims", None, {"authorization": ""}, 401),
    "not a doctor's": ("GET", "/v1/incidents", None, {}, 403),
    "another day": ("POST", "/v1/rights/checks", {**readme(day="2000-01-01")["/v1/rights/checks"]}, {}, 422),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refusal_is_one_that_the_schema_tells(walk: Walk, why: str) -> None:
    method, path, body, headers, status = REFUSED[why]
    walk.call("doctor", method, path, body, status, headers=headers)


def test_another_claim_under_the_same_number_is_told(walk: Walk) -> None:
    body = {**readme(walk.engagement())["/v1/claims"], "invoice": "F-3", "lines": [todays_line(act="CSC")]}
    assert walk.call("doctor", "POST", "/v1/claims", body, 201)["status"] == "accepted"
    walk.call("doctor", "POST", "/v1/claims", {**body, "lines": [todays_line(act="CSC", expense_cents=6000)]}, 409)


def test_every_status_of_a_refusal_is_told_on_every_call(walk: Walk) -> None:
    problem = {"type": "urn:ecluse:error:x", "title": "", "detail": "", "code": "x", "fix": ""}
    statuses = {int(status) for status, *_ in refusals_written().values()}
    assert {404, 405, 408, 409, 413, 415, 422, 503, 507} <= statuses
    for path, calls in walk.described.paths.items():
        for how in calls:
            for status in statuses:
                body = {**problem, "status": status}
                told = walk.described.answered(how, path, status, "application/problem+json", body)
                assert told == [], (how, path, status)
