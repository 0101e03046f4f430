"""Who asks, and from where: the bearer token of a request becomes an `Account`, the client's address a network.

Verified tokens are remembered by their hash until they expire, and so is what they say of software and session.

A verification costs 85 µs, about as much as a whole rights check.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

from litestar.types import Scope

from ecluse.app.ports import Clock
from ecluse.gate.admission import Request
from ecluse.gate.identity import UNAUTHENTICATED, Account, Issuer, verify
from ecluse.gate.network import network_of

REMEMBERED_MAX = 100_000  # accounts of a large hub asking at once; about 50 MB

_BEARER = b"Bearer "


class Door:
    """Recognises askers. `address_header`: where the proxy in front writes the client's address; empty when there is none."""

    def __init__(self, issuers: Mapping[str, Issuer], clock: Clock, address_header: str = "") -> None:
        self._issuers = issuers
        self._clock = clock
        self._address_header = address_header.lower().encode()
        self._known: dict[bytes, Account] = {}

    def asked(self, scope: Scope) -> Request:
        """The request of whoever sent this, under the id that `front.py` gave it. Raises `unauthenticated`."""
        account = self.account(_header(scope, b"authorization"))
        return Request(account, cast("dict[str, Any]", scope)["request_id"], self._network(scope))

    def _network(self, scope: Scope) -> str:
        if self._address_header:
            return network_of(_header(scope, self._address_header).decode("latin-1"))
        client = scope.get("client")
        return network_of(client[0]) if client else ""

    def account(self, authorization: bytes) -> Account:
        """The account behind this `Authorization` header. Raises `unauthenticated`."""
        if not authorization.startswith(_BEARER):
            raise UNAUTHENTICATED()
        token = authorization[len(_BEARER) :]
        fingerprint = sha256(token).digest()
        now_ts = int(self._clock.now().timestamp())
        known = self._known.get(fingerprint)
        if known is None:
            known = self._remember(fingerprint, verify(token.decode("latin-1"), self._issuers, now_ts))
        if now_ts >= known.expires_ts:
            raise UNAUTHENTICATED()
        return known

    def _remember(self, fingerprint: bytes, account: Account) -> Account:
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[fingerprint] = account
        return account


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for each, value in scope["headers"] if each == name), b"")
