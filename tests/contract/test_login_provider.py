"""The portal's provider asked over HTTP: how the hub shows who it is, and what a provider that is away costs."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from ecluse.app.ports.portal import Endpoints
from ecluse.engines.login_provider import (
    ASKED_AGAIN_S,
    BACK_MAX,
    METADATA_S,
    PUSHING_MAX,
    PUSHING_QUEUED_MAX,
    OpenIdProvider,
)
from ecluse.engines.portal_key import create_portal_key, public_key_set
from ecluse.gate.portal.login import Pushed
from ecluse.kernel.errors import Refused

BACK = "https://hub.example.fr/portal/callback"
METADATA = "/.well-known/openid-configuration"


class Site:
    """A provider on this machine. `answers`: path → status and body; `asked`: paths, with the header and form of a POST;
    `holds`: paths that are answered only then."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.header, self.form = "", dict[str, str]()
        self.holds: dict[str, threading.Event] = {}
        site = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                if self.path in site.holds:
                    site.holds[self.path].wait(5)
                status, body = site.answers.get(self.path, (404, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["content-length"])).decode()
                site.header = self.headers.get("authorization", "")
                site.form = {name: value for name, [value] in parse_qs(sent).items()}
                self.do_GET()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.name = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.answers: dict[str, tuple[int, bytes]] = {
            METADATA: (200, self.metadata()),
            "/token": (200, json.dumps({"id_token": "a.b.c", "access_token": "x", "token_type": "Bearer"}).encode()),
            "/par": (201, json.dumps({"request_uri": "urn:x:1", "expires_in": 60}).encode()),
        }

    def metadata(self, **changes: Any) -> bytes:
        told = {
            "issuer": self.name,
            "authorization_endpoint": f"{self.name}/auth",
            "token_endpoint": f"{self.name}/token",
            "pushed_authorization_request_endpoint": f"{self.name}/par",
        }
        return json.dumps({**told, **changes}).encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.stop()


def provider(site: Site, folder: Path, secret: str = "", *, production: bool = False) -> OpenIdProvider:
    create_portal_key(folder / "keys" / "portal.jwk.json")
    return OpenIdProvider(site.name, "écluse:1", folder / "keys" / "portal.jwk.json", secret, production=production)


async def login(asked: OpenIdProvider) -> str:
    endpoints = await asked.endpoints()
    async with asked.place():
        return await asked.id_token(endpoints, "the-code", "the-verifier", BACK)


def test_a_key_shows_who_asks_and_no_secret_is_sent(site: Site, tmp_path: Path) -> None:
    assert asyncio.run(login(provider(site, tmp_path))) == "a.b.c"
    assert (site.header, site.form["client_id"], site.form["grant_type"]) == ("", "écluse:1", "authorization_code")
    assert (site.form["code"], site.form["code_verifier"], site.form["redirect_uri"]) == (
        "the-code",
        "the-verifier",
        BACK,
    )
    (public,) = public_key_set(tmp_path / "keys" / "portal.jwk.json")["keys"]
    assert "d" not in public
    told = jwt.decode(site.form["client_assertion"], ECKey.import_key(public), algorithms=["ES256"])
    assert told.header == {"alg": "ES256", "typ": "JWT", "kid": public["kid"]}
    assert (told.claims["iss"], told.claims["sub"], told.claims["aud"]) == ("écluse:1", "écluse:1", site.name)
    assert told.claims["exp"] - told.claims["iat"] == 60
    asyncio.run(login(provider(site, tmp_path)))
    again = jwt.decode(site.form["client_assertion"], ECKey.import_key(public), algorithms=["ES256"])
    assert again.claims["jti"] != told.claims["jti"]


def test_a_secret_is_sent_in_the_header(site: Site, tmp_path: Path) -> None:
    asyncio.run(login(provider(site, tmp_path, "p%ss word")))
    assert base64.b64decode(site.header.removeprefix("Basic ")).decode() == "%C3%A9cluse%3A1:p%25ss+word"
    assert not {"client_assertion", "client_secret"} & site.form.keys()


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ((400, b'{"error": "invalid_grant"}'), ValueError),
        ((302, b""), ValueError),
        ((200, b"{}"), ValueError),
        ((200, b"not json"), ValueError),
        ((503, b""), OSError),
        ((200, b" " * (300 << 10)), OSError),
    ],
)
def test_what_a_provider_answers_instead(
    site: Site, tmp_path: Path, answer: tuple[int, bytes], wrong: type[Exception]
) -> None:
    site.answers["/token"] = answer
    with pytest.raises(wrong):
        asyncio.run(login(provider(site, tmp_path)))


async def push(asked: OpenIdProvider) -> Pushed:
    return await asked.push(await asked.endpoints(), {"client_id": "écluse:1", "state": "s", "scope": "openid x"})


def test_a_request_is_pushed_by_who_shows_a_key(site: Site, tmp_path: Path) -> None:
    assert asyncio.run(push(provider(site, tmp_path))) == Pushed("urn:x:1", 60)
    (public,) = public_key_set(tmp_path / "keys" / "portal.jwk.json")["keys"]
    told = jwt.decode(site.form.pop("client_assertion"), ECKey.import_key(public), algorithms=["ES256"])
    assert told.claims["aud"] == site.name  # FAPI 2.0 §5.3.3.1; RFC 9126 §2 takes the issuer too
    assert site.form.pop("client_assertion_type").endswith("jwt-bearer")
    assert (site.asked[-1], site.form) == ("/par", {"client_id": "écluse:1", "state": "s", "scope": "openid x"})


