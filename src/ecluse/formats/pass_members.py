"""The list of members an insurer wants passes for: CSV in UTF-8 with a header, one person a row.

Columns: `member_number`, `nir`, `birth_date`, `birth_rank`; `holder_key` may be there: the public key of the member's own
application (Ed25519, 32 bytes in hexadecimal), without which the pass cannot be shown live.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from ecluse.formats.feed.file import RowRefusal
from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.ids import birth_date, birth_rank, member_number, nir

COLUMNS = ("member_number", "nir", "birth_date", "birth_rank")
HOLDER = "holder_key"
FILE_BYTES_MAX = 256 << 20  # some four million people; it is read in memory
FIELD_CHARS_MAX = 64  # the longest is the key

_KEY = re.compile(r"[0-9a-f]{64}")

PASS_FILE_INVALID = refusal(
    "pass_file_invalid",
    422,
    "This is not a list of members",
    fix="Send CSV in UTF-8 with the columns member_number, nir, birth_date, birth_rank and, if wanted, holder_key.",
)
HOLDER_KEY_INVALID = refusal(
    "holder_key_invalid",
    400,
    "This is not a holder's key",
    fix="Write the 32 bytes of Ed25519 as 64 hexadecimal digits.",
)


class Wanted(msgspec.Struct, frozen=True):
    """One person a pass is wanted for. `line` counts from 1, header included."""

    line: int
    member_number: str
    nir: str
    birth_date: str
    birth_rank: int
    holder: bytes = b""


def read_members(content: bytes) -> Iterator[Wanted | RowRefusal]:
    """The rows, each read or refused. Raises `pass_file_invalid` for what is no such list."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = next(rows, [])
        if len(set(header)) != len(header) or not set(COLUMNS) <= set(header) <= {*COLUMNS, HOLDER}:
            raise PASS_FILE_INVALID("wrong columns")
        for values in rows:
            if values:
                yield _row(rows.line_num, dict(zip(header, values, strict=False)), len(values) == len(header))
    except (UnicodeDecodeError, csv.Error):
        raise PASS_FILE_INVALID() from None


def read_member(line: int, values: dict[str, str]) -> Wanted:
    """One person. Raises `member_number_invalid`, `nir_invalid`, `birth_date_invalid`, `birth_rank_invalid`,
    `holder_key_invalid`; the pointer is the column."""
    holder, rank = values.get(HOLDER, ""), values["birth_rank"] or "1"
    if holder and not _KEY.fullmatch(holder):
        raise HOLDER_KEY_INVALID(pointer=f"/{HOLDER}")
    return Wanted(
        line,
        member_number(values["member_number"], pointer="/member_number"),
        nir(values["nir"], pointer="/nir"),
        birth_date(values["birth_date"], pointer="/birth_date"),
        birth_rank(int(rank) if rank.isascii() and rank.isdigit() and len(rank) < 3 else 0, pointer="/birth_rank"),
        bytes.fromhex(holder),
    )


def _row(line: int, values: dict[str, str], whole: bool) -> Wanted | RowRefusal:
    try:
        if not whole or any(len(value) > FIELD_CHARS_MAX for value in values.values()):
            raise PASS_FILE_INVALID("this row has other fields than the header")
        return read_member(line, values)
    except Refused as refused:
        return RowRefusal(line, (refused.pointer or "/")[1:], refused.code, refused.detail, refused.fix)
