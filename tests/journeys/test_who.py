"""Who asks, over HTTP: two workers, tokens bound to a key, and what somebody gets who has the token but not the key."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import time
from typing import Any

import httpx
import pytest

from tests.journeys.site import Site, question
from tests.tokens import elliptic, proof
from tests.unit.gate.test_identity import FORGED

CHECKS, CLAIMS = "/v1/rights/checks", "/v1/claims"
HOLDER, THIEF = elliptic(), elliptic()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub of two workers, known to its clients by a public name; it serves no insurer: who is let in hears `not_confirmed`."""
    site = Site(tmp_path_factory.mktemp("who") / "hub", ECLUSE_HTTP_PUBLIC_URL="https://hub.test")
    site.run("init", str(site.directory))
    site.start(workers=2)
    yield site
    assert site.stop() == 0


@pytest.mark.parametrize("path", ["", "/", "/login", "/callback", "/session", "/passkeys", "/portal.js"])
def test_without_settings_there_is_no_portal(hub: Site, path: str) -> None:
    assert httpx.get(f"{hub.url}/portal{path}").status_code == 404


def test_without_a_portal_no_cookie_is_read(hub: Site) -> None:
    headers = {"cookie": f"__Host-ecluse={'A' * 43}", "origin": "https://evil.example"}
    answer = httpx.post(hub.url + CHECKS, json=question(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.fixture(scope="module")
def token(hub: Site) -> str:
    """A doctor's token, bound to the holder's key."""
    words = ["dev", "token", "--account", "rpps:10000000001", "--practice", "370000028"]
    return hub.run(*words, "--dpop-jkt", HOLDER.thumbprint()).stdout.strip()


class Client:
    """A client with a key, which makes a proof for each request and follows the server's nonces; each over a new
    connection, so that any worker may take it."""

    def __init__(self, hub: Site, token: str, key: Any = HOLDER) -> None:
        self.hub, self.token, self.key, self.nonce = hub, token, key, ""

    def proof(self, path: str = CHECKS, **changes: Any) -> str:
        told = {"method": "POST", "url": f"https://hub.test{path}", "now_ts": int(time()), "nonce": self.nonce}
        return proof(self.key, token=self.token, **{**told, **changes})

    def send(self, *proofs: str, path: str = CHECKS, scheme: str = "DPoP", body: Any = None) -> httpx.Response:
        headers = [("Authorization", f"{scheme} {self.token}"), *(("DPoP", each) for each in proofs)]
        return httpx.post(self.hub.url + path, json=body or question(), headers=headers, timeout=30)

    def ask(self, **changes: Any) -> httpx.Response:
        answer = self.send(self.proof(**changes))
        if answer.headers.get("dpop-nonce"):
            self.nonce = answer.headers["dpop-nonce"]
        return answer


@pytest.fixture
def client(hub: Site, token: str) -> Client:
    """A client that has a nonce."""
    made = Client(hub, token)
    assert made.ask().json()["code"] == "use_dpop_nonce"
    return made


def test_a_client_is_told_a_nonce_and_then_answered_by_every_worker(client: Client) -> None:
    for _ in range(8):
        answer = client.ask()
        assert (answer.status_code, answer.json()["outcome"]) == (200, "not_confirmed")
        assert "dpop-nonce" not in answer.headers


def test_a_client_without_a_nonce_is_told_which(hub: Site, token: str) -> None:
    answer = Client(hub, token).ask()
    assert (answer.status_code, answer.json()["code"]) == (401, "use_dpop_nonce")
    assert answer.headers["www-authenticate"].startswith('DPoP error="use_dpop_nonce"')
    assert len(answer.headers["dpop-nonce"]) >= 16


def test_the_other_calls_ask_the_same(client: Client) -> None:
    url = client.hub.url + CLAIMS
    good = client.proof(CLAIMS, method="GET")
    headers = {"Authorization": f"DPoP {client.token}", "DPoP": good}
    assert httpx.get(url, params={"limit": 1}, headers=headers).status_code == 200
    assert httpx.get(url, headers=headers).json()["code"] == "invalid_dpop_proof"


def test_one_proof_sent_many_times_at_once_is_taken_once(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(each.status_code for each in pool.map(client.send, [client.proof()] * 16))
    assert statuses == [200] + [401] * 15


SENDABLE = {name: each for name, each in FORGED.items() if each and each.strip() == each}
STOLEN: dict[str, Any] = {
    "sent as a bearer token": lambda client: client.send(scheme="Bearer"),
    "as a bearer token, with a proof": lambda client: client.send(client.proof(), scheme="Bearer"),
    "under another scheme": lambda client: client.send(client.proof(), scheme="Basic"),
}
BAD: dict[str, Any] = {
    "without a proof": lambda client: client.send(),
    "with the thief's proof": lambda client: Client(client.hub, client.token, THIEF).ask(nonce=client.nonce),
    "with the thief's proof without nonce": lambda client: Client(client.hub, client.token, THIEF).ask(),
    "with two proofs": lambda client: client.send(client.proof(), client.proof()),
    "with a proof of another call": lambda client: client.send(client.proof(CLAIMS)),
    "with a proof of another hub": lambda client: client.ask(url=f"https://hub.example{CHECKS}"),
    "with a proof of the inner address": lambda client: client.ask(url=client.hub.url + CHECKS),
    "with a proof of another method": lambda client: client.ask(method="GET"),
    "with an old proof": lambda client: client.ask(now_ts=1_700_000_000),
    "with a proof of another token": lambda client: client.ask(ath="x" * 43),
}


@pytest.mark.parametrize("how", STOLEN.values(), ids=STOLEN.keys())
def test_a_bound_token_is_no_bearer_token(client: Client, how: Any) -> None:
    _refused(how(client), "unauthenticated", "No valid access token", "invalid_token")


@pytest.mark.parametrize("how", BAD.values(), ids=BAD.keys())
def test_a_stolen_token_opens_nothing_without_its_key(client: Client, how: Any) -> None:
    _refused(how(client), "invalid_dpop_proof", "No valid proof of the token's key", "invalid_dpop_proof")


@pytest.mark.parametrize("forged", SENDABLE.values(), ids=SENDABLE.keys())
def test_forged_tokens_open_nothing_whatever_the_scheme(hub: Site, forged: str) -> None:
    for scheme in ("Bearer", "DPoP"):
        sent = Client(hub, forged)
        answer = sent.send(sent.proof(), scheme=scheme)
        assert (answer.status_code, answer.json()["detail"]) == (401, "No valid access token")


def test_an_unbound_token_of_the_development_issuer_is_a_bearer_token_only(hub: Site) -> None:
    unbound = Client(hub, hub.own_token)
    assert unbound.send(scheme="Bearer").status_code == 200
    assert unbound.send(scheme="bearer").status_code == 200
    _refused(unbound.send(unbound.proof()), "unauthenticated", "No valid access token", "invalid_token")


def test_two_authorizations_are_none(hub: Site) -> None:
    twice = [("Authorization", f"Bearer {hub.own_token}")] * 2
    answer = httpx.post(hub.url + CHECKS, json=question(), headers=twice)
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer, DPoP algs=")


def test_proofs_used_before_a_restart_are_known_after_it(client: Client) -> None:
    site, used = client.hub, client.proof()
    assert client.send(used).status_code == 200
    assert site.stop() == 0
    site.start(workers=2)
    _refused(client.send(used), "invalid_dpop_proof", "No valid proof of the token's key", "invalid_dpop_proof")
    assert client.ask().status_code == 200


@pytest.mark.parametrize("words", [["--dpop-jkt", "short"], ["--certificate", "no"]])
def test_a_token_is_not_bound_to_what_is_no_key(hub: Site, words: list[str]) -> None:
    done = hub.run("dev", "token", "--account", "rpps:10000000001", *words, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1].partition(":")[0]) == (2, "binding_invalid")


def _refused(answer: httpx.Response, code: str, words: str, error: str) -> None:
    """The status, the code, the same words for every cause, and no more in the header than the standard asks for."""
    told = answer.json()
    assert (answer.status_code, told["code"], told["detail"]) == (401, code, words)
    assert set(told) == {"type", "title", "status", "detail", "code", "fix"}
    assert f'error="{error}"' in answer.headers["www-authenticate"]
    assert "description" not in answer.headers["www-authenticate"]
    assert "dpop-nonce" not in answer.headers
