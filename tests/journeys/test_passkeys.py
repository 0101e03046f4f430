"""Passkeys at the portal: bound after a login at a real provider, used by an authenticator in software, lapsed and removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.passkeys import LocalPasskeys
from ecluse.gate.portal.session import Session
from tests.authenticator import MAY_BE_COPIED, PRESENT, Authenticator
from tests.browser import OWN, SESSION, Browser
from tests.journal import entries_in
from tests.journeys.site import DOCTOR, PRACTICE, question
from tests.journeys.test_oidc import CHECKS, too_old
from tests.journeys.test_portal import World, changed, refused

pytestmark = pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("passkeys") / "hub")
    made.start()
    yield made
    made.hub.stop()
    made.provider.stop()
    made.client.close()


def authenticator(world: World) -> Authenticator:
    return Authenticator(urlsplit(world.hub.url).hostname or "", world.hub.url)


def bind(browser: Browser, key: Authenticator, **more: str) -> httpx.Response:
    options = browser.ask("POST", "/portal/passkeys/options")
    assert options.status_code == 200, options.text
    return browser.ask("POST", "/portal/passkeys", json={**key.create(options.json()), **more})


def log_in(browser: Browser, key: Authenticator) -> httpx.Response:
    options = browser.send(
        "POST", f"{browser.hub}/portal/passkeys/challenge", json={"jkt": browser.key.thumbprint()}, headers=OWN
    )
    assert (options.status_code, options.json()["userVerification"]) == (200, "required")
    return use(browser, key.get(options.json()))


def use(browser: Browser, credential: dict[str, Any]) -> httpx.Response:
    answer = browser.send("POST", f"{browser.hub}/portal/passkeys/session", json=credential, headers=OWN)
    browser.ath = answer.json().get("ath", browser.ath)
    return answer


def bound(world: World) -> Authenticator:
    browser, key = world.logged_in(), authenticator(world)
    answer = bind(browser, key)
    assert answer.status_code == 201, answer.text
    return key


def outcomes(world: World) -> list[str]:
    """What the journal says became of passkeys, which are all the doctor's."""
    told = [each for each in entries_in(world.hub.directory / "journal") if each.operation == "passkey_changed"]
    assert {(each.account, each.engagement[:4]) for each in told} == {(DOCTOR, "pky_")}
    return [each.outcome for each in told]


@pytest.fixture(autouse=True)
def _none(world: World) -> Iterator[None]:
    yield
    passkeys = LocalPasskeys(world.hub.directory / "portal.db")
    passkeys.remove_all(DOCTOR)
    passkeys.close()


def test_a_passkey_stands_for_the_login_it_was_bound_at(world: World) -> None:
    key, browser = bound(world), world.browser()
    assert log_in(browser, key).status_code == 201
    told = browser.ask("GET", "/portal/session").json()
    assert (told["account"], told["practice"], told["acr"], told["way"]) == (DOCTOR, PRACTICE, "eidas2", "passkey")
    assert browser.ask("POST", CHECKS, json=question()).status_code == 200
    assert refused(browser.ask("POST", "/portal/passkeys/options")) == (403, "passkey_refused")  # no chain of passkeys


def test_passkeys_are_listed_and_removed_by_whose_they_are(world: World) -> None:
    browser, key, other = world.logged_in(), authenticator(world), authenticator(world)
    assert bind(browser, key).status_code == 201
    assert bind(browser, other).json()["used_at"] is None
    assert other.handle == key.handle  # one account
    assert log_in(world.browser(), key).status_code == 201
    first, second = browser.ask("GET", "/portal/passkeys").json()
    assert (first["used_at"] is None, second["used_at"]) == (False, None)
    assert browser.ask("DELETE", f"/portal/passkeys/{first['id']}").status_code == 200
    assert refused(browser.ask("DELETE", f"/portal/passkeys/{first['id']}")) == (404, "not_found")
    assert refused(log_in(world.browser(), key)) == (403, "passkey_refused")
    assert log_in(world.browser(), other).status_code == 201
    assert {"bound", "removed"} <= set(outcomes(world))


def test_a_passkey_has_the_name_its_owner_gave_and_its_kind(world: World) -> None:
    browser = world.logged_in()
    told = bind(browser, authenticator(world), name="  mon\u202e\n téléphone ").json()
    assert (told["name"], told["kind"]) == ("mon téléphone", "device")
    synced = authenticator(world)
    synced.flags |= MAY_BE_COPIED
    assert bind(browser, synced).json()["kind"] == "synced"
    assert [(each["name"], each["kind"]) for each in browser.ask("GET", "/portal/passkeys").json()] == [
        ("mon téléphone", "device"),
        ("", "synced"),
    ]
    assert refused(bind(browser, authenticator(world), name="n" * 41)) == (400, "malformed")


