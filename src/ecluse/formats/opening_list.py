"""Openings as their insurer reads them: CSV (RFC 4180), one line an opening, in clear only inside an age envelope.

`opening` is the id to answer "not me" with: two lines with the same one are the same opening, told twice.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

import msgspec

from ecluse.exposure.shown import field_bits
from ecluse.kernel.errors import Refusal, refusal

FEED_BYTES_MAX = 1 << 30  # a page has 1 000 lines, 225 kB; a file of all of a year's has some millions

OPENINGS_INVALID = refusal(
    "openings_invalid",
    422,
    "This is not a list of openings",
    fix="Give the CSV that `ecluse exposure open` or age made of a page of GET /v1/openings, as it is.",
)
SETTLED_INVALID = refusal(
    "settled_invalid",
    422,
    "This is not a list of settled claims",
    fix="Send CSV in UTF-8 with the columns member_number, birth_date, birth_rank, practice, on (day of care, YYYY-MM-DD).",
)

Member = tuple[str, str, int]  # number, birth date, rank


class OpeningRow(msgspec.Struct, frozen=True, array_like=True):
    """One opening. `member_number` and `birth_date` are `unknown`, `birth_rank` 0, for a person forgotten since.

    `opened_at`: RFC 3339, UTC, to the second; `profession`: as the account's last token said it, empty when nothing did;
    `practice`: FINESS or SIRET; `fields`: names of what was told, separated by spaces; `presence`: typed, pass, live.
    """

    opening: str
    member_number: str
    birth_date: str
    birth_rank: int
    reference: str
    opened_at: str
    profession: str
    practice: str
    operation: str
    fields: str
    presence: str


COLUMNS = OpeningRow.__struct_fields__


def openings_as_csv(rows: Iterable[OpeningRow]) -> bytes:
    """The list: UTF-8, comma, header, CRLF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(msgspec.structs.astuple, rows))
    return text.getvalue().encode()


def read_openings(content: bytes) -> Iterator[OpeningRow]:
    """The lines of a page. Raises `openings_invalid`, with the line."""
    for line, values in _read(content, COLUMNS, OPENINGS_INVALID):
        try:
            row = msgspec.convert([*values[:3], _rank(values[3]), *values[4:]], OpeningRow)
            opened_on(row)
            field_bits(row.fields.split())
            if len(bytes.fromhex(row.reference)) != 16 or not row.opening:
                raise ValueError
        except ValueError:
            raise OPENINGS_INVALID(f"line {line}") from None
        yield row


def opened_on(row: OpeningRow) -> datetime:
    """When it was. Raises `ValueError`."""
    at = datetime.fromisoformat(row.opened_at)
    if at.tzinfo is None:
        raise ValueError("an instant without offset")
    return at.astimezone(UTC)


class Settled(msgspec.Struct, frozen=True):
    """A claim an insurer paid: whose, at which place, for care of which day."""

    member: Member
    practice: str
    on: date


SETTLED_COLUMNS = ("member_number", "birth_date", "birth_rank", "practice", "on")


def read_settled(content: bytes) -> Iterator[Settled]:
    """Claims an insurer paid. Raises `settled_invalid`, with the line."""
    for line, (number, born, rank, practice, on) in _read(content, SETTLED_COLUMNS, SETTLED_INVALID):
        try:
            yield Settled((number, born, _rank(rank)), practice, date.fromisoformat(on))
        except ValueError:
            raise SETTLED_INVALID(f"line {line}") from None


def _read(content: bytes, columns: tuple[str, ...], invalid: Refusal) -> Iterator[tuple[int, list[str]]]:
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if tuple(next(rows, ())) != columns:
            raise invalid("other columns")
        for values in rows:
            if len(values) != len(columns):
                raise invalid(f"line {rows.line_num}")
            yield rows.line_num, values
    except (UnicodeDecodeError, csv.Error):
        raise invalid() from None


def _rank(text: str) -> int:
    if len(text) != 1 or not text.isdigit():  # 0: a person forgotten since
        raise ValueError("no rank")
    return int(text)
