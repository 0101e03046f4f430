"""A browser of a quarantined account: whatever the schema has under /portal is refused, but for seeing and ending sessions."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.journeys.site import DOCTOR
from tests.journeys.test_oidc import too_old
from tests.journeys.test_passkeys import authenticator, bind
from tests.journeys.test_portal import World

pytestmark = pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers")

JKT, B64 = "a" * 43, "AAAA"
CREDENTIAL = {"id": B64, "rawId": B64, "type": "public-key"}
SIGNED = dict.fromkeys(("clientDataJSON", "authenticatorData", "signature", "userHandle"), B64)
SENT: dict[str, Any] = {
    "/portal/login": {"json": {"jkt": JKT}},
    "/portal/backchannel-logout": {"data": {"logout_token": "x"}},
    "/portal/passkeys": {"json": {**CREDENTIAL, "response": {"clientDataJSON": B64, "attestationObject": B64}}},
    "/portal/passkeys/options": {},
    "/portal/passkeys/challenge": {"json": {"jkt": JKT}},
    "/portal/passkeys/session": {"json": {**CREDENTIAL, "response": SIGNED}},
}
# What a quarantined account is not refused, and why.
LET_THROUGH = {
    ("get", "/portal/session"): "the page says who is logged in, and that the account is closed",
    ("delete", "/portal/session"): "logging out takes a login away, and is never refused",
    ("delete", "/portal/sessions"): "the same, everywhere",
    ("get", "/portal/passkeys"): "the page shows them; nothing is done with them",
    ("get", "/portal/provider"): "about the provider: nobody is asked who they are",
    ("post", "/portal/backchannel-logout"): "for the provider, who signs it",
    ("post", "/portal/login"): "nobody is logged in yet: what comes of it is held",
    ("post", "/portal/passkeys/challenge"): "the same",
    ("post", "/portal/passkeys/session"): "the same; of a passkey that is known, test_passkeys has it refused",
    ("post", "/portal/passkeys"): "what answers no challenge is refused as that, and no challenge is given",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("contained") / "hub")
    made.start()
    yield made
    made.hub.stop()
    made.provider.stop()
    made.client.close()


def test_a_quarantined_browser_sees_its_session_and_ends_it(world: World) -> None:
    before = world.logged_in()
    assert bind(before, authenticator(world)).status_code == 201
    world.hub.run("gate", "contain", DOCTOR, "quarantined", "--operator", "a.martin", "--reason", "session volée")
    time.sleep(0.1)  # until both workers have seen it
    assert before.ask("GET", "/portal/session").status_code == 401  # a quarantine ends sessions
    paths = httpx.get(f"{world.hub.url}/schema/").json()["paths"]
    found = [(how, path) for path, calls in paths.items() if path.startswith("/portal") for how in calls]
    heard = set()
    for how, path in found:
        browser = world.logged_in()
        assert how != "post" or path in SENT, f"say what {path} is sent, so that it is tried by quarantined accounts"
        answer = browser.ask(how.upper(), re.sub(r"\{\w+\}", "x", path), **(SENT[path] if how == "post" else {}))
        if answer.is_success or answer.json()["code"] != "account_quarantined":
            assert answer.is_success or answer.json()["code"] not in ("malformed", "unauthenticated"), (
                path,
                answer.text,
            )
            heard.add((how, path))
    assert heard <= LET_THROUGH.keys(), heard - LET_THROUGH.keys()
