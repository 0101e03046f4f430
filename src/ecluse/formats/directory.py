"""Directories of bank details as CSV: practices and insurers. UTF-8, comma, header; a bad row says where and why.

What a refused row says never holds a value of it: these are names and accounts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Generic, TypeVar

import msgspec

from ecluse.kernel import ids
from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import Refused, refusal
from ecluse.payments.transfer import Payee, Settlement, bic

Row = TypeVar("Row")

FILE_BYTES_MAX = 128 * 1024 * 1024  # every practice of the country (half a million) at 100 bytes a row is 50 MB
NAME_MAX = 140  # what the schemas of the bank files take; SEPA keeps the first 70
MANDATE_MAX = 35  # characters of a mandate reference, EPC016-06
BAD_ROWS_MAX = 1_000  # beyond, the file is of another kind: mend these first

DIRECTORY_UNREADABLE = refusal(
    "directory_unreadable",
    400,
    "This file is not the CSV that was expected",
    fix="Save it as CSV, UTF-8, comma, with the header of the help text.",
)


class BadRow(msgspec.Struct, frozen=True):
    """Why one row is refused. `line` counts from 1, the header being line 1."""

    line: int
    column: str
    code: str
    detail: str
    fix: str


class Sheet(msgspec.Struct, Generic[Row], frozen=True):
    """The good rows by key, each with its line, and the bad ones."""

    rows: dict[str, tuple[int, Row]]
    bad: tuple[BadRow, ...]


def read_practices(data: bytes) -> Sheet[Payee]:
    """Read `practice,name,iban,bic` (bic may be empty or left out). Raises `directory_unreadable`."""
    return _read(data, _PRACTICES)


def read_insurers(data: bytes) -> Sheet[Settlement]:
    """Read `insurer,name,iban,mandate,mandate_signed_on` (the last two may be empty). Raises `directory_unreadable`."""
    return _read(data, _INSURERS)


def _payee(cells: dict[str, str]) -> Payee:
    return Payee(_name(cells["name"]), _cell("iban", ids.iban, cells["iban"]), _cell("bic", bic, cells["bic"]))


def _settlement(cells: dict[str, str]) -> Settlement:
    return Settlement(_name(cells["name"]), _cell("iban", ids.iban, cells["iban"]), *_mandate(cells))


class _BadCell(Exception):  # noqa: N818 - past participles and nouns for what happened
    def __init__(self, column: str, code: str, detail: str, fix: str) -> None:
        self.column, self.code, self.detail, self.fix = column, code, detail, fix


def _name(text: str) -> str:
    if not 1 <= len(text) <= NAME_MAX or not text.isprintable():
        raise _BadCell("name", "name_invalid", "empty, too long or not printable", f"Write 1 to {NAME_MAX} characters.")
    return text


def _mandate(cells: dict[str, str]) -> tuple[str, date | None]:
    mandate, signed_on = cells["mandate"], cells["mandate_signed_on"]
    if bool(mandate) != bool(signed_on):
        raise _BadCell(
            "mandate", "mandate_incomplete", "a mandate goes with its day of signature", "Fill both, or none."
        )
    if not mandate:
        return "", None
    if len(mandate) > MANDATE_MAX or not all(
        one.isascii() and (one.isalnum() or one in "+?/-:().,' ") for one in mandate
    ):
        fix = f"Write up to {MANDATE_MAX} letters, digits or +?/-:().,'"
        raise _BadCell("mandate", "mandate_invalid", "not a mandate reference of SEPA", fix)
    return mandate, _cell("mandate_signed_on", parse_day, signed_on)


def _cell(column: str, parse: Callable[[str], Row], text: str) -> Row:
    try:
        return parse(text)
    except Refused as refused:
        raise _BadCell(column, refused.code, refused.detail, refused.fix) from None


class _Kind(msgspec.Struct, Generic[Row], frozen=True):
    """A kind of directory: its columns (the first is the key) and how a row is read."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    key_of: Callable[[str], str]
    row_of: Callable[[dict[str, str]], Row]


def _read(data: bytes, kind: _Kind[Row]) -> Sheet[Row]:
    rows, bad = dict[str, tuple[int, Row]](), list[BadRow]()
    reader = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    try:
        header = _header(next(reader, []), kind)
        for cells in reader:
            try:
                if cells:
                    key, row = _row(header, cells, kind, rows)
                    rows[key] = (reader.line_num, row)
            except _BadCell as wrong:
                bad.append(BadRow(reader.line_num, wrong.column, wrong.code, wrong.detail, wrong.fix))
            if len(bad) >= BAD_ROWS_MAX:
                break
    except csv.Error:
        raise DIRECTORY_UNREADABLE(f"line {reader.line_num}: quotes or line ends are wrong") from None
    if not rows and not bad:
        raise DIRECTORY_UNREADABLE("no row after the header")
    return Sheet(rows, tuple(bad))


def _row(header: list[str], cells: list[str], kind: _Kind[Row], rows: dict[str, tuple[int, Row]]) -> tuple[str, Row]:
    if len(cells) != len(header):
        raise _BadCell("", "row_length", "not as many cells as columns", "Put cells that hold a comma in quotes.")
    named = dict.fromkeys(kind.optional, "") | dict(zip(header, (cell.strip() for cell in cells), strict=True))
    key_column = kind.required[0]
    key = _cell(key_column, kind.key_of, named[key_column])
    if key in rows:
        raise _BadCell(key_column, "row_duplicate", f"also on line {rows[key][0]}", "Keep one row.")
    return key, kind.row_of(named)


def _text(data: bytes) -> str:
    if len(data) > FILE_BYTES_MAX:
        raise DIRECTORY_UNREADABLE(f"more than {FILE_BYTES_MAX} bytes", fix="Split the file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DIRECTORY_UNREADABLE("it is not UTF-8", fix="Save it as UTF-8.") from None


def _header(header: list[str], kind: _Kind[Row]) -> list[str]:
    names = [name.strip() for name in header]
    expected = kind.required + kind.optional
    if len(names) == 1 and ";" in names[0]:
        raise DIRECTORY_UNREADABLE("its separator is a semicolon", fix="Save it with commas.")
    missing = [column for column in kind.required if column not in names]
    others = sum(name not in expected for name in names)
    if missing or others or len(set(names)) < len(names):
        detail = f"missing columns: {', '.join(missing) or 'none'}; columns not expected or twice: {others or 'some'}"
        raise DIRECTORY_UNREADABLE(detail, fix=f"Write the header {','.join(expected)}")
    return names


_PRACTICES = _Kind(("practice", "name", "iban"), ("bic",), ids.practice, _payee)
_INSURERS = _Kind(("insurer", "name", "iban"), ("mandate", "mandate_signed_on"), ids.amc, _settlement)