def test_a_passkey_of_another_account_is_not_there(world: World) -> None:
    key = bound(world)
    (own,) = world.logged_in().ask("GET", "/portal/passkeys").json()
    other = world.browser()
    url = changed(other.leave(), login_hint="rpps:10000000002")
    assert other.back(other.arrive(url)).status_code == 303
    assert other.ask("GET", "/portal/passkeys").json() == []
    assert refused(other.ask("DELETE", f"/portal/passkeys/{own['id']}")) == (404, "not_found")
    assert log_in(world.browser(), key).status_code == 201


def test_a_credential_is_bound_once(world: World) -> None:
    browser, key = world.logged_in(), authenticator(world)
    assert [bind(browser, key).status_code for _ in range(2)] == [201, 403]


def test_who_has_an_old_session_binds_nothing(world: World) -> None:
    browser = world.logged_in()
    with connect(world.hub.directory / "portal.db") as file:
        rows = file.execute("SELECT token, session FROM session").fetchall()
        for token, session in rows:
            read = msgspec.msgpack.decode(session, type=Session)
            old = msgspec.structs.replace(read, auth_ts=read.auth_ts - 700)
            file.execute("UPDATE session SET session = ? WHERE token = ?", (msgspec.msgpack.encode(old), token))
    answer = browser.ask("POST", "/portal/passkeys/options")
    assert refused(answer) == (401, "insufficient_user_authentication")
    assert 'max_age="600"' in answer.headers["www-authenticate"]
    assert browser.log_in(step_up=True).status_code == 303
    assert bind(browser, authenticator(world)).status_code == 201


