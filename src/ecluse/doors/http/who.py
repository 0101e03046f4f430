"""Who asks, and from where: what of a request tells who sent it, taken from its headers for `app/asker.py`.

Headers that a proxy writes are read only when the settings name them; two of the same name are one too many.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

from litestar.types import Scope

from ecluse.app.asker import Askers
from ecluse.gate.admission import Request
from ecluse.gate.challenge import INVALID_TOKEN, UNAUTHENTICATED, Challenged
from ecluse.gate.holder import Sent
from ecluse.gate.network import network_of

SCHEMES = {"bearer", "dpop"}

Headers = dict[bytes, list[bytes]]


class Door:
    """Hears who asks. `address_header`, `certificate_header`: where the proxy in front writes the client's address and
    certificate, empty when there is none. `public_url`: scheme, host and port under which clients know the hub; None: as the
    request says, which a proxy changes."""

    def __init__(
        self, askers: Askers, *, public_url: str | None = None, address_header: str = "", certificate_header: str = ""
    ) -> None:
        self._askers = askers
        self._public_url = public_url
        self._address_header = address_header.lower().encode()
        self._certificate_header = certificate_header.lower().encode()

    async def asked(self, scope: Scope) -> Request:
        """The request of whoever sent this, under the id that `front.py` gave it. Raises `unauthenticated`…"""
        headers: Headers = defaultdict(list)
        for name, value in scope["headers"]:
            headers[name].append(value)
        seen = cast("dict[str, Any]", scope)
        try:
            who = await self._askers.recognise(self._sent(scope, headers))
        except Challenged as challenged:
            seen["dpop_nonce"] = challenged.nonce
            raise
        seen["dpop_nonce"] = who.nonce
        return Request(who.account, seen["request_id"], self._network(scope, headers))

    def _sent(self, scope: Scope, headers: Headers) -> Sent:
        scheme, _, token = _only(headers, b"authorization").partition(" ")
        if not token:
            raise UNAUTHENTICATED()
        if scheme.lower() not in SCHEMES:
            raise Challenged(UNAUTHENTICATED, INVALID_TOKEN)
        proofs = tuple(each.decode("latin-1") for each in headers[b"dpop"])
        return Sent(
            scheme=scheme.lower(),
            token=token,
            method=str(scope.get("method", "")),
            url=self._url(scope, headers) if proofs else "",
            proofs=proofs,
            certificate=_only(headers, self._certificate_header) if self._certificate_header else "",
        )

    def _url(self, scope: Scope, headers: Headers) -> str:
        path = cast("dict[str, Any]", scope).get("raw_path") or scope["path"].encode()
        origin = self._public_url
        if origin is None:
            origin = f"{scope.get('scheme', 'http')}://{_only(headers, b'host')}"
        return origin + path.partition(b"?")[0].decode("latin-1")

    def _network(self, scope: Scope, headers: Headers) -> str:
        if self._address_header:
            return network_of(_only(headers, self._address_header))
        client = scope.get("client")
        return network_of(client[0]) if client else ""


def _only(headers: Headers, name: bytes) -> str:
    """The header's value; empty when there is none, or when there are two and nobody can say which is meant."""
    found = headers[name]
    return found[0].decode("latin-1") if len(found) == 1 else ""
