"""Public keys: what is one, and what is left aside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey

from ecluse.gate.signature import KEY_SET_BYTES_MAX, public_key, read_key_set, take_apart
from tests.tokens import rsa

ELLIPTIC = ECKey.generate_key("P-256")
PUBLIC = ELLIPTIC.as_dict(private=False)
RSA = rsa("ours").as_dict(private=False)

NO_KEYS: dict[str, dict[str, Any]] = {
    "empty": {},
    "private": ELLIPTIC.as_dict(private=True),
    "private RSA": rsa("ours").as_dict(private=True),
    "symmetric": OctKey.generate_key(256).as_dict(private=True),
    "symmetric without its secret": {"kty": "oct"},
    "RSA of 1024 bits": rsa("ours", 1024).as_dict(private=False),
    "RSA of 16 384 bits": {**RSA, "n": "_" * 2731},
    "RSA with a huge exponent": {**RSA, "e": RSA["n"]},
    "another curve": ECKey.generate_key("P-384").as_dict(private=False),
    "Bitcoin's curve": ECKey.generate_key("secp256k1").as_dict(private=False),
    "another Edwards curve": OKPKey.generate_key("Ed448").as_dict(private=False),
    "for agreement": OKPKey.generate_key("X25519").as_dict(private=False),
    "not on its curve": {**PUBLIC, "y": PUBLIC["x"]},
    "half of it": {"kty": "EC", "crv": "P-256", "x": PUBLIC["x"]},
    "for encryption": {**PUBLIC, "use": "enc"},
    "to sign with only": {**PUBLIC, "key_ops": ["sign"]},
    "for another algorithm": {**PUBLIC, "alg": "ES384"},
    "for HMAC": {**PUBLIC, "alg": "HS256"},
    "for none": {**PUBLIC, "alg": "none"},
    "a list for a type": {**PUBLIC, "kty": ["EC"]},
}


@pytest.mark.parametrize("jwk", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_what_is_no_key_is_left_aside(jwk: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        public_key(jwk)
    [kept] = read_key_set(json.dumps({"keys": [jwk, {**PUBLIC, "kid": "good"}]}).encode())
    assert kept.kid == "good"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": [1]}',
        b" " * KEY_SET_BYTES_MAX + b"{}",
    ],
)
def test_what_is_no_set_of_keys(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        read_key_set(raw)


@pytest.mark.parametrize("raw", [b'{"keys": []}', b'{"keys": [{}]}'])
def test_a_set_may_have_no_key(raw: bytes) -> None:
    assert read_key_set(raw) == ()


@pytest.mark.parametrize(
    "text", ["", "a", "a.b", "a.b.c.d", "YQ.YQ.YR", "YQ.YR.YQ", "YQ.Y Q.YQ", "YQ.+A.YQ", "YQ.é.YQ", "YQ.YQ=.YQ"]
)
def test_a_text_is_written_in_one_way(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        take_apart(text)
