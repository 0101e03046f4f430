"""Openings as their insurer reads them: CSV (RFC 4180), one line an opening, in clear only inside an age envelope.

`opening` is the id to answer "not me" with: two lines with the same one are the same opening, told twice.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import msgspec


class OpeningRow(msgspec.Struct, frozen=True, array_like=True):
    """One opening. `member_number` and `birth_date` are `unknown`, `birth_rank` 0, of who was forgotten since.

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
