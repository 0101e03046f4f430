"""COSE_Sign1 (RFC 9052 §4.2) with EdDSA (RFC 9053 §2.2, Ed25519 only): a payload, who signed it, the signature.

`context` is the external data of the signature (§4.3): bytes signed for one purpose never pass for another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ecluse.passes import cbor
from ecluse.passes.refusals import PASS_INVALID

ALG, KID, TYP = 1, 4, 16  # header parameters: RFC 9052 §3.1, RFC 9596
EDDSA = -8
TAG = b"\xd2"  # 18, the only tag of a pass: it stands in front, and nowhere else
KEY_BYTES, SIGNATURE_BYTES = 32, 64

Sign = Callable[[bytes], bytes]


class Signed(msgspec.Struct, frozen=True):
    """A COSE_Sign1 taken apart, not verified. `header`: the protected one, as bytes and as a map."""

    header: bytes
    headers: dict[int, Any]
    payload: bytes
    signature: bytes

    def check(self, public: bytes, context: bytes) -> None:
        """Raise `pass_invalid` unless the holder of this Ed25519 key signed it for this purpose."""
        try:
            signed = to_be_signed(self.header, self.payload, context)
            Ed25519PublicKey.from_public_bytes(public).verify(self.signature, signed)
        except (InvalidSignature, ValueError):
            raise PASS_INVALID("signature") from None


def to_be_signed(header: bytes, payload: bytes, context: bytes) -> bytes:
    """The Sig_structure (RFC 9052 §4.4)."""
    return cbor.write(["Signature1", header, context, payload])


def sign1(headers: dict[int, Any], payload: bytes, context: bytes, sign: Sign) -> bytes:
    """A tagged COSE_Sign1; nothing stands in its unprotected header."""
    header = cbor.write({ALG: EDDSA, **headers})
    return TAG + cbor.write([header, {}, payload, sign(to_be_signed(header, payload, context))])


def read(encoded: bytes) -> Signed:
    """A COSE_Sign1 of `sign1`, not verified yet. Raises `pass_invalid`."""
    if not encoded.startswith(TAG):
        raise PASS_INVALID("not COSE_Sign1")
    parts = cbor.read(encoded[len(TAG) :])
    if not isinstance(parts, list) or [type(each) for each in parts] != [bytes, dict, bytes, bytes]:
        raise PASS_INVALID("not COSE_Sign1")
    header, unprotected, payload, signature = parts
    headers = cbor.read(header)
    if unprotected or not isinstance(headers, dict) or headers.get(ALG) != EDDSA or len(signature) != SIGNATURE_BYTES:
        raise PASS_INVALID("not COSE_Sign1")
    return Signed(header, dict(headers), payload, signature)
