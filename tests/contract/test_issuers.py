"""Issuers' keys: discovered, rotated, kept through an outage; asked rarely, and nobody who is not configured."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ecluse.engines.issuer_client import IssuerClient, metadata_urls
from ecluse.engines.issuers import ASKED_AGAIN_S, FOLDER, REFRESH_S, WAITING_MAX, Source, TrustedIssuers
from ecluse.gate.identity import Account, Issuer, KeyUnknown, header_claims, verify
from ecluse.kernel.errors import Refused
from tests.tokens import compact, elliptic

OUTAGE_S = 3600
PATHS = {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}


class Provider:
    """An issuer on this machine. `answers`: path → status and body; `asked`: every path that was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        provider = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                status, body = provider.answers.get(self.path, (404, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", f"{provider.name}/jwks")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.name = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.rotate()

    def rotate(self, **metadata: Any) -> None:
        """A new key under a new name; the old one is gone."""
        self.key = elliptic(f"key-{len(self.asked)}-{id(object())}")
        told = {"issuer": self.name, "jwks_uri": f"{self.name}/jwks", **metadata}
        self.answers["/.well-known/openid-configuration"] = 200, json.dumps(told).encode()
        self.answers["/jwks"] = 200, json.dumps({"keys": [self.key.as_dict(private=False)]}).encode()

    def fail(self) -> None:
        for path in self.answers:
            self.answers[path] = 500, b"out of order"

    def token(self, now_ts: int) -> str:
        claims = {"iss": self.name, "aud": "ecluse", "iat": now_ts, "exp": now_ts + 300}
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        return compact(header, {**claims, **header_claims(Account("rpps:1"))}, self.key)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """A provider, a hub's directory, and a clock that tests set."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.provider = Provider()
        self.now_ts = 1_800_000_000
        self.heard: list[str] = []

    def open(self, keys: str = "", *, production: bool = False) -> TrustedIssuers:
        """The hub's issuers, as another process or a later start has them."""
        source = Source(Issuer(self.provider.name, "ecluse", ()), keys, OUTAGE_S)
        client = IssuerClient(production=production)
        return TrustedIssuers(
            [source], self.directory, self._now, client, lambda _, outcome: self.heard.append(outcome)
        )

    def verified(self, issuers: TrustedIssuers, token: str = "") -> bool:
        try:
            verify(token or self.provider.token(self.now_ts), issuers.trusted, self.now_ts)
        except Refused:
            return False
        return True

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ts, UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.provider.stop()


def now(work: Awaitable[bool]) -> bool:
    async def run() -> bool:
        return await work

    return asyncio.run(run())


def test_keys_are_discovered_under_the_issuers_name(world: World) -> None:
    issuers = world.open()
    with pytest.raises(KeyUnknown):
        verify(world.provider.token(world.now_ts), issuers.trusted, world.now_ts)
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)
    assert (world.heard, world.provider.asked) == (["changed"], ["/.well-known/openid-configuration", "/jwks"])


def test_oauths_own_place_for_metadata_is_asked_too(world: World) -> None:
    answers = world.provider.answers
    answers["/.well-known/oauth-authorization-server"] = answers.pop("/.well-known/openid-configuration")
    issuers = world.open()
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)


def test_metadata_is_where_the_standards_put_it() -> None:
    assert metadata_urls("https://psc.example/auth/realms/esante/") == (
        "https://psc.example/auth/realms/esante/.well-known/openid-configuration",
        "https://psc.example/.well-known/oauth-authorization-server/auth/realms/esante",
    )


def test_keys_at_an_address_need_no_discovery(world: World) -> None:
    issuers = world.open(f"{world.provider.name}/jwks")
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)
    assert world.provider.asked == ["/jwks"]


def test_a_new_key_is_asked_for_but_not_at_every_token(world: World) -> None:
    issuers = world.open()
    assert now(issuers.refresh(world.provider.name))
    old = world.provider.token(world.now_ts)
    world.provider.rotate()
    assert not now(issuers.refresh(world.provider.name))
    assert not world.verified(issuers)
    world.now_ts += ASKED_AGAIN_S
    before = issuers.changed
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)
    assert not world.verified(issuers, old)
    assert issuers.changed > before
    assert len(world.provider.asked) == 4


def test_many_who_ask_at_once_are_one_question_and_few_wait(world: World) -> None:
    issuers = world.open()

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*(issuers.refresh(world.provider.name) for _ in range(50)))

    assert sorted(asyncio.run(all_at_once())) == [False] * (50 - WAITING_MAX) + [True] * WAITING_MAX
    assert len(world.provider.asked) == 2


def test_a_start_during_an_outage_knows_the_keys_for_as_long_as_is_said(world: World) -> None:
    now(world.open().refresh(world.provider.name))
    world.provider.fail()
    world.now_ts += OUTAGE_S - 1
    started = world.open()
    assert world.verified(started)
    assert not now(started.refresh(world.provider.name))
    assert world.heard == ["changed", "failed"]
    world.now_ts += 1
    assert not world.verified(started)
    assert not world.verified(world.open())
    world.provider.rotate()
    world.now_ts += ASKED_AGAIN_S
    assert now(started.refresh(world.provider.name))
    assert world.verified(started)


