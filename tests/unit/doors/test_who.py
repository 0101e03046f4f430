"""What the door takes from a request's headers, and what it does not believe."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ecluse.app.asker import Recognised
from ecluse.doors.http.who import Door
from ecluse.gate.challenge import USE_NONCE, Challenged
from ecluse.gate.holder import Sent
from ecluse.gate.identity import Account
from ecluse.kernel.errors import Refused


class Listening:
    """In the place of `Askers`: remembers what was sent, and says it is somebody."""

    def __init__(self, nonce: str = "", refused: Refused | None = None) -> None:
        self.heard: list[Sent] = []
        self._nonce, self._refused = nonce, refused

    async def recognise(self, sent: Sent) -> Recognised:
        self.heard.append(sent)
        if self._refused:
            raise self._refused
        return Recognised(Account("rpps:1"), self._nonce)


def scope(*headers: tuple[str, str]) -> Any:
    plain = [("authorization", "DPoP token"), ("dpop", "proof"), ("host", "inside:8400"), *headers]
    return {
        "type": "http", "method": "POST", "scheme": "http", "path": "/v1/é", "raw_path": b"/v1/%C3%A9",
        "headers": [(name.encode(), value.encode()) for name, value in plain],
        "client": ("192.0.2.7", 1), "request_id": "req_1",
    }  # fmt: skip


def heard(asked: Any, **settings: Any) -> Sent:
    askers = Listening()
    asyncio.run(Door(askers, **settings).asked(asked))  # type: ignore[arg-type]
    return askers.heard[0]


@pytest.mark.parametrize(
    ("public_url", "url"),
    [("https://hub.test", "https://hub.test/v1/%C3%A9"), (None, "http://inside:8400/v1/%C3%A9"), ("", "/v1/%C3%A9")],
)
def test_the_address_is_the_public_one(public_url: str | None, url: str) -> None:
    assert heard(scope(("x-forwarded-host", "evil.example")), public_url=public_url).url == url


@pytest.mark.parametrize(
    ("setting", "headers", "believed"),
    [
        ("", [("x-client-certificate", "own")], ""),
        ("X-Client-Certificate", [], ""),
        ("X-Client-Certificate", [("x-client-certificate", "own")], "own"),
        ("X-Client-Certificate", [("client-cert", "own"), ("x_client_certificate", "own")], ""),
        ("X-Client-Certificate", [("x-client-certificate", "own"), ("x-client-certificate", "another")], ""),
    ],
)
def test_a_certificate_is_believed_in_the_one_header_that_is_set(
    setting: str, headers: list[tuple[str, str]], believed: str
) -> None:
    assert heard(scope(*headers), certificate_header=setting).certificate == believed


def test_every_proof_is_seen() -> None:
    assert heard(scope(("dpop", "another"))).proofs == ("proof", "another")


@pytest.mark.parametrize("header", ["", "DPoP", "DPoP ", "Basic dTpw", "Token x", "Bearer"])
def test_what_is_no_token_is_not_even_looked_at(header: str) -> None:
    asked = scope()
    asked["headers"][0] = (b"authorization", header.encode())
    askers = Listening()
    with pytest.raises(Refused, match="unauthenticated"):
        asyncio.run(Door(askers).asked(asked))  # type: ignore[arg-type]
    assert not askers.heard


def test_a_nonce_is_told_with_the_answer_and_with_the_refusal() -> None:
    asked = scope()
    asyncio.run(Door(Listening("next")).asked(asked))  # type: ignore[arg-type]
    assert asked["dpop_nonce"] == "next"
    refused = Challenged(USE_NONCE, {}, nonce="first")
    with pytest.raises(Challenged):
        asyncio.run(Door(Listening(refused=refused)).asked(asked))  # type: ignore[arg-type]
    assert asked["dpop_nonce"] == "first"
