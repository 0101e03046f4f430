"""A login by OpenID Connect, seen from the hub: what is asked of the provider, and what may come back. Pure.

Authorization code with PKCE (RFC 6749 §4.1, RFC 7636 S256), OpenID Connect Core 1.0 §3.1, `iss` of the answer (RFC 9207), in
the habits of FAPI 2.0; pushed beforehand (RFC 9126) where the provider takes that. What comes back is taken only by the browser
that began, once, and soon:

1. one `state` and one login cookie, together those of a login that was begun (asked of the store, which forgets it);
2. begun within `LOGIN_S_MAX`;
3. `iss` is the provider's: it must be there when the provider says that it sends it;
4. a code, or else the provider let nobody in.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

import msgspec

from ecluse.gate.identity import CLOCK_SKEW_S, HASH_CHARS
from ecluse.gate.portal.refusals import LOGIN_DECLINED, LOGIN_REFUSED
from ecluse.gate.signature import unbase64

LOGIN_S_MAX = 600  # to find a phone, a card and its code
SECRET_CHARS = 43  # 256 bits as base64url: states, nonces, verifiers, cookies
CODE_CHARS_MAX = 2_048  # providers that keep nothing put a whole token in it
REQUEST_URI_CHARS_MAX = 2_048  # the same; others send a URN of 80 characters
PUSH_ERRORS = frozenset(  # RFC 6749 §4.1.2.1 and §5.2, RFC 9126 §2.3, RFC 8707 §2: words, never about anybody
    {
        "access_denied",
        "invalid_client",
        "invalid_redirect_uri",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "request_not_supported",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unmet_authentication_requirements",
        "unsupported_response_type",
    }
)
PRINTED = frozenset(map(chr, range(0x21, 0x7F)))  # what a URI may be written with, and a little more


class Client(msgspec.Struct, frozen=True):
    """The hub as the provider knows it, and what it asks for: `acr_values`, the levels that are enough (none: any);
    `pushed_required`: whether nobody is sent there whose request was not pushed before."""

    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]
    pushed_required: bool = False


class Begun(msgspec.Struct, frozen=True):
    """A login under way. `jkt`: the key the browser made for its session; `redirect_uri`: where it comes back;
    `replaced`: the hash of the session this browser has (empty: none), which ends when the new one begins."""

    nonce: str
    verifier: str
    jkt: str
    redirect_uri: str
    begun_ts: int
    is_step_up: bool = False
    replaced: bytes = b""


class Back(msgspec.Struct, frozen=True):
    """What a browser came back with; empty where it was not there, or was there twice."""

    state: str = ""
    code: str = ""
    iss: str = ""
    error: str = ""


def fingerprint(secret: str) -> bytes:
    """What is kept of a secret that a browser has: enough to know it again."""
    return sha256(secret.encode()).digest()


def is_thumbprint(text: str) -> bool:
    """Whether this can be the RFC 7638 thumbprint of a key."""
    try:
        return len(text) == HASH_CHARS and len(unbase64(text)) == sha256().digest_size
    except ValueError:
        return False


class Pushed(msgspec.Struct, frozen=True):
    """What a provider calls a request that was pushed, and for how many seconds (RFC 9126 §2.2)."""

    request_uri: str
    expires_in: int


def request_of(client: Client, begun: Begun, state: str) -> dict[str, str]:
    """What is asked of the provider. A step-up has the person log in again, whoever is logged in there (OpenID Connect
    Core §3.1.2.1)."""
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": begun.redirect_uri,
        "scope": " ".join(client.scopes),
        "state": state,
        "nonce": begun.nonce,
        "code_challenge": _challenge(begun.verifier),
        "code_challenge_method": "S256",
    }
    if client.acr_values:
        asked["acr_values"] = " ".join(client.acr_values)
    if begun.is_step_up:
        asked |= {"prompt": "login", "max_age": "0"}
    return asked


def carried(client: Client, pushed: Pushed) -> dict[str, str]:
    """All that is left for the browser to carry of a request that was pushed (RFC 9126 §4). Raises `ValueError` for a name that
    is none, or holds no more."""
    if pushed.expires_in <= 0:
        raise ValueError("expired")
    if not 0 < len(pushed.request_uri) <= REQUEST_URI_CHARS_MAX or not PRINTED.issuperset(pushed.request_uri):
        raise ValueError("request_uri")
    return {"client_id": client.client_id, "request_uri": pushed.request_uri}


def led_to(endpoint: str, parameters: Mapping[str, str]) -> str:
    """Where the browser is sent."""
    return endpoint + ("&" if urlsplit(endpoint).query else "?") + urlencode(parameters)


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def came_back(given: Mapping[str, list[str]]) -> Back:
    """The parameters of an answer; one that is there twice is not there (RFC 6749 §3.1)."""
    told = {name: values[0] for name, values in given.items() if len(values) == 1}
    return Back(**{name: told.get(name, "") for name in Back.__struct_fields__})


def check_back(back: Back, begun: Begun, issuer: str, *, tells_iss: bool, now_ts: int) -> str:
    """The code that came back for a login that was begun. Raises `login_refused`, `login_declined`."""
    if not -CLOCK_SKEW_S <= now_ts - begun.begun_ts < LOGIN_S_MAX:  # 2
        raise LOGIN_REFUSED()
    if back.iss != issuer and (back.iss or tells_iss):  # 3
        raise LOGIN_REFUSED()
    if back.error:  # 4
        raise LOGIN_DECLINED()
    if not 0 < len(back.code) <= CODE_CHARS_MAX:
        raise LOGIN_REFUSED()
    return back.code
