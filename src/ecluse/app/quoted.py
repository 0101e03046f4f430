"""What the journal keeps of a quote under the person's key: its priced lines, without who they are about.

A quote is kept nowhere else. An entry of the journal has a longest size: the first lines that fit are kept, and how many
there were.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from ecluse.app.ports import Keys
from ecluse.claims.claim import Priced, Use
from ecluse.journal.entry import ENTRY_BYTES_MAX

# The other sixteen values of an entry take at most a kilobyte and a half (an account has 128 characters), the seal 46 bytes.
LINES_BYTES_MAX = ENTRY_BYTES_MAX - 2048


class Quoted(msgspec.Struct, frozen=True, array_like=True):
    """The lines that are kept, and how many the quote had."""

    lines: tuple[Priced, ...]
    count: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Quoted).decode


def seal_quote(keys: Keys, insurer: str, person: bytes, quote_id: str, priced: Sequence[Priced]) -> bytes:
    """A quote's lines as the journal holds them: opened by its person's key only, as that quote only."""
    lines = tuple(_nameless(each) for each in priced)
    encoded = _encode(Quoted(lines, len(lines)))
    if len(encoded) > LINES_BYTES_MAX:
        encoded = _encode(Quoted(_that_fit(lines), len(lines)))
    return keys.seal(insurer, encoded, _about(quote_id), person)


def open_quote(keys: Keys, insurer: str, quote_id: str, sealed: bytes) -> Quoted:
    """The quote of `seal_quote`. Raises `insurer_unknown`, `person_forgotten` once its key is gone."""
    return _decode(keys.open(insurer, sealed, _about(quote_id)))


def _nameless(priced: Priced) -> Priced:
    """The line without member and contract numbers, which nothing explains with."""
    return replace(
        priced,
        paid=tuple(replace(each, contract="", member_number="", uses=_unnamed(each.uses)) for each in priced.paid),
    )


def _unnamed(uses: Sequence[Use]) -> tuple[Use, ...]:
    """What was used of each account, without the name it is kept under, which holds the contract's number."""
    return tuple(replace(use, name="") for use in uses)


def _that_fit(lines: Sequence[Priced]) -> tuple[Priced, ...]:
    left = LINES_BYTES_MAX - 16  # the array around the lines, and their number
    for place, line in enumerate(lines):
        left -= len(_encode(line))
        if left < 0:
            return tuple(lines[:place])
    return tuple(lines)


def _about(quote_id: str) -> bytes:
    """What the seal is bound to."""
    return b"quote|1|" + quote_id.encode()
