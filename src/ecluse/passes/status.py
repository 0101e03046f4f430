"""Which passes of an issuer are revoked: one bit for each index, compressed, signed and dated, as a file anybody may take.

The shape is that of the Token Status List (draft-ietf-oauth-status-list) in its CWT form: claims `sub`, `iat`, `exp`, `ttl` and
`status_list` with one bit each, index 0 in the lowest bit of the first byte; DEFLATE in the ZLIB format (RFC 1950, 1951).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from ecluse.passes import cbor, cose
from ecluse.passes.issued import INDEX_MAX
from ecluse.passes.refusals import PASS_INVALID

MEDIA_TYPE = "application/statuslist+cwt"
CONTEXT = b""  # none, so that any reader of status lists verifies it; the type in the header keeps it apart from passes
LASTS_S = 86_400  # a pharmacy's computer takes one a day
AGAIN_S = 3_600  # who is on line takes it each hour
BITS_MIN = 2**20  # never shorter: how many passes an insurer has is nobody's business, and compressed it is a kilobyte
BITS_MAX = INDEX_MAX + 1
FILE_BYTES_MAX = 32 << 20  # of random bits, nothing is saved: 16 MiB, and some

_SUB, _EXP, _IAT = 2, 4, 6  # RFC 8392
_STATUS_LIST, _TTL = 65533, 65534
_BITS, _LIST = "bits", "lst"


class StatusList(msgspec.Struct, frozen=True):
    """A list as it was read: of which key, made when, good until when, and its bits."""

    key_id: bytes
    made_ts: int
    until_ts: int
    bits: bytes

    def revoked(self, index: int) -> bool:
        """Whether this index is revoked; one that the list has not is, too: the list is older than the pass, or not its own."""
        at, place = divmod(index, 8)
        return at >= len(self.bits) or bool(self.bits[at] >> place & 1)


def subject(key_id: bytes) -> str:
    """What the list says it is about."""
    return f"urn:ecluse:passes:{key_id.hex()}"


def write_list(revoked: Iterable[int], size: int, now_ts: int, key_id: bytes, sign: cose.Sign) -> bytes:
    """The signed file: `size` indexes (a multiple of 8), those `revoked`, made at `now_ts`."""
    bits = bytearray(size // 8)
    for index in revoked:
        bits[index // 8] |= 1 << index % 8
    claims = {
        _SUB: subject(key_id),
        _EXP: now_ts + LASTS_S,
        _IAT: now_ts,
        _STATUS_LIST: {_BITS: 1, _LIST: zlib.compress(bytes(bits), 9)},
        _TTL: AGAIN_S,
    }
    return cose.sign1({cose.KID: key_id, cose.TYP: MEDIA_TYPE}, cbor.write(claims), CONTEXT, sign)


def read_list(encoded: bytes, public: bytes) -> StatusList:
    """The list of `write_list`, signed by this key. Raises `pass_invalid`; whether it is still good is for the caller to see."""
    if len(encoded) > FILE_BYTES_MAX:
        raise PASS_INVALID("status list")
    signed = cose.read(encoded)
    key_id = signed.headers.get(cose.KID)
    signed.check(public, CONTEXT)
    claims = cbor.read(signed.payload)
    if signed.headers.get(cose.TYP) != MEDIA_TYPE or not isinstance(claims, dict) or not isinstance(key_id, bytes):
        raise PASS_INVALID("status list")
    times = (claims.get(_IAT), claims.get(_EXP))
    if claims.get(_SUB) != subject(key_id) or [type(each) for each in times] != [int, int]:
        raise PASS_INVALID("status list")
    return StatusList(key_id, claims[_IAT], claims[_EXP], _inflated(claims.get(_STATUS_LIST)))


def _inflated(listed: Any) -> bytes:
    """The bits, never more than the longest list has."""
    if not isinstance(listed, dict) or listed.get(_BITS) != 1 or not isinstance(listed.get(_LIST), bytes):
        raise PASS_INVALID("status list")
    inflating = zlib.decompressobj()
    try:
        bits = inflating.decompress(listed[_LIST], BITS_MAX // 8)
    except zlib.error:
        raise PASS_INVALID("status list") from None
    if not inflating.eof or inflating.unused_data:
        raise PASS_INVALID("status list")
    return bits