NOT_PUSHED: dict[str, tuple[tuple[int, bytes], type[Exception], str | None]] = {
    "the hub is not known": ((401, b'{"error": "invalid_client"}'), ValueError, "^invalid_client$"),
    "refused without a word": ((400, b"no"), ValueError, "^$"),
    "another status": ((200, b'{"request_uri": "urn:x:1", "expires_in": 60}'), ValueError, None),
    "led elsewhere": ((302, b""), ValueError, None),
    "no name": ((201, b'{"expires_in": 60}'), ValueError, "request_uri"),
    "no number": ((201, b'{"request_uri": 1, "expires_in": 60}'), ValueError, "request_uri"),
    "until when is not said": ((201, b'{"request_uri": "urn:x:1"}'), ValueError, "expires_in"),
    "no JSON": ((201, b"<html>"), ValueError, None),
    "broken": ((503, b""), OSError, "503"),
    "huge": ((201, b" " * (300 << 10)), OSError, "too long"),
}


@pytest.mark.parametrize("what", NOT_PUSHED)
def test_what_a_provider_answers_to_a_request_instead(site: Site, tmp_path: Path, what: str) -> None:
    site.answers["/par"], wrong, words = NOT_PUSHED[what]
    with pytest.raises(wrong, match=words):
        asyncio.run(push(provider(site, tmp_path)))


@pytest.mark.parametrize("told", [{}, {"pushed_authorization_request_endpoint": None}])
def test_a_provider_that_takes_no_requests_beforehand(site: Site, tmp_path: Path, told: dict[str, Any]) -> None:
    plain = {name: value for name, value in json.loads(site.metadata()).items() if not name.startswith("pushed")}
    site.answers[METADATA] = (200, json.dumps({**plain, **told}).encode())
    assert asyncio.run(provider(site, tmp_path).endpoints()).pushed == ""


def test_a_provider_that_is_away_is_asked_rarely(site: Site, tmp_path: Path) -> None:
    kept, site.answers[METADATA] = site.answers[METADATA], (500, b"")
    passed_s = [0.0]
    create_portal_key(tmp_path / "k")
    asked = OpenIdProvider(site.name, "c", tmp_path / "k", "", production=False, now_s=lambda: passed_s[0])
    for _ in range(5):
        with pytest.raises(OSError, match=r"status 500|just now"):
            asyncio.run(asked.endpoints())
    assert site.asked.count(METADATA) == 1
    site.answers[METADATA] = kept
    passed_s[0] += ASKED_AGAIN_S
    assert asyncio.run(asked.endpoints()) == Endpoints(
        f"{site.name}/auth", f"{site.name}/token", tells_iss=False, pushed=f"{site.name}/par"
    )
    site.answers[METADATA] = (500, b"")
    passed_s[0] += METADATA_S  # what was known holds
    assert asyncio.run(asked.endpoints()).token == f"{site.name}/token"


def test_who_comes_back_is_not_kept_waiting_by_those_who_begin(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecluse.engines.login_provider.QUEUED_S_MAX", 60)  # a slow machine is no matter here

    async def crowd() -> tuple[list[Any], list[str], list[str]]:
        asked = provider(site, tmp_path)
        where = await asked.endpoints()
        begun = [asyncio.create_task(asked.push(where, {})) for _ in range(2 * (PUSHING_MAX + PUSHING_QUEUED_MAX))]
        while site.asked.count("/par") < PUSHING_MAX:
            await asyncio.sleep(0.01)
        back = await asyncio.gather(*(login(asked) for _ in range(2 * BACK_MAX)))
        at_once = site.asked.count("/par")
        site.holds["/par"].set()
        told = await asyncio.gather(*begun, return_exceptions=True)
        return told, back, ["/par"] * at_once

    site.holds["/par"] = threading.Event()
    told, back, pushed = asyncio.run(crowd())
    assert (back, len(pushed)) == (["a.b.c"] * 2 * BACK_MAX, PUSHING_MAX)
    assert told.count(Pushed("urn:x:1", 60)) == PUSHING_MAX + PUSHING_QUEUED_MAX
    assert {type(each) for each in told} == {Pushed, OSError}


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, ""),
        ({"end_session_endpoint": None}, ""),
        ({"end_session_endpoint": "http://psc.example/out"}, "http://psc.example/out"),
        ({"end_session_endpoint": "javascript:alert(1)"}, ""),
        ({"end_session_endpoint": "//psc.example/out"}, ""),
    ],
)
def test_where_a_provider_ends_its_sessions(site: Site, tmp_path: Path, told: dict[str, Any], found: str) -> None:
    site.answers[METADATA] = (200, site.metadata(**told))
    assert asyncio.run(provider(site, tmp_path).endpoints()).end_session == found


def test_metadata_of_another_and_without_tls_are_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not https"):
        asyncio.run(provider(site, tmp_path, production=True).endpoints())
    site.answers[METADATA] = (200, site.metadata(issuer="https://evil.example"))
    with pytest.raises(ValueError, match="another issuer"):
        asyncio.run(provider(site, tmp_path).endpoints())


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{}", b'{"kty": "oct", "k": "AAAA"}', b'{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}'],
)
def test_what_is_no_key_of_a_portal(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "k").write_bytes(content)
    with pytest.raises(Refused, match="portal_key_invalid"):
        public_key_set(tmp_path / "k")


def test_a_key_is_drawn_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "portal.jwk.json"
    assert [create_portal_key(path), create_portal_key(path)] == [True, False]
    assert path.stat().st_mode & 0o777 == 0o600
