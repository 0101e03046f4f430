"""A signed text (compact JWS, RFC 7515) taken apart once and strictly, and the public keys that may have signed it.

What is verified is exactly the bytes that are read: there is no second parser to disagree with, and one text per signature
(base64url without padding, in its only canonical form). Keys are public, asymmetric and large enough, or they are no keys.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.jws import JWSRegistry

# Algorithm → the type and curve of a key that fits it. Asymmetric only; `none` and HMAC never (RFC 8725 §3.1).
FITTING: dict[str, tuple[str, str]] = {
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),  # RFC 9864's name for it
    "ES256": ("EC", "P-256"),
    "PS256": ("RSA", ""),
    "RS256": ("RSA", ""),  # for an issuer that has nothing better, and says so in its settings
}
ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "PS256")  # FAPI 2.0 §5.4.1; what is believed unless settings say otherwise
PRIVATE = frozenset(
    {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)  # RFC 7518 §6: a JWK with one of them is no public key
RSA_BITS = range(2048, 8192 + 1)  # RFC 7518 §3.5; above, one check costs what thousands of others do
RSA_EXPONENT_BYTES_MAX = 4  # 65537 needs three; a huge one makes a check slow
KEYS_MAX = 64  # of one issuer; rotation needs two or three
KEY_SET_BYTES_MAX = 256 << 10


_Read = TypeVar("_Read")


class PublicKey(msgspec.Struct, frozen=True):
    """A key, what its owner calls it, and the algorithms it may be used with."""

    kid: str
    algorithms: frozenset[str]
    key: Key


class Signed(msgspec.Struct, frozen=True):
    """A compact JWS in its parts. `header`: the JSON still encoded, as it was signed; `payload`: decoded."""

    header: str
    payload: bytes
    message: bytes
    signature: bytes


def take_apart(text: str) -> Signed:
    """The parts of a compact JWS. Raises `ValueError` for all that is not written in the canonical way."""
    header, payload, signature = text.split(".")
    return Signed(header, unbase64(payload), f"{header}.{payload}".encode("ascii"), unbase64(signature))


def unbase64(part: str) -> bytes:
    """base64url without padding, as RFC 7515 §2 writes it. Raises `ValueError` for any other writing of the same bytes."""
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64url(raw) != part:  # Python skips foreign characters and spare bits
        raise ValueError("not canonical")
    return raw


def read_json(raw: bytes, kind: type[_Read]) -> _Read:
    """The JSON of a header or of claims. Raises `ValueError` for what does not read as `kind`, brackets without end among it."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except RecursionError:
        raise ValueError("too deep") from None


def base64url(raw: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def check_signature(signed: Signed, algorithm: str, key: PublicKey) -> None:
    """Raise `ValueError` unless this key made the signature by this algorithm."""
    if algorithm not in key.algorithms or not _VERIFYING[algorithm].verify(signed.message, signed.signature, key.key):
        raise ValueError("signature")


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """A JWK (RFC 7517) as a key that verifies. Raises `ValueError` for a private, symmetric, small or foreign one."""
    if PRIVATE & jwk.keys():
        raise ValueError("private part")
    fitting = {name for name, shape in FITTING.items() if shape == (jwk.get("kty"), jwk.get("crv", ""))}
    if jwk.get("alg") is not None:
        fitting &= {str(jwk["alg"])}
    if not fitting or jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise ValueError("does not verify")
    if jwk["kty"] == "RSA":
        _check_rsa(jwk)
    plain = {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
    try:
        return PublicKey(str(jwk.get("kid", "")), frozenset(fitting), import_key(plain))
    except JoseError as wrong:
        raise ValueError("does not import") from wrong


def _check_rsa(jwk: Mapping[str, Any]) -> None:
    modulus = int.from_bytes(unbase64(str(jwk.get("n"))))
    if modulus.bit_length() not in RSA_BITS or len(unbase64(str(jwk.get("e")))) > RSA_EXPONENT_BYTES_MAX:
        raise ValueError("RSA size")


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def read_key_set(raw: bytes) -> tuple[PublicKey, ...]:
    """The keys of a JWK Set (RFC 7517 §5) that verify; others are left aside. None may be left: its owner took them back. Raises
    `ValueError` for what is no JWK Set."""
    if len(raw) > KEY_SET_BYTES_MAX:
        raise ValueError("too long")
    found = []
    for jwk in read_json(raw, _KeySet).keys[:KEYS_MAX]:
        try:
            found.append(public_key(jwk))
        except (ValueError, TypeError):
            continue  # §5: keys of types or uses that are not understood are ignored
    return tuple(found)


_VERIFYING = {name: JWSRegistry.algorithms[name] for name in FITTING}
