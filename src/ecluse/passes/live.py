"""A pass shown by its holder now: the pass, the half minute, a number used once, and the signature of the holder's key.

A photograph of it is worth nothing a minute and a half later, and nothing at all once the hub has accepted it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ecluse.passes import cbor, cose
from ecluse.passes.issued import thumbprint
from ecluse.passes.refusals import PASS_INVALID

CONTEXT = b"ecluse/live/1"  # the external data of the holder's signature
WINDOW_S = 30  # how long one code stands on the screen
WINDOWS_NEAR = (
    1  # the half minute before and the one after are accepted: scanning takes time, and telephones' clocks err
)
NONCE_BYTES = 8

_PASS, _WINDOW, _NONCE, _KEY = range(1, 5)
_FORMS: dict[int, tuple[type, int]] = {  # key in the map → type, bytes (0: any)
    _PASS: (bytes, 0),
    _WINDOW: (int, 0),
    _NONCE: (bytes, NONCE_BYTES),
    _KEY: (bytes, cose.KEY_BYTES),
}


class Shown(msgspec.Struct, frozen=True):
    """One presentation, its holder's signature verified: the pass's bytes, the half minute's number, the nonce."""

    encoded: bytes
    window: int
    nonce: bytes
    holder: bytes


def window_of(now_ts: int) -> int:
    """The number of the half minute since 1970."""
    return now_ts // WINDOW_S


def show(encoded: bytes, now_ts: int, nonce: bytes, holder: bytes, sign: cose.Sign) -> bytes:
    """The bytes of a presentation of the pass `encoded`, signed by the holder whose public key is `holder`."""
    payload = {_PASS: encoded, _WINDOW: window_of(now_ts), _NONCE: nonce, _KEY: holder}
    return cose.sign1({}, cbor.write(payload), CONTEXT, sign)


def shown_pass(signed: cose.Signed) -> bytes:
    """The bytes of the pass in a presentation, whenever it was made. Raises `pass_invalid`."""
    encoded: bytes = _claims(signed)[_PASS]
    return encoded


def read_shown(signed: cose.Signed, now_ts: int) -> Shown:
    """A presentation made about now, signed by the key it names. Raises `pass_invalid`."""
    claims = _claims(signed)
    if abs(claims[_WINDOW] - window_of(now_ts)) > WINDOWS_NEAR:
        raise PASS_INVALID("not shown now")
    signed.check(claims[_KEY], CONTEXT)
    return Shown(claims[_PASS], claims[_WINDOW], claims[_NONCE], thumbprint(claims[_KEY]))


def _claims(signed: cose.Signed) -> dict[int, Any]:
    claims = cbor.read(signed.payload)
    if not isinstance(claims, dict) or claims.keys() != _FORMS.keys() or not all(map(_in_form, claims.items())):
        raise PASS_INVALID("presentation")
    return claims


def _in_form(claim: tuple[int, Any]) -> bool:
    value, (kind, length) = claim[1], _FORMS[claim[0]]
    return type(value) is kind and (not isinstance(value, bytes) or length in (0, len(value)))
