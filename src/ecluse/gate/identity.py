"""Who asks: an access token (JWT, RFC 9068) of a trusted issuer becomes an `Account`, or is refused without a hint.

Steps of `verify` (RFC 9068 §4, RFC 8725): 1. size; 2. header: `typ` and an allowed `alg`; 3. issuer known; 4. signature by
a key of that issuer; 5. audience, expiry, not-before; 6. the claims an account is made of. Nothing here reads a clock.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ecluse.kernel.errors import refusal

ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "PS256"]  # asymmetric only; `none` and HMAC never
TYPES = {"at+jwt", "application/at+jwt"}  # RFC 9068 §2.1: an ID token is not an access token
TOKEN_BYTES_MAX = 4096  # a token of ours is under 1 KiB; more is an attempt to make us work
INSURER_SCHEME = "amc"  # `amc:0075123456` is that insurer's own account, whatever else its token says
CLOCK_SKEW_S = 30  # between an issuer's clock and ours
TOLD_CHARS_MAX = 64  # what a token says of its software and session goes into every entry of the journal
LIFETIME_S_MAX = 24 * 3600  # a longer-lived token is a password; the development issuer's are at this limit

UNAUTHENTICATED = refusal(
    "unauthenticated",
    401,
    "No valid access token",
    fix="Send `Authorization: Bearer <access token of a trusted issuer>`.",
)
FORBIDDEN = refusal("forbidden", 403, "This token may not do this", fix="Ask the issuer for the scope this call needs.")


class Account(msgspec.Struct, frozen=True):
    """An authenticated asker. `practice`: the place (FINESS or SIRET); `insurer`: of an insurer's own account (`amc:…`).

    `software`: the client the token was given to; `session`: what the issuer calls this login, or else this token.
    """

    sub: str
    practice: str = ""
    profession: str = ""
    insurer: str = ""
    scopes: frozenset[str] = frozenset()
    expires_ts: int = 0
    software: str = ""
    session: str = ""


class Issuer(msgspec.Struct, frozen=True):
    """A trusted issuer: its name (`iss`), the audience its tokens must carry, and its public keys."""

    name: str
    audience: str
    keys: KeySet


class _Header(msgspec.Struct):
    alg: str
    typ: str = ""
    kid: str = ""


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str | list[str]
    exp: int
    iat: int = 0
    nbf: int = 0
    practice: str = ""
    profession: str = ""
    insurer: str = ""
    scope: str = ""
    client_id: str = ""
    sid: str = ""
    jti: str = ""


def verify(token: str, issuers: Mapping[str, Issuer], now_ts: int) -> Account:
    """The account of a valid token at `now_ts` (Unix seconds). Raises `unauthenticated`, always with the same words."""
    try:
        return _account(token, issuers, now_ts)
    except (JoseError, ValueError, LookupError, TypeError):
        raise UNAUTHENTICATED() from None


def _account(token: str, issuers: Mapping[str, Issuer], now_ts: int) -> Account:
    if len(token) > TOKEN_BYTES_MAX:  # 1
        raise ValueError("too long")
    head, body, _ = token.split(".")
    header = msgspec.json.decode(_unbase64(head), type=_Header)
    if header.typ.lower() not in TYPES or header.alg not in ALGORITHMS:  # 2
        raise ValueError("header")
    claims = msgspec.json.decode(_unbase64(body), type=_Claims)
    issuer = issuers[claims.iss]  # 3: read before it is proved, only to choose the key that proves it
    jwt.decode(token, issuer.keys, algorithms=ALGORITHMS)  # 4
    _check_times(claims, issuer, now_ts)  # 5
    return _of(claims)  # 6


def _check_times(claims: _Claims, issuer: Issuer, now_ts: int) -> None:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if issuer.audience not in audiences:
        raise ValueError("audience")
    if not claims.nbf - CLOCK_SKEW_S <= now_ts < claims.exp:
        raise ValueError("time")
    if claims.iat > now_ts + CLOCK_SKEW_S or claims.exp - max(claims.iat, claims.nbf) > LIFETIME_S_MAX:
        raise ValueError("lifetime")


def _of(claims: _Claims) -> Account:
    if not claims.sub or len(claims.sub) > 128:
        raise ValueError("sub")
    scopes = frozenset(claims.scope.split())
    scheme, _, number = claims.sub.partition(":")
    insurer = number if scheme == INSURER_SCHEME else claims.insurer
    software, session = claims.client_id[:TOLD_CHARS_MAX], (claims.sid or claims.jti)[:TOLD_CHARS_MAX]
    return Account(
        claims.sub, claims.practice, claims.profession, insurer, scopes, claims.exp, software=software, session=session
    )


def _unbase64(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def permit(account: Account, scope: str) -> None:
    """Raise `forbidden` unless the account's token carries `scope`."""
    if scope not in account.scopes:
        raise FORBIDDEN(f"this call needs the scope {scope!r}")


def header_claims(account: Account) -> dict[str, Any]:
    """The claims of a token that would make this account again: for the development issuer."""
    claims = {
        "sub": account.sub,
        "practice": account.practice,
        "profession": account.profession,
        "insurer": account.insurer,
        "client_id": account.software,
        "sid": account.session,
    }
    return {**{name: value for name, value in claims.items() if value}, "scope": " ".join(sorted(account.scopes))}
