"""CBOR (RFC 8949) as passes use it: whole numbers, bytes, text, arrays, maps; no tag; deterministic.

The limits are looked at before anything is made of the bytes. Who reads something in another form than the one it would be
written in (§4.2.1: shortest heads, sorted keys, none twice) refuses it: a pass has one form.
"""

from __future__ import annotations

from typing import Any

import cbor2

from ecluse.passes.refusals import PASS_INVALID

DEPTH_MAX = 2  # an array with a map in it: nothing of ours nests deeper
ITEMS_MAX = 64  # the longest of ours has 17

_, _, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)
_CHILDREN = {_ARRAY: 1, _MAP: 2}  # items inside for each one that the head counts
_FOLLOWING = {24: 1, 25: 2, 26: 4, 27: 8}  # additional information of a head → bytes of its number (§3)


def write(value: Any) -> bytes:
    """The deterministic bytes of a value."""
    return cbor2.dumps(value, canonical=True)


def read(encoded: bytes) -> Any:
    """The value of `write`. Raises `pass_invalid` for what is outside the limits, or could be written otherwise."""
    _check_limits(encoded)
    try:
        value = cbor2.loads(encoded)
        same = write(value) == encoded
    except (cbor2.CBORError, ValueError, TypeError):
        raise PASS_INVALID("not CBOR") from None
    if not same:
        raise PASS_INVALID("not deterministic")
    return value


def _check_limits(encoded: bytes) -> None:
    """Walk over the heads without making anything: depth, items, and an end where the bytes end."""
    at, items, left = 0, 0, [1]
    while left:
        if not left[-1]:
            left.pop()
            continue
        left[-1] -= 1
        major, number, at = _head(encoded, at)
        items += 1
        if major in (_BYTES, _TEXT):
            at += number
        elif major in _CHILDREN:
            left.append(number * _CHILDREN[major])
        if items > ITEMS_MAX or len(left) > DEPTH_MAX + 1:
            raise PASS_INVALID("past the limits")
    if at != len(encoded):
        raise PASS_INVALID("bytes left over")


def _head(encoded: bytes, at: int) -> tuple[int, int, int]:
    """Major type and number of the head at `at`, and where it ends."""
    if at >= len(encoded):
        raise PASS_INVALID("cut short")
    major, number = encoded[at] >> 5, encoded[at] & 31
    if major >= _TAG or number > 27:  # tags, floats, true, null; what has no length of its own
        raise PASS_INVALID("not in the profile")
    if number < 24:
        return major, number, at + 1
    end = at + 1 + _FOLLOWING[number]
    return major, int.from_bytes(encoded[at + 1 : end]), end
