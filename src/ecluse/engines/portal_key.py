"""The key by which the hub shows a provider who it is: a P-256 key in one file, of which the provider gets the public half."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ecluse.kernel.errors import refusal

FITS = {"kty": "EC", "crv": "P-256"}

PORTAL_KEY_INVALID = refusal(
    "portal_key_invalid",
    500,
    "The portal's key does not read",
    fix="Make one: `ecluse portal key`; or correct portal.key.",
)


def create_portal_key(path: Path) -> bool:
    """Draw a key into the file, unless there is one; whether it was drawn."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pair = ECKey.generate_key("P-256")
    told = {**pair.as_dict(private=True), "kid": _named(pair), "alg": "ES256", "use": "sig"}
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(told))
    return True


def public_key_set(path: Path) -> dict[str, Any]:
    """The public half, as a JWK Set for the provider. Raises `portal_key_invalid`."""
    try:
        told = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        key = ECKey.import_key(told)
        if {name: told.get(name) for name in FITS} != FITS or not key.is_private:
            raise ValueError("another kind of key")
    except (OSError, ValueError, TypeError, LookupError, JoseError):
        raise PORTAL_KEY_INVALID(f"{path.name} does not read as a private P-256 JWK") from None
    return {"keys": [{**key.as_dict(private=False), "kid": told.get("kid", ""), "alg": "ES256", "use": "sig"}]}


def _named(pair: ECKey) -> str:
    return sha256(pair.thumbprint().encode()).hexdigest()[:16]


def draw() -> str:
    """A secret of 256 bits, as base64url."""
    return secrets.token_urlsafe(32)
