"""Logout tokens (OpenID Connect Back-Channel Logout 1.0) of a provider that forges, against the real memory of sessions."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ecluse.app.portal.provider_logout import ProviderLogouts
from ecluse.gate.identity import CLOCK_SKEW_S
from ecluse.gate.portal.logout_token import EVENT, LIFETIME_S_MAX, LoggedOut
from ecluse.kernel.errors import Refused
from tests.tokens import compact, respelt
from tests.unit.app.test_logins import KEY, NEXT, OTHERS, PSC, World, code_of

NOW = 1_800_000_000
REFUSED = "logout_token_refused"


class Provider(World):
    """A provider that ends sessions, beside one that opens them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.told = ProviderLogouts(self.ports, self, self)

    def log_in_as(self, sub: str, sid: str | None) -> str:
        self.claims = {"sub": sub, "sid": sid}
        return self.log_in().token

    def token(self, claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: Any = KEY) -> str:
        said = {
            "iss": PSC, "aud": "ecluse", "iat": self.now_ts, "exp": self.now_ts + 120, "jti": "j-1",
            "events": {EVENT: {}}, "sub": "rpps:1", **(claims or {}),
        }  # fmt: skip
        head = {"alg": "ES256", "kid": "k1", "typ": "logout+jwt", **(header or {})}
        told = {name: value for name, value in said.items() if value is not None}
        return compact({name: value for name, value in head.items() if value is not None}, told, key)

    def end(self, token: str) -> int:
        return asyncio.run(self.told.end(token))

    def holds(self, token: str) -> bool:
        try:
            self.ask(token)
        except Refused as refused:
            if refused.code != "unauthenticated":
                raise
            return False
        return True


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path / "portal.db")


# Whose session ended at the provider, and which of four sessions hold here afterwards: two of one login, one of another, one of
# another account (with the first login's sid, as a provider that is wrong might say).
ENDED = [
    ({"sub": "rpps:1"}, 3, [False, False, False, True]),
    ({"sub": "rpps:1", "sid": "s-1"}, 2, [False, False, True, True]),
    ({"sub": None, "sid": "s-2"}, 1, [True, True, False, True]),
    ({"sub": "rpps:9"}, 0, [True, True, True, True]),
    ({"sub": "rpps:1", "sid": "s-9"}, 0, [True, True, True, True]),
    ({"sub": "rpps:9", "sid": "s-1"}, 0, [True, True, True, True]),
]


@pytest.mark.parametrize(("whose", "ended", "hold"), ENDED)
def test_whose_sessions_end(provider: Provider, whose: dict[str, Any], ended: int, hold: list[bool]) -> None:
    people = [("rpps:1", "s-1"), ("rpps:1", "s-1"), ("rpps:1", "s-2"), ("rpps:2", "s-1")]
    sessions = [provider.log_in_as(*each) for each in people]
    assert provider.end(provider.token(whose)) == ended
    assert [provider.holds(each) for each in sessions] == hold


def test_a_session_of_no_login_that_was_named_ends_with_its_account(provider: Provider) -> None:
    session = provider.log_in_as("rpps:1", None)
    assert provider.end(provider.token({"sid": "", "jti": "j-0"})) == 1
    assert not provider.holds(session)


