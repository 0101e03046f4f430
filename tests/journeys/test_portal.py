"""Browsers log in at the portal by a real OpenID provider (npm oidc-provider), and ask: two workers, one memory of sessions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.browser import SESSION, Browser
from tests.journal import entries_in
from tests.journeys.site import DOCTOR, PRACTICE, Site, question
from tests.journeys.test_nginx import free_port
from tests.journeys.test_oidc import CHECKS, Provider, too_old

pytestmark = pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers")


class World:
    """The provider, and a hub with a portal that trusts it: the level of a person's login must be `eidas2`."""

    def __init__(self, directory: Path, *, features: dict[str, Any] | None = None, **settings: str) -> None:
        self.provider, self.features = Provider(), features
        name = self.provider.issuer
        trusted = {"name": name, "audience": "ecluse", "subjects": ["rpps", "amc"], "acr_values": ["eidas2"]}
        self.hub = Site(
            directory,
            ECLUSE_ISSUERS=json.dumps([trusted]),
            ECLUSE_PORTAL_ISSUER=name,
            ECLUSE_PORTAL_CLIENT_ID="ecluse-portal",
            ECLUSE_LOG_LEVEL="debug",
            ECLUSE_LOG_REQUESTS="all",
            **settings,
        )
        self.client = httpx.Client(timeout=30, limits=httpx.Limits(max_keepalive_connections=0))

    def start(self, **registered: Any) -> None:
        """Start both; `registered`: what the provider knows of the hub beside."""
        self.hub.run("init", str(self.hub.directory))
        keys = json.loads(self.hub.run("portal", "key").stdout)
        assert json.loads(self.hub.run("portal", "key").stdout) == keys  # made once
        port = free_port()
        self.provider.start(
            {
                "client_id": "ecluse-portal",
                "token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_signing_alg": "ES256",
                "jwks": keys,
                "redirect_uris": [f"http://{each}:{port}/portal/callback" for each in ("127.0.0.1", "localhost")],
                "post_logout_redirect_uris": [
                    f"http://{each}:{port}/portal/logged-out" for each in ("127.0.0.1", "localhost")
                ],
                "grant_types": ["authorization_code"],
                "require_auth_time": True,
                **(
                    {"backchannel_logout_uri": f"http://127.0.0.1:{port}/portal/backchannel-logout"}
                    if self._tells
                    else {}
                ),
                **registered,
            },
            self.features,
        )
        self.hub.start(workers=2, port=port)

    @property
    def _tells(self) -> bool:
        """Whether the provider tells the hub of logouts."""
        return "backchannelLogout" in (self.features or {})

    def browser(self) -> Browser:
        return Browser(self.client, self.hub.url)

    def logged_in(self) -> Browser:
        browser = self.browser()
        answer = browser.log_in()
        assert (answer.status_code, browser.ath != "") == (303, True), answer.text
        return browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("portal") / "hub")
    made.start()
    yield made
    made.hub.stop()
    made.provider.stop()
    made.client.close()


