"""Three issuers and an insurer more, each for its own accounts: none vouches for those of another, or gives more than it may."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.site import AMC, DOCTOR, PRACTICE, PRODUCT, Site, question
from tests.tokens import compact, elliptic

OTHERS = "0075999999"
BOUNDS: dict[str, dict[str, list[str]]] = {
    "broker": {"subjects": ["rpps"]},
    "insurer": {"subjects": [f"amc:{AMC}"], "scopes": ["feeds", "exposure:own"]},
    "other": {"subjects": ["amc:00759*"], "scopes": ["feeds", "exposure:own"]},
    "staff": {"subjects": ["staff"], "scopes": ["operate", "investigate"]},
}
KEYS = {name: elliptic("k1") for name in BOUNDS}
CHECK = ("POST", "/v1/rights/checks")
OPENINGS, OPENINGS_AS_STAFF = ("GET", "/v1/openings"), ("GET", f"/v1/openings?insurer={AMC}")
INCIDENTS = ("GET", "/v1/incidents")
LIVE, SHUT, LESS = 200, (401, "unauthenticated"), (403, "forbidden")
DOCTOR_S = {"sub": DOCTOR, "practice": PRACTICE, "scope": "rights claims"}
ALL = "rights feeds exposure:own operate investigate"

# Issuer, claims, what is asked, what comes of it.
ASKED: list[tuple[str, dict[str, str], tuple[str, str], Any]] = [
    ("broker", DOCTOR_S, CHECK, LIVE),
    ("broker", {**DOCTOR_S, "scope": ALL}, CHECK, LIVE),
    ("broker", {**DOCTOR_S, "scope": ALL}, OPENINGS_AS_STAFF, LESS),
    ("broker", {**DOCTOR_S, "scope": ALL}, INCIDENTS, LESS),
    ("broker", {**DOCTOR_S, "scope": ALL, "insurer": AMC}, OPENINGS, SHUT),
    ("broker", {**DOCTOR_S, "insurer": AMC}, CHECK, SHUT),
    ("broker", {"sub": f"amc:{AMC}", "scope": ALL}, OPENINGS, SHUT),
    ("broker", {"sub": "staff:1", "scope": ALL}, INCIDENTS, SHUT),
    ("insurer", {"sub": f"amc:{AMC}", "scope": ALL}, OPENINGS, (409, "recipient_unset")),  # let in
    ("insurer", {"sub": f"amc:{AMC}", "scope": ALL}, INCIDENTS, LIVE),  # those it was told of: none
    ("insurer", {"sub": f"amc:{AMC}", "scope": ALL}, CHECK, LESS),
    ("insurer", {"sub": f"amc:{OTHERS}", "scope": ALL}, OPENINGS, SHUT),
    ("insurer", {"sub": f"amc:{AMC}", "insurer": OTHERS, "scope": ALL}, OPENINGS, SHUT),
    ("insurer", DOCTOR_S, CHECK, SHUT),
    ("other", {"sub": f"amc:{AMC}", "scope": ALL}, OPENINGS, SHUT),
    ("staff", {"sub": "staff:1", "scope": ALL}, INCIDENTS, LIVE),
    ("staff", {"sub": "staff:1", "scope": ALL}, CHECK, LESS),
    ("staff", {"sub": "staff:1", "insurer": AMC, "scope": ALL}, OPENINGS, SHUT),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory: Path = tmp_path_factory.mktemp("vouched") / "hub"
    told = [
        {"name": name, "audience": "ecluse", "jwks": f"{name}.json", "bearer": True, **BOUNDS[name]} for name in BOUNDS
    ]
    directory.mkdir()
    for name, key in KEYS.items():
        (directory / f"{name}.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    site = Site(directory, ECLUSE_ISSUERS=json.dumps(told))
    site.run("init", str(directory))
    product = directory.parent / "base.yaml"
    product.write_text(PRODUCT)
    site.run("product", "load", str(product), "--insurer", AMC)
    site.load([{}])
    site.start()
    yield site
    site.stop()


def token(issuer: str, claims: dict[str, str]) -> str:
    now = int(time.time())
    said = {"iss": issuer, "aud": "ecluse", "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex, **claims}
    return compact({"typ": "at+jwt", "alg": "ES256", "kid": "k1"}, said, KEYS[issuer])


@pytest.mark.parametrize(("issuer", "claims", "asked", "told"), ASKED)
def test_who_is_heard_of_whom(
    hub: Site, issuer: str, claims: dict[str, str], asked: tuple[str, str], told: Any
) -> None:
    method, path = asked
    body = {"json": question()} if method == "POST" else {}
    answer = httpx.request(method, hub.url + path, headers={"authorization": f"Bearer {token(issuer, claims)}"}, **body)
    assert (answer.status_code if told == LIVE else (answer.status_code, answer.json()["code"])) == told, answer.text
