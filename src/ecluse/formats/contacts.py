"""An insurer's contacts, which its letters are addressed by: CSV in UTF-8 with a header, one person a row (docs/letters.md).

Required columns: `member_number`, `birth_date`, `birth_rank`, `last_name`, `first_name`, `address_1`, `postcode`, `city`. Others
that are known: `civility`, `address_2`, `address_3`, `country`, `email`, `language`, `holder_member_number`, `holder_birth_date`.
A minor is written to through the holder: the row of that number, and of that birth date where the number has several adults.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Container, Iterable, Iterator

import msgspec

from ecluse.formats.feed.file import RowRefusal
from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.ids import birth_date, birth_rank

REQUIRED = ("member_number", "birth_date", "birth_rank", "last_name", "first_name", "address_1", "postcode", "city")
OPTIONAL = (
    "civility",
    "address_2",
    "address_3",
    "country",
    "email",
    "language",
    "holder_member_number",
    "holder_birth_date",
)
FILE_BYTES_MAX = 4 << 30  # everybody in France has 8 GB; read line by line, only the rows that are wanted are kept
FIELD_CHARS_MAX = 100  # an address line has 38 (AFNOR NF Z 10-011); more is another column run in

CIVILITIES = {"": "", "M.": "Monsieur", "MME": "Madame"}

_NUMBER = re.compile(r"[0-9A-Za-z ./_-]{1,64}")
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\".]+(\.[^@\s<>,;\".]+)+")
_POSTCODE = re.compile(r"\d{5}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]")

CONTACTS_INVALID = refusal(
    "contacts_invalid",
    422,
    "This is not a list of contacts",
    fix=f"Send CSV in UTF-8 with the columns {', '.join(REQUIRED)}; also known: {', '.join(OPTIONAL)}.",
)
CONTACT_MISSING = refusal("contact_missing", 422, "This column is empty", fix="Fill it in.")
CONTACT_NUMBER_INVALID = refusal(
    "contact_number_invalid", 422, "This is not a member number", fix="Write it as it is printed on the card."
)
CONTACT_TEXT_INVALID = refusal(
    "contact_text_invalid",
    422,
    "This is not one line of text",
    fix=f"At most {FIELD_CHARS_MAX} characters, without line breaks or control characters.",
)
CIVILITY_INVALID = refusal("civility_invalid", 422, "This is not a civility", fix="Write M., Mme, or nothing.")
POSTCODE_INVALID = refusal(
    "postcode_invalid", 422, "This is not a French postcode", fix="Write five digits, or name another country."
)
EMAIL_INVALID = refusal("email_invalid", 422, "This is not an e-mail address", fix="Write one address, or nothing.")
LANGUAGE_INVALID = refusal(
    "language_invalid", 422, "This is not a language", fix="Write two letters of ISO 639-1 (fr, ar, pt), or nothing."
)
CONTACT_REPEATED = refusal(
    "contact_repeated", 422, "This person has a row already", fix="Keep one row a number, birth date and rank."
)

Key = tuple[str, str, int]  # member number, birth date, birth rank


class Contact(msgspec.Struct, frozen=True, gc=False):
    """One person, and where to write to them. `line` counts from 1, header included."""

    line: int
    member_number: str
    birth_date: str
    birth_rank: int
    civility: str
    last_name: str
    first_name: str
    address: tuple[str, ...]
    email: str
    holder_member_number: str = ""
    holder_birth_date: str = ""
    language: str = ""

    @property
    def key(self) -> Key:
        """Who, as the pack says it."""
        return (self.member_number, self.birth_date, self.birth_rank)


def read_contacts(lines: Iterable[str], wanted: Container[str]) -> Iterator[Contact | RowRefusal]:
    """Every row that cannot be read, and those of the `wanted` numbers. Raises `contacts_invalid` for what is no such list."""
    seen: set[Key] = set()
    try:
        rows = csv.reader(lines, strict=True)
        header = next(rows, [])
        known = {*REQUIRED, *OPTIONAL}
        if len(set(header)) != len(header) or not set(REQUIRED) <= set(header) <= known:
            wrong = [
                *(name for name in REQUIRED if name not in header),
                *(each for each in header if each not in known),
            ]
            raise CONTACTS_INVALID(f"wrong columns: {', '.join(each[:40] for each in wrong) or 'one is there twice'}")
        for values in rows:
            if not values:
                continue
            read = _row(
                rows.line_num, dict(zip(header, values, strict=False)), len(values) == len(header), seen, wanted
            )
            if isinstance(read, RowRefusal) or read.member_number in wanted:
                yield read
    except (UnicodeDecodeError, csv.Error):
        raise CONTACTS_INVALID() from None


def _row(
    line: int, values: dict[str, str], whole: bool, seen: set[Key], wanted: Container[str]
) -> Contact | RowRefusal:
    try:
        if not whole:
            raise CONTACTS_INVALID("this row has other fields than the header")
        contact = read_contact(line, {name: value.strip() for name, value in values.items()})
        if contact.key in seen:
            raise CONTACT_REPEATED(pointer="/member_number")
    except Refused as refused:
        return RowRefusal(line, (refused.pointer or "/")[1:], refused.code, refused.detail, refused.fix)
    if contact.member_number in wanted:
        seen.add(contact.key)
    return contact


def read_contact(line: int, values: dict[str, str]) -> Contact:
    """One row whose columns are known. Raises the refusal of the first column that cannot be read; its pointer names it."""
    for name, check in _CHECKS.items():
        check(values.get(name, ""), f"/{name}")
    for name in REQUIRED:
        if not values[name] and name not in ("birth_rank", "postcode"):
            raise CONTACT_MISSING(pointer=f"/{name}")
    rank, country = values["birth_rank"] or "1", values.get("country", "")
    if not _french(country) or _POSTCODE.fullmatch(values["postcode"]):
        place = f"{values['postcode']} {values['city']}".strip()
    else:
        raise POSTCODE_INVALID(pointer="/postcode")
    lines = (*(values.get(f"address_{at}", "") for at in (1, 2, 3)), place, "" if _french(country) else country)
    return Contact(
        line,
        values["member_number"],
        birth_date(values["birth_date"], pointer="/birth_date"),
        birth_rank(int(rank) if rank.isascii() and rank.isdigit() and len(rank) < 3 else 0, pointer="/birth_rank"),
        CIVILITIES[values.get("civility", "").upper()],
        values["last_name"],
        values["first_name"],
        tuple(each for each in lines if each),
        values.get("email", ""),
        values.get("holder_member_number", ""),
        values.get("holder_birth_date", ""),
        values.get("language", ""),
    )


def _french(country: str) -> bool:
    return country.casefold() in ("", "fr", "fra", "france")


def _text(value: str, pointer: str) -> None:
    if len(value) > FIELD_CHARS_MAX or _CONTROL.search(value):
        raise CONTACT_TEXT_INVALID(pointer=pointer)


def _number(value: str, pointer: str) -> None:
    if value and not _NUMBER.fullmatch(value):
        raise CONTACT_NUMBER_INVALID(pointer=pointer)


def _civility(value: str, pointer: str) -> None:
    if value.upper() not in CIVILITIES:
        raise CIVILITY_INVALID(pointer=pointer)


def _email(value: str, pointer: str) -> None:
    if value and not _EMAIL.fullmatch(value):
        raise EMAIL_INVALID(pointer=pointer)


def _language(value: str, pointer: str) -> None:
    if value and not _LANGUAGE.fullmatch(value):
        raise LANGUAGE_INVALID(pointer=pointer)


def _born(value: str, pointer: str) -> None:
    if value:
        birth_date(value, pointer=pointer)


_CHECKS: dict[str, Callable[[str, str], None]] = {
    **dict.fromkeys(("last_name", "first_name", "address_1", "address_2", "address_3", "city", "country"), _text),
    "postcode": _text,
    "member_number": _number,
    "holder_member_number": _number,
    "civility": _civility,
    "email": _email,
    "language": _language,
    "holder_birth_date": _born,
}