def asked(url: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


def changed(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    return parts._replace(query=urlencode({**asked(url), **parameters})).geturl()


def refused(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["code"]


def test_a_person_logs_in_asks_and_logs_out(world: World) -> None:
    browser = world.logged_in()
    told = browser.ask("GET", "/portal/session").json()
    assert (told["account"], told["practice"], told["profession"]) == (DOCTOR, PRACTICE, "medecin")
    assert (told["acr"], told["way"], told["ath"]) == ("eidas2", "login", browser.ath)
    answers = [browser.ask("POST", CHECKS, json=question()) for _ in range(6)]  # of both workers, as it comes
    assert {(each.status_code, each.json().get("outcome")) for each in answers} == {(200, "not_confirmed")}
    assert browser.ask("DELETE", "/portal/session").json() == {"ended": 1}
    assert SESSION not in browser.cookies


def test_the_calls_are_described(world: World) -> None:
    told = httpx.get(f"{world.hub.url}/schema/").json()["paths"]
    assert {path for path in told if path.startswith("/portal")} == {
        "/portal/login",
        "/portal/session",
        "/portal/sessions",
        "/portal/provider",
        "/portal/backchannel-logout",
        "/portal/passkeys",
        "/portal/passkeys/options",
        "/portal/passkeys/challenge",
        "/portal/passkeys/session",
        "/portal/passkeys/{passkey_id}",
    }
    assert not [each for path in told.values() for call in path.values() for each in call.get("parameters", ())
                if each["name"] in ("portal", "hub", "asked")]  # fmt: skip


def test_what_is_asked_of_the_provider(world: World) -> None:
    browser = world.browser()
    plain, step_up = asked(browser.leave()), asked(browser.leave(step_up=True))
    assert (plain["response_type"], plain["code_challenge_method"], plain["acr_values"]) == ("code", "S256", "eidas2")
    assert not {"prompt", "max_age"} & plain.keys()
    assert (step_up["prompt"], step_up["max_age"]) == ("login", "0")
    secrets = [each[name] for each in (plain, step_up) for name in ("state", "nonce", "code_challenge")]
    assert len({*secrets}) == len(secrets)


def test_a_session_that_ends_in_one_worker_ends_in_the_other(world: World) -> None:
    browser = world.logged_in()
    kept = {**browser.cookies}
    assert browser.ask("DELETE", "/portal/session").status_code == 200
    browser.cookies.update(kept)
    assert {refused(browser.ask("POST", CHECKS, json=question())) for _ in range(6)} == {(401, "unauthenticated")}


def test_a_new_login_ends_the_session_it_replaces_and_everywhere_is_everywhere(world: World) -> None:
    browser, other = world.logged_in(), world.logged_in()
    before = {**browser.cookies}, browser.ath
    assert browser.log_in(step_up=True).status_code == 303
    assert before[0] != browser.cookies
    assert browser.ask("GET", "/portal/session").status_code == 200
    now = {**browser.cookies}, browser.ath
    browser.jar[browser.hub], browser.ath = before
    assert refused(browser.ask("GET", "/portal/session")) == (401, "unauthenticated")
    browser.jar[browser.hub], browser.ath = now
    assert browser.ask("DELETE", "/portal/sessions").json()["ended"] >= 2
    assert refused(other.ask("GET", "/portal/session")) == (401, "unauthenticated")


def test_a_stolen_cookie_opens_nothing(world: World) -> None:
    browser, thief = world.logged_in(), world.browser()
    thief.cookies[SESSION], thief.ath = browser.cookies[SESSION], browser.ath
    assert refused(thief.ask("POST", CHECKS, json=question())) == (401, "invalid_dpop_proof")
    own = {"sec-fetch-site": "same-origin"}
    bare = thief.send("POST", thief.hub + CHECKS, json=question(), headers=own)
    assert refused(bare) == (401, "invalid_dpop_proof")
    for scheme in ("DPoP", "Bearer", "session"):
        as_token = {"authorization": f"{scheme} {browser.cookies[SESSION]}", **own}
        assert refused(thief.send("POST", thief.hub + CHECKS, json=question(), headers=as_token)) == (
            401,
            "unauthenticated",
        )
    assert browser.ask("POST", CHECKS, json=question()).status_code == 200


def test_a_proof_serves_once_and_for_its_request(world: World) -> None:
    browser = world.logged_in()
    assert browser.ask("GET", "/portal/session").status_code == 200
    made = {"dpop": browser.proved("GET", "/portal/session"), "sec-fetch-site": "same-origin"}
    url = f"{browser.hub}/portal/session"
    assert [browser.send("GET", url, headers=made).status_code for _ in range(2)] == [200, 401]
    for wrong in ({"htm": "POST"}, {"htu": f"{browser.hub}{CHECKS}"}, {"ath": "x" * 43}, {"iat": 1}):
        made["dpop"] = browser.proved("GET", "/portal/session", **wrong)
        assert refused(browser.send("GET", url, headers=made)) == (401, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_another_site_s_page_is_refused(world: World, headers: dict[str, str]) -> None:
    browser = world.logged_in()
    assert refused(browser.ask("POST", CHECKS, json=question(), headers=headers)) == (403, "cross_site")
    assert refused(browser.begin(**headers)) == (403, "cross_site")


@pytest.mark.parametrize("site", [{"sec-fetch-site": "none"}, {"sec-fetch-site": "cross-site"}, {}])
def test_a_link_that_was_mailed_begins_no_login_and_ends_no_session(world: World, site: dict[str, str]) -> None:
    browser, thief = world.logged_in(), world.browser()
    words = f"jkt={thief.key.thumbprint()}"
    link = browser.send("GET", f"{browser.hub}/portal/login?{words}", headers=site)
    form = browser.send("POST", f"{browser.hub}/portal/login?{words}", data={"jkt": words[4:]}, headers=site)
    assert (link.status_code, refused(form)) in ((405, (400, "malformed")), (405, (403, "cross_site")))
    assert not site or refused(browser.send("GET", f"{browser.hub}/portal/logout", headers=site)) == (403, "cross_site")
    assert browser.ask("GET", "/portal/session").status_code == 200
    browser.leave()
    assert browser.ask("GET", "/portal/session").status_code == 200  # until the new login is finished


# What comes back, and what the browser is told. Each changes one thing of a login that would be taken.
FORGED_BACK: dict[str, tuple[dict[str, str], str]] = {
    "state": ({"state": "A" * 43}, "login_refused"),
    "no state": ({"state": ""}, "login_refused"),
    "no code": ({"code": ""}, "login_refused"),
    "code": ({"code": "another-code"}, "login_refused"),
    "iss": ({"iss": "https://evil.example"}, "login_refused"),
    "no iss": ({"iss": ""}, "login_refused"),
    "error": ({"error": "access_denied"}, "login_declined"),
}


@pytest.mark.parametrize("what", FORGED_BACK)
def test_a_forged_callback_is_refused_and_says_nothing(world: World, what: str) -> None:
    parameters, code = FORGED_BACK[what]
    browser = world.browser()
    answer = browser.back(changed(browser.arrive(browser.leave()), **parameters))
    assert refused(answer) == (403, code)
    assert SESSION not in browser.cookies
    assert not [value for value in parameters.values() if value and value in answer.text]


def test_a_login_comes_back_once_to_its_own_browser(world: World) -> None:
    browser, other = world.browser(), world.browser()
    url = browser.arrive(browser.leave())
    assert refused(other.back(url)) == (403, "login_refused")
    other.leave()  # with a login cookie of its own
    assert refused(other.back(url)) == (403, "login_refused")
    twice = browser.back(f"{url}&state={asked(url)['state']}")
    assert refused(twice) == (403, "login_refused")  # and its cookie is gone


def test_a_login_that_was_taken_is_not_taken_again(world: World) -> None:
    browser, again = world.browser(), world.browser()
    url = browser.arrive(browser.leave())
    login = {**browser.cookies}
    assert "#ath=" in browser.back(url).headers["location"]
    browser.cookies.update(login)
    assert refused(browser.back(url)) == (403, "login_refused")
    fresh = again.arrive(again.leave())
    assert refused(again.back(changed(fresh, code=asked(url)["code"]))) == (403, "login_refused")


@pytest.mark.parametrize(
    ("hint", "level", "code"),
    [
        ("amc:0075123456", "eidas2", (403, "login_refused")),
        ("adeli:370000001", "eidas2", (403, "login_refused")),
        (DOCTOR, "eidas1", (401, "insufficient_user_authentication")),
        ("changed-my-mind", "eidas2", (403, "login_declined")),
    ],
)
def test_who_is_not_let_in(world: World, hint: str, level: str, code: tuple[int, str]) -> None:
    browser = world.browser()
    answer = browser.back(browser.arrive(changed(browser.leave(), login_hint=hint, acr_values=level)))
    assert refused(answer) == code
    assert hint not in answer.text


def test_a_page_is_led_on_with_the_code_alone(world: World) -> None:
    browser = world.browser()
    url = changed(browser.arrive(browser.leave()), code="another-code")
    answer = browser.back(url, accept="text/html")
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/#refused=login_refused")


def test_no_secret_of_a_login_is_in_the_log(world: World) -> None:
    browser = world.browser()
    url = browser.arrive(browser.leave())
    browser.back(url)
    secrets = [asked(url)["code"], asked(url)["state"], browser.cookies[SESSION], browser.ath]
    said = world.hub.log.read_text()
    assert "/portal/callback" in said
    assert not [each for each in secrets if each in said]


def test_an_operator_ends_sessions_and_so_does_a_lost_device(world: World) -> None:
    first, second = world.logged_in(), world.logged_in()
    assert len(world.hub.json("gate", "sessions", DOCTOR)) >= 2
    signed = ("--operator", "a.martin", "--reason", "essai")
    assert world.hub.json("gate", "sessions", DOCTOR, "--end", *signed)["ended"] >= 2
    assert world.hub.json("gate", "sessions", DOCTOR) == []
    assert refused(first.ask("GET", "/portal/session")) == (401, "unauthenticated")
    assert second.log_in().status_code == 303
    world.hub.run("gate", "lost", DOCTOR, *signed)
    assert refused(second.ask("GET", "/portal/session")) == (401, "unauthenticated")
    (told,) = [each for each in entries_in(world.hub.directory / "journal") if each.operation == "sessions_ended"]
    assert (told.account, told.engagement, told.outcome[:6], b"martin" in told.sealed) == (
        "operator",
        DOCTOR,
        "ended_",
        False,
    )
    assert world.hub.run("gate", "sessions", DOCTOR, "--end", check=False).returncode == 2  # nobody signed