# What an authenticator, or a page in its place, may lie about. Each is given the authenticator before it is used.
LIES: dict[str, Callable[[Authenticator], object]] = {
    "another site's name": lambda key: setattr(key, "rp_id", "evil.example"),
    "another page": lambda key: setattr(key, "origin", "https://evil.example"),
    "in a frame": lambda key: key.client.update(crossOrigin=True),
    "nobody verified": lambda key: setattr(key, "flags", PRESENT),
    "another purpose": lambda key: key.client.update(type="payment.get"),
    "another challenge": lambda key: key.client.update(challenge="A" * 43),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_when_bound_and_when_used(world: World, lie: str) -> None:
    key = bound(world)
    LIES[lie](key)
    browser = world.browser()
    assert refused(log_in(browser, key)) == (403, "passkey_refused")
    assert SESSION not in browser.cookies
    liar = authenticator(world)
    LIES[lie](liar)
    assert refused(bind(world.logged_in(), liar)) == (403, "passkey_refused")


def test_a_count_that_goes_back_is_refused(world: World) -> None:
    key = bound(world)
    for step, status in ((5, 201), (0, 403), (-2, 403), (3, 201)):
        key.step = step
        assert log_in(world.browser(), key).status_code == status, (step, key.count)


def test_a_passkey_that_does_not_count_is_taken(world: World) -> None:
    key = bound(world)
    key.step = 0
    assert [log_in(world.browser(), key).status_code for _ in range(2)] == [201, 201]


def test_an_answer_serves_once_and_in_its_own_browser(world: World) -> None:
    key, browser, other = bound(world), world.browser(), world.browser()
    url, jkt = f"{browser.hub}/portal/passkeys/challenge", {"jkt": browser.key.thumbprint()}
    options = browser.send("POST", url, json=jkt, headers=OWN).json()
    other.send("POST", url, json=jkt, headers=OWN)
    answer, login = key.get(options), {**browser.cookies}
    assert refused(use(other, answer)) == (403, "passkey_refused")
    assert use(browser, answer).status_code == 201
    browser.cookies.update(login)
    assert refused(use(browser, answer)) == (403, "passkey_refused")


def test_a_challenge_of_a_passkey_is_no_state_of_a_login(world: World) -> None:
    browser = world.browser()
    url = f"{browser.hub}/portal/passkeys/challenge"
    options = browser.send("POST", url, json={"jkt": browser.key.thumbprint()}, headers=OWN).json()
    back = f"{browser.hub}/portal/callback?state={options['challenge']}&code=x&iss={world.provider.issuer}"
    assert refused(browser.back(back)) == (403, "login_refused")


def test_another_key_of_that_name_and_another_account_s_handle(world: World) -> None:
    key = bound(world)
    forger = authenticator(world)
    forger.id, forger.handle = key.id, key.handle
    assert refused(log_in(world.browser(), forger)) == (403, "passkey_refused")
    key.handle = bytes(32)
    assert refused(log_in(world.browser(), key)) == (403, "passkey_refused")


def test_another_site_s_page_gets_no_challenge(world: World) -> None:
    browser = world.browser()
    url, sent = f"{browser.hub}/portal/passkeys/challenge", {"jkt": browser.key.thumbprint()}
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert refused(browser.send("POST", url, json=sent, headers=headers)) == (403, "cross_site")


def test_a_passkey_lapses(world: World) -> None:
    key = bound(world)
    passkeys = LocalPasskeys(world.hub.directory / "portal.db")
    (known,) = passkeys.of(DOCTOR)
    assert 89 * 86_400 < known.until_ts - known.bound_ts <= 90 * 86_400
    passkeys.remove_all(DOCTOR)
    passkeys.put(msgspec.structs.replace(known, until_ts=known.bound_ts))
    passkeys.close()
    assert refused(log_in(world.browser(), key)) == (403, "passkey_refused")


@pytest.mark.parametrize("body", [{}, {"id": "x"}, [], {"id": "é", "rawId": "é", "type": "public-key", "response": {}}])
def test_what_is_no_credential(world: World, body: Any) -> None:
    assert refused(use(world.browser(), body)) == (400, "malformed")


def test_an_account_has_eight_passkeys_whenever_they_were_asked_for(world: World) -> None:
    browser = world.logged_in()
    options = [browser.ask("POST", "/portal/passkeys/options").json() for _ in range(12)]
    keys = [authenticator(world) for _ in options]
    answers = [
        browser.ask("POST", "/portal/passkeys", json=key.create(each)) for key, each in zip(keys, options, strict=True)
    ]
    assert [each.status_code for each in answers] == [201] * 8 + [409] * 4
    assert {each.json()["code"] for each in answers[8:]} == {"passkeys_many"}
    assert len(browser.ask("GET", "/portal/passkeys").json()) == 8
    assert refused(log_in(world.browser(), keys[8])) == (403, "passkey_refused")


def test_a_quarantined_account_binds_uses_and_removes_no_passkey(world: World) -> None:
    browser, key = world.logged_in(), authenticator(world)
    assert bind(browser, key).status_code == 201
    try:
        world.hub.run("gate", "contain", DOCTOR, "quarantined", "--operator", "a.martin", "--reason", "vol")
        thief = world.logged_in()
        (own,) = thief.ask("GET", "/portal/passkeys").json()
        assert refused(thief.ask("DELETE", f"/portal/passkeys/{own['id']}")) == (403, "account_quarantined")
        assert refused(thief.ask("POST", "/portal/passkeys/options")) == (403, "account_quarantined")
        assert refused(log_in(world.browser(), key)) == (403, "account_quarantined")
    finally:
        for who in ("a.martin", "b.durand"):
            world.hub.run("gate", "release", DOCTOR, "open", "--operator", who, "--reason", "vu")
    assert refused(thief.ask("GET", "/portal/passkeys")) == (401, "unauthenticated")  # who logged in meanwhile
    assert log_in(world.browser(), key).status_code == 201


def test_a_lost_device_takes_its_passkeys_along(world: World) -> None:
    key = bound(world)
    world.hub.run("gate", "lost", DOCTOR, "--operator", "a.martin", "--reason", "vol du téléphone")
    assert refused(log_in(world.browser(), key)) == (403, "passkey_refused")
    assert refused(world.logged_in().ask("POST", CHECKS, json=question())) == (403, "account_quarantined")
    waits = world.logged_in()  # whoever has the login binds none
    assert refused(waits.ask("POST", "/portal/passkeys/options")) == (403, "account_quarantined")
    asked = world.hub.run("gate", "reset", DOCTOR, "--operator", "b.petit", "--reason", "rappelé au cabinet")
    assert "quarantined" in asked.stdout
    assert refused(waits.ask("GET", "/portal/session")) == (401, "unauthenticated")
    assert json.loads(world.hub.run("gate", "show", DOCTOR, "--json").stdout)["step"] == "quarantined"
    assert refused(log_in(world.browser(), key)) == (403, "passkey_refused")
    assert {"bound", "lost"} <= set(outcomes(world))
