"""Tokens and proofs as a client or a forger writes them: whatever header and claims, signed by whatever key."""

from __future__ import annotations

import base64
import hmac
import json
from functools import cache
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry

from ecluse.gate.signature import base64url


def compact(header: dict[str, Any], claims: Any, key: Key | bytes | None, algorithm: str = "") -> str:
    """A compact JWS by the header's own `alg`, or by `algorithm`; HS256 with bytes; without a key unsigned. Unchecked."""
    message = f"{_part(header)}.{_part(claims)}"
    if isinstance(key, bytes):
        signature = hmac.digest(key, message.encode(), "sha256")
    else:
        signature = JWSRegistry.algorithms[algorithm or header["alg"]].sign(message.encode(), key) if key else b""
    return f"{message}.{base64url(signature)}"


def proof(key: Key, *, method: str, url: str, token: str, now_ts: int, header: dict[str, Any] | None = None,
          algorithm: str = "", **claims: Any) -> str:  # fmt: skip
    """A DPoP proof (RFC 9449 §4.2); `None` leaves a member out."""
    own = algorithm or {"EC": "ES256", "OKP": "Ed25519", "RSA": "PS256"}.get(key.key_type, "HS256")
    head = {"typ": "dpop+jwt", "alg": own, "jwk": key.as_dict(private=False), **(header or {})}
    said = {"jti": token_urlsafe(12), "htm": method, "htu": url, "iat": now_ts}
    said |= {"ath": base64url(sha256(token.encode()).digest()), **claims}
    return compact(_told(head), _told(said), key, own)


def respelt(text: str) -> str:
    """The same bytes in another base64: the last character has bits that nobody should read."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


def elliptic(kid: str = "") -> ECKey:
    """A fresh P-256 key."""
    return ECKey.generate_key("P-256", parameters={"kid": kid} if kid else None)


@cache
def rsa(whose: str, bits: int = 2048) -> RSAKey:
    """Somebody's RSA key, made once a process: one takes a twentieth of a second."""
    return RSAKey.generate_key(bits)


def named(key: RSAKey, kid: str) -> RSAKey:
    """The same key under a name."""
    return RSAKey.import_key(key.as_dict(private=True), parameters={"kid": kid})


def _told(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
