"""Who asks, and from where: what of a request tells who sent it, taken from its headers for `app/asker.py`.

Headers that a proxy writes are read only when the settings name them; two of the same name are one too many. The cookie of a
portal's session is read where there is a portal, and only of a request of its own page's; an `Authorization` goes before it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

from litestar.types import Scope

from ecluse.app.asker import Askers
from ecluse.gate.admission import Request
from ecluse.gate.challenge import INVALID_TOKEN, UNAUTHENTICATED, Challenged
from ecluse.gate.holder import SESSION, Sent
from ecluse.gate.network import network_of
from ecluse.gate.portal.session import SESSION_COOKIE, Session, check_no_page, check_own_site

SCHEMES = {"bearer", "dpop"}

Headers = dict[bytes, list[bytes]]


class Door:
    """Hears who asks. `address_header`, `certificate_header`: where the proxy in front writes the client's address and
    certificate, empty when there is none. `public_url`: scheme, host and port under which clients know the hub; None: as the
    request says, which a proxy changes. `has_portal`: whether cookies are read."""

    def __init__(
        self,
        askers: Askers,
        *,
        public_url: str | None = None,
        address_header: str = "",
        certificate_header: str = "",
        has_portal: bool = False,
    ) -> None:
        self._askers = askers
        self._has_portal = has_portal
        self._public_url = public_url
        self._address_header = address_header.lower().encode()
        self._certificate_header = certificate_header.lower().encode()

    async def asked(self, scope: Scope) -> Request:
        """The request of whoever sent this, under the id that `front.py` gave it. Raises `unauthenticated`…"""
        headers = headers_of(scope)
        seen = cast("dict[str, Any]", scope)
        try:
            who = await self._askers.recognise(self._sent(scope, headers))
        except Challenged as challenged:
            seen["dpop_nonce"] = challenged.nonce
            raise
        seen["dpop_nonce"] = who.nonce
        return Request(who.account, seen["request_id"], self._network(scope, headers))

    def session(self, scope: Scope) -> tuple[Session, str]:
        """The session of whose cookie this is, and that cookie; a token opens nothing here. Raises `unauthenticated`…"""
        headers = headers_of(scope)
        token = cookie(headers, SESSION_COOKIE)
        seen = cast("dict[str, Any]", scope)
        if not token:
            raise UNAUTHENTICATED()
        try:
            found, who = self._askers.session(self._of_browser(scope, headers, token))
        except Challenged as challenged:
            seen["dpop_nonce"] = challenged.nonce
            raise
        seen["dpop_nonce"] = who.nonce
        return found, token

    def check_own(self, scope: Scope) -> None:
        """Raise `cross_site` unless a page of the hub's own sent this."""
        headers = headers_of(scope)
        origin, site = only(headers, b"origin"), only(headers, b"sec-fetch-site")
        check_own_site(str(scope.get("method", "")), self._origin(scope, headers), origin, site)

    def check_no_page(self, scope: Scope) -> None:
        """Raise `cross_site` when a browser sent this."""
        headers = headers_of(scope)
        check_no_page(only(headers, b"origin"), only(headers, b"sec-fetch-site"))

    def origin(self, scope: Scope) -> str:
        """Scheme, host and port under which this was asked for."""
        return self._origin(scope, headers_of(scope))

    def _sent(self, scope: Scope, headers: Headers) -> Sent:
        if self._has_portal and b"authorization" not in headers and (token := cookie(headers, SESSION_COOKIE)):
            return self._of_browser(scope, headers, token)
        scheme, _, token = only(headers, b"authorization").partition(" ")
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
            certificate=only(headers, self._certificate_header) if self._certificate_header else "",
        )

    def _of_browser(self, scope: Scope, headers: Headers, token: str) -> Sent:
        self.check_own(scope)
        method = str(scope.get("method", ""))
        proofs = tuple(each.decode("latin-1") for each in headers[b"dpop"])
        return Sent(SESSION, token, method, self._url(scope, headers) if proofs else "", proofs)

    def _url(self, scope: Scope, headers: Headers) -> str:
        path = cast("dict[str, Any]", scope).get("raw_path") or scope["path"].encode()
        return self._origin(scope, headers) + path.partition(b"?")[0].decode("latin-1")

    def _origin(self, scope: Scope, headers: Headers) -> str:
        if self._public_url is None:
            return f"{scope.get('scheme', 'http')}://{only(headers, b'host')}"
        return self._public_url

    def _network(self, scope: Scope, headers: Headers) -> str:
        if self._address_header:
            return network_of(only(headers, self._address_header))
        client = scope.get("client")
        return network_of(client[0]) if client else ""


def headers_of(scope: Scope) -> Headers:
    """The headers of a request, by name in small letters."""
    headers: Headers = defaultdict(list)
    for name, value in scope["headers"]:
        headers[name].append(value)
    return headers


def cookie(headers: Headers, name: str) -> str:
    """The cookie's value; empty when there is none, or two of that name."""
    said = (each.decode("latin-1").split(";") for each in headers[b"cookie"])
    pairs = [each.strip().partition("=") for some in said for each in some]
    found = [value for called, _, value in pairs if called == name]
    return found[0] if len(found) == 1 else ""


def only(headers: Headers, name: bytes) -> str:
    """The header's value; empty when there is none, or when there are two and nobody can say which is meant."""
    found = headers[name]
    return found[0].decode("latin-1") if len(found) == 1 else ""
