"""Rows of people as a copy holds them, to draw decoys from and to plant them: CSV in UTF-8 with a header.

Columns: `member_number`, `birth_date`, and where there are any `nir`, `birth_rank`; others are not looked at.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from ecluse.gate.decoys import Row
from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.ids import birth_date, birth_rank, nir

DECOY_ROWS_INVALID = refusal(
    "decoy_rows_invalid",
    422,
    "These are not rows of people",
    fix="Send CSV in UTF-8 with the columns member_number, birth_date and, if there are, nir and birth_rank.",
)


def read_rows(content: bytes) -> list[Row]:
    """The rows. Raises `decoy_rows_invalid`, which says the line and never a value."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if not {"member_number", "birth_date"} <= set(reader.fieldnames or ()):
            raise DECOY_ROWS_INVALID("wrong columns")
        return [_row(reader.line_num, each) for each in reader]
    except (UnicodeDecodeError, csv.Error):
        raise DECOY_ROWS_INVALID("not CSV in UTF-8") from None


def rows_as_csv(rows: Iterable[Row]) -> str:
    """The rows, to be mixed into a copy."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    return text.getvalue()


def _row(line: int, values: dict[str, str | None]) -> Row:
    number, rank = (values["member_number"] or "").strip(), values.get("birth_rank") or "1"
    typed = values.get("nir") or ""
    try:
        if not number or len(number) > 32 or not rank.isascii() or not rank.isdigit():
            raise DECOY_ROWS_INVALID(f"line {line}")
        return Row(number, nir(typed) if typed else "", birth_date(values["birth_date"] or ""), birth_rank(int(rank)))
    except Refused as refused:
        if refused.code == DECOY_ROWS_INVALID.code:
            raise
        raise DECOY_ROWS_INVALID(f"line {line}: {refused.code}") from None
