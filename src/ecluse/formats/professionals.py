"""Professionals whose own data were seen: CSV in UTF-8 with a header, one a row, each with what was seen of theirs.

Columns: `reference` (FINESS, SIRET or account), `fields` (names of `ecluse letters lint`, separated by spaces), `first_at`,
`last_at` (RFC 3339), `times`, `last_name`, `first_name`, `address_1`, `postcode`, `city`; `civility`, `address_2`, `address_3`,
`country` and `email` may be there. Their directory has the addresses, so there is nothing to merge.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from ecluse.formats.contacts import OPTIONAL, Contact, read_contact
from ecluse.formats.feed.file import RowRefusal
from ecluse.kernel.errors import Refused, refusal

OWN = ("reference", "fields", "first_at", "last_at", "times")
ADDRESSED = ("last_name", "first_name", "address_1", "postcode", "city")
MORE = tuple(name for name in OPTIONAL if not name.startswith("holder"))
FILE_BYTES_MAX = 256 << 20  # all professionals of France, four times; it is read in memory

_REFERENCE = re.compile(r"[0-9A-Za-z:._-]{1,64}")

PROFESSIONALS_INVALID = refusal(
    "professionals_invalid",
    422,
    "This is not a list of professionals",
    fix=f"Send CSV in UTF-8 with the columns {', '.join(OWN + ADDRESSED)}; also known: {', '.join(MORE)}.",
)
PROFESSIONAL_ROW = refusal(
    "professional_row_invalid", 422, "This column cannot be read", fix="See docs/letters.md for what it holds."
)


class Professional(msgspec.Struct, frozen=True):
    """One professional: where to write, and which of their own fields were seen."""

    reference: str
    fields: frozenset[str]
    first_at: datetime
    last_at: datetime
    times: int
    to: Contact


def read_professionals(content: bytes, known: frozenset[str]) -> Iterator[Professional | RowRefusal]:
    """The rows, each read or refused; `known` fields are those that have words. Raises `professionals_invalid`."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = next(rows, [])
        if len(set(header)) != len(header) or not {*OWN, *ADDRESSED} <= set(header) <= {*OWN, *ADDRESSED, *MORE}:
            raise PROFESSIONALS_INVALID("wrong columns")
        for values in rows:
            if values:
                yield _row(rows.line_num, dict(zip(header, values, strict=False)), len(values) == len(header), known)
    except (UnicodeDecodeError, csv.Error):
        raise PROFESSIONALS_INVALID() from None


def _row(line: int, values: dict[str, str], whole: bool, known: frozenset[str]) -> Professional | RowRefusal:
    try:
        if not whole:
            raise PROFESSIONALS_INVALID("this row has other fields than the header")
        return _professional(line, {name: value.strip() for name, value in values.items()}, known)
    except Refused as refused:
        return RowRefusal(line, (refused.pointer or "/")[1:], refused.code, refused.detail, refused.fix)


def _professional(line: int, values: dict[str, str], known: frozenset[str]) -> Professional:
    if not _REFERENCE.fullmatch(values["reference"]):
        raise PROFESSIONAL_ROW(pointer="/reference")
    fields, times = frozenset(values["fields"].split()), values["times"]
    if not fields or not fields <= known:
        raise PROFESSIONAL_ROW(pointer="/fields", fix=f"Accepted here: {', '.join(sorted(known))}.")
    if not (times.isascii() and times.isdigit() and int(times[:9]) > 0 and len(times) < 10):
        raise PROFESSIONAL_ROW(pointer="/times")
    who = {"member_number": values["reference"].replace(":", "-"), "birth_date": "1900-01-01", "birth_rank": "1"}
    return Professional(
        values["reference"],
        fields,
        _instant(values["first_at"], "/first_at"),
        _instant(values["last_at"], "/last_at"),
        int(times),
        read_contact(line, {**values, **who}),
    )


def _instant(text: str, pointer: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise PROFESSIONAL_ROW(pointer=pointer) from None
    if found.tzinfo is None:
        raise PROFESSIONAL_ROW("an instant without offset", pointer=pointer)
    return found