# What is wrong with a logout token: claims, header, who signed.
FORGED: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "alg none": ({}, {"alg": "none"}, None),
    "a shared secret": ({}, {"alg": "HS256"}, b"a-secret"),
    "its own public key as a secret": ({}, {"alg": "HS256"}, json.dumps(KEY.as_dict(private=False)).encode()),
    "another key of that name": ({}, {}, OTHERS),
    "an unknown key": ({}, {"kid": "k9"}, OTHERS),
    "a key it brings along": ({}, {"kid": None, "jwk": OTHERS.as_dict(private=False)}, OTHERS),
    "RS256, which is not allowed": ({}, {"alg": "RS256"}, None),
    "critical": ({}, {"crit": ["b64"], "b64": True}, KEY),
    "an access token": ({}, {"typ": "at+jwt"}, KEY),
    "a proof": ({}, {"typ": "dpop+jwt"}, KEY),
    "another issuer": ({"iss": "https://evil.example"}, {}, KEY),
    "no issuer": ({"iss": None}, {}, KEY),
    "another audience": ({"aud": "others"}, {}, KEY),
    "an access token's audience": ({"aud": "hub"}, {}, KEY),
    "several others' audience": ({"aud": ["others", "hub"]}, {}, KEY),
    "no audience": ({"aud": None}, {}, KEY),
    "no time": ({"iat": None}, {}, KEY),
    "of tomorrow": ({"iat": NOW + 86_400, "exp": NOW + 86_500}, {}, KEY),
    "a moment too early": ({"iat": NOW + CLOCK_SKEW_S + 1}, {}, KEY),
    "no end": ({"exp": None}, {}, KEY),
    "expired": ({"iat": NOW - 120, "exp": NOW}, {}, KEY),
    "for long": ({"exp": NOW + LIFETIME_S_MAX + 1}, {}, KEY),
    "no events": ({"events": None}, {}, KEY),
    "no event": ({"events": {}}, {}, KEY),
    "another event": ({"events": {"http://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}}, {}, KEY),
    "an event that is no object": ({"events": {EVENT: "yes"}}, {}, KEY),
    "events in a list": ({"events": [EVENT]}, {}, KEY),
    "a nonce": ({"nonce": "n" * 43}, {}, KEY),
    "an empty nonce": ({"nonce": ""}, {}, KEY),
    "no id": ({"jti": None}, {}, KEY),
    "an empty id": ({"jti": ""}, {}, KEY),
    "a long id": ({"jti": "j" * 256}, {}, KEY),
    "nobody": ({"sub": None}, {}, KEY),
    "an empty name": ({"sub": "", "sid": ""}, {}, KEY),
    "a long login": ({"sid": "s" * 256}, {}, KEY),
    "a number": ({"sub": 1}, {}, KEY),
    "a scheme it may not vouch for": ({"sub": "adeli:1"}, {}, KEY),
    "too long": ({"other": "x" * 4096}, {}, KEY),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_logout_token_ends_nothing_and_gets_no_hint(provider: Provider, what: str) -> None:
    session = provider.log_in_as("rpps:1", "s-1")
    claims, header, key = FORGED[what]
    assert code_of(lambda: provider.end(provider.token(claims, header, key))) == REFUSED
    assert provider.holds(session)


def test_an_id_token_is_no_logout_token_and_the_other_way_round(provider: Provider) -> None:
    provider.log_in_as("rpps:1", "s-1")
    id_token = asyncio.run(provider.id_token(None, "", "", ""))  # type: ignore[arg-type]
    assert code_of(lambda: provider.end(id_token)) == REFUSED
    with_events = provider.token({"nonce": provider.asked["nonce"]}, {"typ": "JWT"})
    assert code_of(lambda: provider.end(with_events)) == REFUSED


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "." * 4000])
def test_what_is_no_token(provider: Provider, text: str) -> None:
    assert code_of(lambda: provider.end(text)) == REFUSED


def test_an_algorithm_its_issuer_may_not_use_is_refused_whatever_keys_it_has(provider: Provider) -> None:
    provider.algorithms = ("PS256",)
    assert code_of(lambda: provider.end(provider.token())) == REFUSED


def test_a_signature_is_of_every_byte(provider: Provider) -> None:
    assert code_of(lambda: provider.end(respelt(provider.token()))) == REFUSED


@pytest.mark.parametrize("header", [{"typ": None}, {"typ": "JWT"}, {"typ": "application/logout+jwt"}, {"kid": None}])
def test_what_providers_leave_out(provider: Provider, header: dict[str, Any]) -> None:
    session = provider.log_in_as("rpps:1", "s-1")
    assert provider.end(provider.token({"aud": ["ecluse", "others"]}, header)) == 1
    assert not provider.holds(session)


def test_a_logout_token_is_taken_once_by_all_processes(provider: Provider) -> None:
    token = provider.token()
    assert provider.end(token) == 0
    session = provider.log_in_as("rpps:1", "s-1")
    assert code_of(lambda: provider.end(token)) == REFUSED  # who logged in again stays
    provider.now_ts += 119
    assert code_of(lambda: provider.end(token)) == REFUSED
    assert provider.holds(session)
    told = LoggedOut("rpps:9", "", "j-3", provider.now_ts + 2)
    assert [each.end_told(told, provider.now_ts + 1) for each in (provider.others, provider.sessions)] == [0, None]
    assert provider.sessions.end_told(told, provider.now_ts + 2) == 0  # it holds no more, and was forgotten
    assert provider.end(provider.token({"jti": "j-2"})) == 1


def test_a_forged_token_takes_no_id_from_a_good_one(provider: Provider) -> None:
    assert code_of(lambda: provider.end(provider.token(key=OTHERS))) == REFUSED
    assert provider.end(provider.token()) == 0


def test_a_key_that_was_just_drawn_is_asked_for_once(provider: Provider) -> None:
    session = provider.log_in_as("rpps:1", "s-1")
    provider.rotates = True
    assert provider.end(provider.token({}, {"kid": "k2"}, NEXT)) == 1
    assert not provider.holds(session)