def test_what_is_kept_is_of_this_issuer_and_this_address(world: World) -> None:
    now(world.open().refresh(world.provider.name))
    assert not world.verified(world.open(f"{world.provider.name}/jwks"))
    assert world.verified(world.open())
    [kept] = (world.directory / FOLDER).iterdir()
    world.now_ts -= 1  # fetched tomorrow: the clock went back, or somebody wrote it
    assert not world.verified(world.open())
    world.now_ts += 1
    for spoilt in (b"", b"{}", kept.read_bytes()[:-9], kept.read_bytes().replace(b'"EC"', b'"xx"')):
        kept.write_bytes(spoilt)
        assert not world.verified(world.open())


def test_processes_of_a_hub_ask_once(world: World) -> None:
    one, other = world.open(), world.open()
    now(one.refresh(world.provider.name))

    async def run_for_a_moment() -> None:
        running = asyncio.create_task(other.run())
        while not world.verified(other):
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(run_for_a_moment())
    assert len(world.provider.asked) == 2
    world.now_ts += REFRESH_S
    asyncio.run(run_for_a_moment())


def test_keys_are_asked_for_in_the_background(world: World) -> None:
    issuers = world.open()

    async def run() -> None:
        running = asyncio.create_task(issuers.run())
        while not world.verified(issuers):
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(run())


WRONG: dict[str, dict[str, Any]] = {
    "metadata of another issuer": {"issuer": "https://evil.example"},
    "keys without TLS elsewhere": {"jwks_uri": "http://192.0.2.1/jwks"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "keys nowhere": {"jwks_uri": "jwks"},
    "keys at a broken address": {"jwks_uri": "https://[::1"},
    "keys as a number": {"jwks_uri": 1},
}


@pytest.mark.parametrize("metadata", WRONG.values(), ids=WRONG.keys())
def test_metadata_that_is_wrong_gives_no_keys(world: World, metadata: dict[str, Any]) -> None:
    world.provider.rotate(**metadata)
    issuers = world.open()
    assert not now(issuers.refresh(world.provider.name))
    assert world.heard == ["failed"]
    assert set(world.provider.asked) <= PATHS


@pytest.mark.parametrize(
    "answer", [(200, b"[]"), (200, b'{"keys": {}}'), (200, b" " * (1 << 20)), (302, b""), (500, b"{}"), (200, b"\xff")]
)
def test_keys_that_are_wrong_leave_the_old_ones(world: World, answer: tuple[int, bytes]) -> None:
    issuers = world.open(f"{world.provider.name}/keys")
    world.provider.answers["/keys"] = world.provider.answers["/jwks"]
    assert now(issuers.refresh(world.provider.name))
    world.provider.answers["/keys"] = answer
    world.now_ts += ASKED_AGAIN_S
    assert not now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)
    assert set(world.provider.asked) == {"/keys"}


@pytest.mark.parametrize(
    "answer", [b'{"keys": []}', b'{"keys": [{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}]}']
)
def test_keys_that_are_taken_back_are_believed_no_longer_by_any_process(world: World, answer: bytes) -> None:
    issuers, other = world.open(f"{world.provider.name}/keys"), world.open(f"{world.provider.name}/keys")
    world.provider.answers["/keys"] = world.provider.answers["/jwks"]
    assert now(issuers.refresh(world.provider.name))
    assert now(other.refresh(world.provider.name))
    assert world.verified(other)
    world.provider.answers["/keys"] = 200, answer
    world.now_ts += REFRESH_S
    assert now(issuers.refresh(world.provider.name))
    assert now(other.refresh(world.provider.name))
    assert not any(world.verified(each) for each in (issuers, other, world.open(f"{world.provider.name}/keys")))
    world.provider.answers["/keys"] = world.provider.answers["/jwks"]
    world.now_ts += ASKED_AGAIN_S
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)


def test_a_file_is_read_again_when_it_changes(world: World) -> None:
    file = world.directory / "jwks.json"
    file.write_bytes(world.provider.answers["/jwks"][1])
    issuers, token = world.open("jwks.json"), world.provider.token(world.now_ts)

    async def run() -> None:
        running = asyncio.create_task(issuers.run())
        for content, outcome, is_verified in ((b"{", "failed", True), (b'{"keys": []}', "changed", False)):
            file.write_bytes(content)
            while world.heard[-1:] != [outcome]:
                await asyncio.sleep(0.01)
            assert world.verified(issuers, token) is is_verified
        running.cancel()

    asyncio.run(asyncio.wait_for(run(), 20))
    assert world.heard == ["failed", "changed"]


def test_production_speaks_tls_only(world: World) -> None:
    assert not now(world.open(production=True).refresh(world.provider.name))
    assert not world.provider.asked


def test_a_file_is_read_again_when_a_new_key_is_named(world: World) -> None:
    file = world.directory / "jwks.json"
    file.write_bytes(world.provider.answers["/jwks"][1])
    issuers = world.open("jwks.json")
    assert world.verified(issuers)
    world.provider.rotate()
    file.write_bytes(world.provider.answers["/jwks"][1])
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)
    file.write_bytes(b"{")
    with pytest.raises(Refused, match="jwks_unreadable"):
        world.open("jwks.json")


def test_a_clock_that_goes_back_holds_no_question_up(world: World) -> None:
    issuers = world.open()
    assert now(issuers.refresh(world.provider.name))
    world.now_ts -= 3600
    world.provider.rotate()
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)


def test_keys_that_cannot_be_kept_are_believed_all_the_same(world: World) -> None:
    (world.directory / FOLDER).write_text("a file where the folder should be")
    issuers = world.open()
    assert now(issuers.refresh(world.provider.name))
    assert world.verified(issuers)
