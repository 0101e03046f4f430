"""Askers of the rights bench whose token is bound: to a certificate that the proxy passes on, or to a key that proves itself.

Proofs are signed before a round, each for one request: the load generator would be slower than the hub if it signed.
"""

from __future__ import annotations

import http.client
import json
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from ecluse.gate.certificate import of_pem
from ecluse.gate.identity import Account
from ecluse.wiring import open_hub

HEADER = "X-Client-Certificate"
HOST = "bench"  # what bench/load.py says it asks
KINDS = (
    "bearer",
    "mtls",
    "dpop",
    "dpop-rsa",
)  # a key of P-256, as most clients draw; one of RSA is verified in a third of the time
SETTINGS = {"mtls": {"ECLUSE_HTTP_CERTIFICATE_HEADER": HEADER}}


class Bound:
    """One login of one of `KINDS`, for the hub in `directory` that answers on this machine's `port`."""

    def __init__(self, kind: str, directory: Path, port: int, path: str) -> None:
        self._port, self._path = port, path
        self._is_proved = kind.startswith("dpop")
        self._own, account = "", Account("rpps:10000000001", "370000028", scopes=frozenset({"rights"}))
        if kind == "mtls":
            pem = _certificate()
            self._own, account = f"{HEADER}: {quote(pem)}", replace(account, certificate=of_pem(pem))
        elif self._is_proved:
            self._key, self._prove = _prover(kind)
            account = replace(account, jkt=self._key.thumbprint())
        with warnings.catch_warnings(action="ignore"), open_hub(directory) as hub:
            self._token = hub.development_issuer().token(account, int(time.time()))

    @property
    def authorization(self) -> str:
        """The header that all its requests have."""
        return f"{'DPoP' if self._is_proved else 'Bearer'} {self._token}"

    def lines(self, bodies: list[bytes], requests: int) -> list[bytes]:
        """What bench/load.py reads: each request's own header, a tab, its body; `requests` of them where each is proved."""
        if not self._is_proved:
            return [self._own.encode() + b"\t" + body for body in bodies]
        nonce = self._nonce(bodies[0])
        return [f"DPoP: {self._proof(nonce)}\t".encode() + bodies[number % len(bodies)] for number in range(requests)]

    def _proof(self, nonce: str | None) -> str:
        url = f"http://{HOST}{self._path}"
        made: str = self._prove(
            self._key, method="POST", url=url, token=self._token, now_ts=int(time.time()), nonce=nonce
        )
        return made

    def _nonce(self, body: bytes) -> str:
        """What the hub tells who has none."""
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        own: dict[str, Any] = {"Host": HOST, "Authorization": self.authorization, "DPoP": self._proof(None)}
        line.request("POST", self._path, body, {**own, "Content-Type": "application/json"})
        answer = line.getresponse()
        told = answer.getheader("DPoP-Nonce")
        assert told, json.loads(answer.read())
        return told


# What only the source has is imported where it is used: an installed bench measures bearer tokens.
def _certificate() -> str:
    from tests.certificates import certificate

    return certificate().certificate.decode()


def _prover(kind: str) -> tuple[Any, Any]:
    """A key, and what signs a proof with it."""
    from tests.tokens import elliptic, proof, rsa

    return rsa("a client's") if kind == "dpop-rsa" else elliptic(), proof
