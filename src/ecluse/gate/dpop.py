"""Proofs that the sender has the key a token is bound to: the checks of RFC 9449 §4.3 that need no memory, in its order.

1. one header; 2. a well-formed JWT; 3. every claim that is needed; 4. `typ`; 5. `alg` allowed; 6. signature by the key in `jwk`;
7. no private part in it; 8. `htm`; 9. `htu`; 10. `nonce`; 11. `iat` in its window; 12. `ath`, and the key is the token's (asked
before 6: a thief's key is not worth a signature check). That a proof was not seen before is asked of a store afterwards
(`app/ports/proofs.py`), so that only good proofs take room there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec
from msgspec import UNSET

from ecluse.gate.signature import (
    ALGORITHMS,
    PublicKey,
    base64url,
    check_signature,
    public_key,
    read_json,
    take_apart,
    unbase64,
)

TYPE = "dpop+jwt"
PROOF_BYTES_MAX = 4096  # with a key of RSA 4096 it is 2 KiB
JTI_CHARS = range(8, 128 + 1)  # RFC 9449 §4.2 asks for 96 bits of chance or a UUID: 8 is far below
AGE_S_MAX = 60  # of a proof; it is made for one request
AHEAD_S_MAX = 30  # clocks of practices are not exact; as for tokens
NONCE_S = 120  # a nonce is given for as long, and taken for as long again
NONCE_BYTES = 16
URLS_REMEMBERED_MAX = 1024  # calls without an identifier in their path are a dozen; short texts
KEYS_REMEMBERED_MAX = 10_000  # of clients that ask in a day; some 2 kB each


class Proof(msgspec.Struct, frozen=True):
    """A proof that holds, except that its nonce and its reuse are not checked yet. `jkt`: thumbprint of its key (RFC 7638)."""

    jkt: str
    jti: str
    iat_ts: int
    nonce: str

    @property
    def until_ts(self) -> int:
        """From when it is too old to be taken, seen or not."""
        return self.iat_ts + AGE_S_MAX + 1


class Secrets(msgspec.Struct, frozen=True):
    """What nonces are keyed by: the secret of this period, then that of the one before."""

    current: bytes
    previous: bytes


class _Header(msgspec.Struct):
    typ: str
    alg: str
    jwk: dict[str, Any]
    crit: Any = UNSET


class _Claims(msgspec.Struct):
    jti: str
    htm: str
    htu: str
    iat: int
    ath: str
    nonce: str = ""


def read_proof(sent: Sequence[str], *, method: str, url: str, token: str, jkt: str, now_ts: int) -> Proof:
    """The proof among the `DPoP` headers of a request for `url` (without query) with this token, which is bound to the key
    with the thumbprint `jkt`. Raises `ValueError`, `LookupError` or `TypeError` for any other."""
    [text] = sent  # 1
    if len(text) > PROOF_BYTES_MAX:
        raise ValueError("too long")
    signed = take_apart(text)  # 2
    algorithm, key, thumbprint = _key(signed.header)  # 4, 5, 7
    if thumbprint != jkt:  # 12
        raise ValueError("another key's")
    claims = read_json(signed.payload, _Claims)  # 3
    check_signature(signed, algorithm, key)  # 6
    if claims.htm != method or not same_url(claims.htu, url):  # 8, 9
        raise ValueError("another request's")
    if not -AHEAD_S_MAX <= now_ts - claims.iat <= AGE_S_MAX:  # 11
        raise ValueError("not now")
    if claims.ath != base64url(sha256(token.encode("ascii")).digest()):  # 12
        raise ValueError("another token's")
    if len(claims.jti) not in JTI_CHARS:
        raise ValueError("jti")
    return Proof(jkt, claims.jti, claims.iat, claims.nonce)


@lru_cache(KEYS_REMEMBERED_MAX)
def _key(header: str) -> tuple[str, PublicKey, str]:
    """Algorithm, key and thumbprint of a proof's header: the same for every proof of a client, and half of the work."""
    read = read_json(unbase64(header), _Header)
    if read.typ != TYPE or read.alg not in ALGORITHMS or read.crit is not UNSET:
        raise ValueError("header")
    key = public_key(read.jwk)
    return read.alg, key, key.key.thumbprint()


@lru_cache(KEYS_REMEMBERED_MAX)
def nonce(secret: bytes, jkt: str) -> str:
    """The nonce of a period for one key: nobody else's serves, and nothing has to be remembered (RFC 9449 §8)."""
    return base64url(blake2b(jkt.encode(), key=secret, digest_size=NONCE_BYTES).digest())


def nonce_state(proof: Proof, secrets: Secrets) -> str:
    """`current`, `previous` (good, but a new one should be told), `absent` or `wrong`: check 10."""
    if not proof.nonce:
        return "absent"
    given = proof.nonce.encode()
    for name, secret in (("current", secrets.current), ("previous", secrets.previous)):
        if compare_digest(given, nonce(secret, proof.jkt).encode()):
            return name
    return "wrong"


def same_url(one: str, other: str) -> bool:
    """Whether two URLs are the same once normalised (RFC 3986 §6.2.2, §6.2.3), query and fragment left aside. Raises
    `ValueError` for what is no URL."""
    return normal(one) == normal(other)


HEX = frozenset("0123456789abcdefABCDEF")


@lru_cache(URLS_REMEMBERED_MAX)
def normal(url: str) -> str:
    """Scheme, host, port and path in the one normal form. Raises `ValueError` for what is no `http` URL of a server."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("no URL of a server")
    port = {"http": 80, "https": 443}[parts.scheme] if parts.port is None else parts.port
    path = quote(_unreserved(parts.path), safe="%/:@!$&'()*+,;=~-._") or "/"
    return f"{parts.scheme}://{parts.hostname}:{port}{_without_dots(path)}"


def _unreserved(path: str) -> str:
    """Percent-encoded letters, digits and `-._~` as themselves, other escapes in capitals: `%2F` is not `/`."""
    first, *escaped = path.split("%")
    return first + "".join(_escape(each) for each in escaped)


def _escape(text: str) -> str:
    if not set(text[:2]) <= HEX or len(text) < 2:  # no escape: left as it is
        return "%" + text
    letter = unquote("%" + text[:2])
    plain = letter.isascii() and (letter.isalnum() or letter in "-._~")
    return (letter if plain else "%" + text[:2].upper()) + text[2:]


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    ends_in_dots = path.endswith(("/.", "/.."))
    return "/" + "/".join(kept) + ("/" if ends_in_dots and kept else "")
