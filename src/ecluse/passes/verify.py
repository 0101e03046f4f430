"""Whether a scanned text is a pass that holds now. Pure: keys, instant and what is revoked come in as values.

Steps of `verify`: 1. length, prefix, base45; 2. limits, then deterministic CBOR, then COSE_Sign1; 3. shown live: the half minute
and the holder's signature, then the pass inside; 4. the issuer's key is known and signed it; 5. the claims' forms; 6. dates;
7. the holder who showed it is the one it was issued to. Left to the caller: the status list, the person, the nonce's one use.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ecluse.passes import cose
from ecluse.passes.issued import CONTEXT, Pass, from_text, read_claims
from ecluse.passes.live import Shown, read_shown, shown_pass
from ecluse.passes.refusals import PASS_INVALID

CLOCK_SKEW_S = 60  # between the clock that issued and one that verifies, off line too


class Verified(msgspec.Struct, frozen=True):
    """A pass that holds, the id of the key that signed it, and the presentation when it was shown live."""

    held: Pass
    key_id: bytes
    shown: Shown | None = None


def verify(text: str, issuers: Mapping[bytes, bytes], now_ts: int) -> Verified:
    """The pass that `text` is at `now_ts`. `issuers`: public keys by key id. Raises `pass_invalid`, and nothing else."""
    signed = cose.read(from_text(text))  # 1, 2
    if cose.KID in signed.headers:
        return _issued(signed, issuers, now_ts)
    shown = read_shown(signed, now_ts)  # 3
    found = _issued(cose.read(shown.encoded), issuers, now_ts)
    if not found.held.holder or found.held.holder != shown.holder:  # 7
        raise PASS_INVALID("another holder")
    return Verified(found.held, found.key_id, shown)


def held_in(text: str, issuers: Mapping[bytes, bytes]) -> Verified:
    """The pass in a text, whatever the day and whoever shows it: to show or to revoke it. Raises `pass_invalid`."""
    signed = cose.read(from_text(text))
    return _signed(signed if cose.KID in signed.headers else cose.read(shown_pass(signed)), issuers)


def _issued(signed: cose.Signed, issuers: Mapping[bytes, bytes], now_ts: int) -> Verified:
    found = _signed(signed, issuers)
    if not found.held.not_before_ts - CLOCK_SKEW_S <= now_ts < found.held.expires_ts + CLOCK_SKEW_S:  # 6
        raise PASS_INVALID("not valid now")
    return found


def _signed(signed: cose.Signed, issuers: Mapping[bytes, bytes]) -> Verified:
    key_id = signed.headers.get(cose.KID)
    public = issuers.get(key_id) if isinstance(key_id, bytes) and len(signed.headers) == 2 else None
    if public is None:
        raise PASS_INVALID("issuer unknown, or its key retired")
    signed.check(public, CONTEXT)  # 4
    assert isinstance(key_id, bytes)
    return Verified(read_claims(signed.payload), key_id)  # 5
