"""The OpenID provider of the portal, asked over HTTPS: where it listens, what it calls a request that is pushed, and the ID token
for a code.

The hub proves who it is by a signed assertion (`private_key_jwt`: RFC 7523, OpenID Connect Core §9, `aud` the issuer alone as
FAPI 2.0 §5.3.3.1 has it); with a shared secret (`client_secret_basic`) only where a provider has nothing better. Access and
refresh tokens that come with the ID token are not read. Nothing of what is sent or heard is logged.
"""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from ecluse.app.ports.portal import Endpoints
from ecluse.engines.few import Few
from ecluse.engines.issuer_client import HEADERS, IssuerClient, answered, new_client
from ecluse.gate.portal.login import Pushed

METADATA_S = 600  # as keys: an endpoint that moved is followed
ASKED_AGAIN_S = 10  # after it did not answer: whoever comes meanwhile is told so at once
BACK_MAX, PUSHING_MAX = (
    8,
    4,
)  # codes that are exchanged at once, and requests that are pushed: anybody may begin a login, and
BACK_QUEUED_MAX, PUSHING_QUEUED_MAX = (
    12,
    4,
)  # whoever comes back from one has places of their own. With those who queue, 28 of the 64
QUEUED_S_MAX = 2.0  # that a worker handles: practice software must not wait behind them. A provider answers in 200 ms
ASSERTION_S = 60  # it is made for one request
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class _Metadata(msgspec.Struct):
    authorization_endpoint: str
    token_endpoint: str
    authorization_response_iss_parameter_supported: bool = False
    pushed_authorization_request_endpoint: str | None = None
    end_session_endpoint: str | None = None


class _Error(msgspec.Struct):
    error: str


class _Tokens(msgspec.Struct):
    id_token: str


class OpenIdProvider:
    """The `Provider` port. `key`: the file of the client's private key (a JWK), read at each login; `secret`: used instead
    of it when it is not empty."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        key: Path,
        secret: str,
        *,
        production: bool,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._key = key
        self._secret = secret
        self._production = production
        self._known: Endpoints | None = None
        self._now_s = now_s
        self._due_s = now_s()
        self._back = Few(BACK_MAX, BACK_QUEUED_MAX, QUEUED_S_MAX)
        self._pushing = Few(PUSHING_MAX, PUSHING_QUEUED_MAX, QUEUED_S_MAX)

    async def endpoints(self) -> Endpoints:
        """Its metadata, asked for every ten minutes; those of before while it does not answer."""
        if self._now_s() >= self._due_s:
            self._due_s = self._now_s() + ASKED_AGAIN_S  # by one request, while the others have what there is
            try:
                self._known = await self._discovered()
            except (OSError, ValueError):
                if self._known is None:
                    raise
            else:
                self._due_s = self._now_s() + METADATA_S
        if self._known is None:
            raise OSError("it did not answer just now")
        return self._known

    def place(self) -> AbstractAsyncContextManager[None]:
        """A place to exchange a code in."""
        return self._back.place()

    async def _discovered(self) -> Endpoints:
        raw = await IssuerClient(production=self._production).metadata(self._issuer)
        told = msgspec.json.decode(raw, type=_Metadata)
        if not self._may_lead(told.authorization_endpoint):
            raise ValueError("its authorization endpoint is not https")
        end_session = told.end_session_endpoint or ""
        return Endpoints(
            told.authorization_endpoint,
            told.token_endpoint,
            told.authorization_response_iss_parameter_supported,
            told.pushed_authorization_request_endpoint or "",
            end_session if self._may_lead(end_session) else "",  # nobody's login depends on it
        )

    def _may_lead(self, url: str) -> bool:
        """Whether a browser may be sent there."""
        return url.startswith("https://" if self._production else ("https://", "http://"))

    async def push(self, endpoints: Endpoints, asked: Mapping[str, str]) -> Pushed:
        """What the provider calls a request from now on."""
        async with self._pushing.place():
            status, got = await self._asked(endpoints.pushed, asked)
        if status != httpx.codes.CREATED:  # RFC 9126 §2.2
            raise ValueError(_reason(got))
        return msgspec.json.decode(got, type=Pushed)

    async def id_token(self, endpoints: Endpoints, code: str, verifier: str, redirect_uri: str) -> str:
        """The ID token for a code, asked for in a place."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        status, got = await self._asked(endpoints.token, form)
        if status != httpx.codes.OK:
            raise ValueError(f"status {status}")
        return msgspec.json.decode(got, type=_Tokens).id_token

    async def _asked(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """The status and body of what the hub asks under its own name."""
        headers = dict(HEADERS)
        if self._secret:
            headers["authorization"] = _basic(self._client_id, self._secret)
        else:
            shown = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion()}
            form = {**form, "client_id": self._client_id, **shown}
        status, got = await self._posted(url, headers, form)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise OSError(f"status {status}")
        return status, got

    async def _posted(self, url: str, headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[int, bytes]:
        async with new_client() as client:
            return await answered(client, "POST", url, headers, production=self._production, form=form)

    def _assertion(self) -> str:
        """A text that shows, once and for a minute, that the hub asks."""
        key = ECKey.import_key(msgspec.json.decode(self._key.read_bytes()))
        now_ts = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now_ts,
            "exp": now_ts + ASSERTION_S,
        }
        return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key, algorithms=["ES256"])


def _reason(got: bytes) -> str:
    """The `error` of a refusal (RFC 6749 §5.2); empty when it says none."""
    try:
        return msgspec.json.decode(got, type=_Error).error
    except ValueError:
        return ""


def _basic(name: str, secret: str) -> str:
    """RFC 6749 §2.3.1: both are form-encoded before they are joined."""
    return "Basic " + b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
