"""What holds for every route that the schema has: nobody keeps its answers, and a quarantined account is refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.journeys.site import AMC, DOCTOR, MEMBER, PRACTICE, Site, question, todays_line

STAFF, INSURER = "ops:a.martin", f"amc:{AMC}"
ACCOUNTS = {DOCTOR: PRACTICE, INSURER: "", STAFF: ""}
SCOPES = "rights claims remittances feeds operate exposure exposure:own investigate"
WHO = {name: MEMBER[name] for name in ("member_number", "birth_date")}
CLAIM = {
    "invoice": "F1",
    "insurer": AMC,
    "domain": "MED",
    "lines": [todays_line()],
    "beneficiary": question()["beneficiary"],
}
WINDOW = {"accounts": ["rpps:10000000019"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z"}
# What each route that takes a body is sent, so that nothing but the account is refused.
BODIES: dict[str, Any] = {
    "/v1/rights/checks": question(),
    "/v1/quotes": {"engagement": "eng_1", "lines": [todays_line()]},
    "/v1/claims": CLAIM,
    "/v1/claims/{claim_id}/cancellation": {},
    "/v1/approvals": {"engagement": "eng_1", "reference": "D-1", "lines": [todays_line()]},
    "/v1/approvals/{approval_id}/cancellation": None,
    "/v1/feeds": b"insurer\n",
    "/v1/exposures": WINDOW,
    "/v1/incidents": {**WINDOW, "how_found": "Le titulaire a appelé."},
    "/v1/incidents/{incident_id}/facts": {"name": "cause", "value": "external_malicious"},
    "/v1/incidents/{incident_id}/scope": {},
    "/v1/incidents/{incident_id}/decisions": {},
    "/v1/incidents/{incident_id}/notifications": {"deadline": "gdpr_controllers"},
    "/v1/incidents/{incident_id}/closure": {"reason": "essai"},
    "/v1/incidents/{incident_id}/reopening": {"reason": "essai"},
    "/v1/passes": {"members": [{**WHO, "nir": MEMBER["nir"]}], "insurer": AMC},
    "/v1/passes/revocations": {"member": WHO, "insurer": AMC},
    "/v1/openings/{opening_id}/denials": None,
    "/v1/freezes": {"member": WHO, "insurer": AMC},
    "/v1/freezes/liftings": {"member": WHO, "insurer": AMC},
}
# Routes that a quarantined account is not refused by, and why. Those of the portal are in test_portal_contained.py.
LET_THROUGH: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What is held is in gate.db, whichever store the hub has."""
    made = Site(tmp_path_factory.mktemp("contained") / "hub")
    made.make()
    made.load([{}])
    made.start()
    yield made
    made.stop()


def routes(site: Site) -> list[tuple[str, str]]:
    """Method and path of each route of the schema, but for the portal's, where one is a browser and not a token."""
    paths = httpx.get(f"{site.url}/schema/").json()["paths"]
    return [(how, path) for path, calls in paths.items() if not path.startswith("/portal") for how in calls]


def code(client: httpx.Client, how: str, path: str) -> str:
    """The code it is refused with; empty when it is not."""
    sent: dict[str, Any] = {}
    if how not in ("get", "delete"):
        assert path in BODIES, f"say what {path} is sent, so that it is tried by quarantined accounts"
        body = BODIES[path]
        sent = {"content": body, "headers": {"Content-Type": "text/csv"}} if isinstance(body, bytes) else {"json": body}
        if body is None:
            sent = {}
    answer = client.request(how, re.sub(r"\{\w+\}", "x", path), params={"insurer": AMC}, **sent)
    assert answer.headers.get_list("cache-control") == ["no-store"], (how, path)
    return "" if answer.is_success else str(answer.json()["code"])


def test_every_route_refuses_whoever_is_quarantined(site: Site) -> None:
    clients = {
        account: site.client(site.token(account, practice=practice, scope=SCOPES))
        for account, practice in ACCOUNTS.items()
    }
    found = routes(site)
    assert {path for how, path in found if how not in ("get", "delete")} == BODIES.keys()
    before = {(*route, account): code(client, *route) for route in found for account, client in clients.items()}
    assert not {where for where, told in before.items() if told in ("malformed", "unauthenticated", "broken")}
    for path in ("/v1/freezes", "/v1/passes/revocations", "/v1/feeds"):  # these acted, for whom they are
        assert before["post", path, INSURER] == ""
    for account in clients:
        site.run("gate", "contain", account, "quarantined", "--operator", "a.martin", "--reason", "jeton volé")
    time.sleep(0.1)  # until the server has seen it
    told = {(*route, account): code(client, *route) for route in found for account, client in clients.items()}
    for client in clients.values():
        client.close()
    heard = {where for where, said in told.items() if said != "account_quarantined"}
    assert {where[:2] for where in heard} == LET_THROUGH.keys(), heard
