"""Openings as the people concerned hear of them, through their insurer: what names one, and how far a list of them was read.

An opening is the first disclosure of a person to an account by what the card says (`gate/allowance.py`), with or without a pass.
Its id follows from the journal alone, so it is the same after every loss and a repeat is recognised.

A cursor says, shard by shard of the journal, up to which entry an insurer was told. Shards are only ever added to, so whatever
was not told yet stands past it: nothing is skipped, whatever is written meanwhile (docs/decisions/0025).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated

import msgspec

from ecluse.kernel.days import month_before
from ecluse.kernel.errors import refusal

AT_MAX = 1 << 62  # entries of a shard: more than any database counts places in
CURSOR_CHARS_MAX = 4096  # two months of 64 writers; what is longer none of ours wrote
ID_PREFIX, ID_BYTES = "opn_", 16
_ID_END = re.compile(r"[0-9A-HJKMNP-TV-Z]{20}")  # as `Ids` draws them

CURSOR_INVALID = refusal(
    "cursor_invalid",
    400,
    "This cursor is none of this hub's",
    fix="Send the `cursor` of the last answer as it was, or leave it out to begin at the beginning.",
)


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """How far each shard was told, in entries. Shards of months before `since` (as 2026-11) that are not named: wholly."""

    since: str = ""
    at: dict[str, Annotated[int, msgspec.Meta(ge=0, le=AT_MAX)]] = {}

    def start(self, shard: str) -> int | None:
        """The first entry of a shard that was not told yet; None when all of it was."""
        if shard in self.at:
            return self.at[shard]
        return None if shard[: len(self.since)] < self.since else 0


class Reached(msgspec.Struct, frozen=True):
    """How far a shard was told now; `is_whole`: nothing will ever come after."""

    at: int
    is_whole: bool


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Cursor).decode


def opening_message(account: str, person: bytes) -> bytes:
    """What an opening's id is a keyed digest of: person and account, so that every later look has the same."""
    return b"opening|1|" + person + account.encode()


def id_text(id_: bytes) -> str:
    """An opening's id as it is told."""
    return ID_PREFIX + id_.hex()


def read_id(text: str) -> bytes | None:
    """The id that was told so; None for what is none."""
    digits = text.removeprefix(ID_PREFIX)
    if not text.startswith(ID_PREFIX) or len(digits) != 2 * ID_BYTES or not digits.isascii():
        return None
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


def advanced(before: Cursor, reached: Mapping[str, Reached]) -> Cursor:
    """The cursor past these shards. What is wholly told and older than the month before the newest is left out: a hub's clock
    is not set back by a month, and the cursor stays short."""
    newest = max((shard[:7] for shard in reached), default="")
    since = max(before.since, month_before(newest)) if newest else before.since
    at = {
        shard: each.at
        for shard, each in sorted(reached.items())
        if before.start(shard) is not None and not (each.is_whole and shard[:7] < since)
    }
    return Cursor(since, at)


def write_cursor(cursor: Cursor) -> str:
    """The cursor as it is told."""
    return base64.urlsafe_b64encode(_encode(cursor)).decode().rstrip("=")


def check_cursor(cursor: str, *prefixes: str) -> None:
    """Raise `cursor_invalid` unless a page could have ended with it: nothing, or an id that begins with one of these."""
    if cursor and not (cursor.startswith(prefixes) and _ID_END.fullmatch(cursor[4:])):
        raise CURSOR_INVALID(pointer="/cursor")


def read_cursor(text: str) -> Cursor:
    """The cursor that was told so; the beginning for nothing. Raises `cursor_invalid`."""
    if not text:
        return Cursor()
    try:
        if len(text) > CURSOR_CHARS_MAX:
            raise ValueError("too long")
        return _decode(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        raise CURSOR_INVALID(pointer="/after") from None
