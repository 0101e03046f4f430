"""Codes that are none, brought back by who began a login for it: they take every place towards the provider for a while."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ecluse.engines.login_provider import BACK_MAX
from tests.browser import LOGIN, Browser
from tests.journeys.site import DOCTOR, PRACTICE, Site
from tests.tokens import compact, elliptic

ROUNDS = 5  # on a slow machine the hub waits no longer for the first codes when the last ones come, and has a place


class Provider:
    """A provider that takes its time with a code that is none. A good code is the nonce of its login."""

    def __init__(self) -> None:
        self.key, self.waiting, self.answers = elliptic("p1"), 0, threading.Event()
        provider = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                me = provider.name
                metadata = {"issuer": me, "authorization_endpoint": f"{me}/auth", "token_endpoint": f"{me}/token"}
                keys = {"keys": [provider.key.as_dict(private=False)]}
                self._say(200, {**metadata, "jwks_uri": f"{me}/jwks"} if "well-known" in self.path else keys)

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                if form["code"] == ["junk"]:
                    provider.waiting += 1
                    provider.answers.wait(30)
                    return self._say(400, {"error": "invalid_grant"})
                return self._say(200, {"id_token": provider.token(form["code"][0])})

            def _say(self, status: int, told: dict[str, Any]) -> None:
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.name = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def token(self, nonce: str) -> str:
        now = int(time.time())
        said = {"iss": self.name, "sub": DOCTOR, "aud": "ecluse", "iat": now, "exp": now + 300, "nonce": nonce}
        more = {"auth_time": now, "practice": PRACTICE}
        return compact({"alg": "ES256", "kid": "p1"}, {**said, **more}, self.key)

    def answer(self) -> None:
        """Answer those that wait."""
        held, self.answers, self.waiting = self.answers, threading.Event(), 0
        held.set()

    def stop(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.stop()


def test_codes_that_are_none_keep_out_nobody_who_is_on_the_way_back(provider: Provider, tmp_path: Path) -> None:
    trusted = {"name": provider.name, "audience": "x", "subjects": ["rpps"]}
    hub = Site(
        tmp_path / "hub",
        ECLUSE_ISSUERS=json.dumps([trusted]),
        ECLUSE_PORTAL_ISSUER=provider.name,
        ECLUSE_PORTAL_CLIENT_ID="ecluse",
    )
    hub.run("init", str(hub.directory))
    hub.run("portal", "key")
    hub.start()
    try:
        with httpx.Client(timeout=30) as client, ThreadPoolExecutor(BACK_MAX) as many:
            for _ in range(ROUNDS):
                junk = [Browser(client, hub.url) for _ in range(BACK_MAX)]
                sent = [many.submit(each.back, callback(each, code="junk")) for each in junk]
                while provider.waiting < BACK_MAX:
                    time.sleep(0.02)
                honest = Browser(client, hub.url)
                url = callback(honest)
                page = honest.back(url, accept="text/html")
                provider.answer()
                assert {each.result().json()["code"] for each in sent} <= {"login_refused", "login_provider_silent"}
                if page.status_code == 503:
                    break
            assert (page.status_code, page.headers["refresh"]) == (503, "3")
            assert "Votre identification attend" in page.text
            assert LOGIN in honest.cookies
            assert "#ath=" in honest.back(url).headers["location"]
    finally:
        hub.stop()


def callback(browser: Browser, code: str = "") -> str:
    """Where a provider would lead this browser back to, from a login it begins."""
    led = parse_qs(urlsplit(browser.leave()).query)
    return f"{browser.hub}/portal/callback?state={led['state'][0]}&code={code or led['nonce'][0]}"
