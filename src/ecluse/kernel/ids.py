"""Identifiers, parsed once into canonical text: whoever holds a `Nir` holds a good one.

Each function reads what people and software write (spaces, small letters) and gives the one form the hub keeps, or
raises a refusal of its own whose words never quote the value. Facts: Insee (NIR, SIRET), ISO 13616 (IBAN). What no
public text confirmed is marked [I], inferred.
"""

from __future__ import annotations

import re
from typing import NewType
from unicodedata import normalize

from stdnum import iban as iban_standard
from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.fr import siret as siret_standard

from ecluse.kernel.errors import Refusal, refusal

Nir = NewType("Nir", str)
BirthDate = NewType("BirthDate", str)
BirthRank = NewType("BirthRank", int)
MemberNumber = NewType("MemberNumber", str)
Rpps = NewType("Rpps", str)
Finess = NewType("Finess", str)
Siret = NewType("Siret", str)
Amc = NewType("Amc", str)
Iban = NewType("Iban", str)
Practice = NewType("Practice", str)
Account = NewType("Account", str)

BIRTH_YEARS = (1880, 2100)  # the oldest person ever lived 122 years; a year beyond is a slip of the hand
BIRTH_RANK_MAX = 9  # one digit on cards and in B2
MEMBER_CHARS_MAX = 40  # the longest number seen on a card has 20
MEMBER_NUMBER = (
    f"[0-9A-Za-z]([0-9A-Za-z ._/-]{{0,{MEMBER_CHARS_MAX - 2}}}[0-9A-Za-z])?"  # for RE2 too: member files are read by it
)
TEXT_MAX = 64  # no identifier is longer, spaces included: what is longer is not read at all

NIR_INVALID = refusal(
    "nir_invalid", 400, "This is not a NIR", fix="Write the 13 characters and the two-digit key, as on the card."
)
BIRTH_DATE_INVALID = refusal(
    "birth_date_invalid",
    400,
    "This is not a birth date",
    fix="Write YYYY-MM-DD as on the card; months and days outside the calendar are kept.",
)
BIRTH_RANK_INVALID = refusal("birth_rank_invalid", 400, "This is not a birth rank", fix="Write a number from 1 to 9.")
MEMBER_NUMBER_INVALID = refusal(
    "member_number_invalid",
    400,
    "This is not a member number",
    fix="Write it as the member file has it: 1 to 40 letters, digits, spaces or . _ / -, a letter or digit first and last.",
)
RPPS_INVALID = refusal("rpps_invalid", 400, "This is not an RPPS number", fix="Write the 11 digits of the directory.")
FINESS_INVALID = refusal(
    "finess_invalid", 400, "This is not a FINESS number", fix="Write the 9 characters of the directory."
)
SIRET_INVALID = refusal("siret_invalid", 400, "This is not a SIRET number", fix="Write the 14 digits of the place.")
AMC_INVALID = refusal(
    "amc_invalid", 400, "This is not an insurer's number", fix="Write the 8 to 10 digits of the card, as text."
)
IBAN_INVALID = refusal(
    "iban_invalid", 400, "This is not an IBAN", fix="Copy the IBAN of the bank statement, country code included."
)
PRACTICE_INVALID = refusal(
    "practice_invalid", 400, "This is not a place of care", fix="Write its FINESS (9 characters) or SIRET (14 digits)."
)
ACCOUNT_INVALID = refusal(
    "account_invalid", 400, "This is not an account", fix="Write scheme:value, as rpps: and 11 digits."
)

# Sex or temporary number, year, month (or the pseudo-months 20, 30-42 and 50-99 of incomplete civil status), place,
# order, key. Places: département and commune, 97x and 98x overseas, 91-96 the départements of before 1964, 99 and a
# country. `[0-9]` and not `\d`, which also takes the digits of every other script.
_NIR = re.compile(
    r"[123478][0-9]{2}(?:0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9])(?:[0-9]{2}|2[AB])[0-9]{6}(?P<key>[0-9]{2})"
)
_CORSICA = {"2A": "19", "2B": "18"}  # what Insee puts in the place of the letter before the division
_BIRTH_DATE = re.compile(r"([0-9]{4})-[0-9]{2}-[0-9]{2}")
_MEMBER = re.compile(MEMBER_NUMBER)
_RPPS = re.compile(r"[0-9]{11}")
_FINESS = re.compile(r"[0-9](?:[0-9]|[AB](?<=2[AB]))[0-9]{7}")
_FINESS_DIGITS = str.maketrans("AB", "12")
_AMC = re.compile(r"[0-9]{8,10}")
_ACCOUNT = re.compile(r"([a-z][a-z0-9-]{1,15}):([A-Za-z0-9][A-Za-z0-9._@-]{0,47})")
_BLANKS = str.maketrans("", "", " \t\u00a0\u202f")  # the spaces people type or paste, the two no-break ones included


def nir(text: str, *, pointer: str | None = None) -> Nir:
    """Read a NIR or NIA: 13 characters and their key, 15 in all. Raises `nir_invalid`.

    Key: 97 − (number mod 97), 2A read as 19 and 2B as 18 (Insee). Temporary numbers (first digit 3, 4, 7 or 8) and
    pseudo-months are NIRs like the others [I].
    """
    found = _NIR.fullmatch(text)
    if found is None:
        text = _compact(text)
        found = _NIR.fullmatch(text)
    if found is None or 97 - _nir_number(text) % 97 != int(found["key"]):
        raise NIR_INVALID("wrong form" if found is None else "wrong key", pointer=pointer)
    return Nir(text)


def _nir_number(text: str) -> int:
    department = text[5:7]
    return int(text[:5] + _CORSICA.get(department, department) + text[7:13])


def nir_key(text: str) -> str:
    """The two-digit key of 13 well-formed characters, for those who make numbers."""
    return f"{97 - _nir_number(text) % 97:02d}"


def birth_date(text: str, *, pointer: str | None = None) -> BirthDate:
    """Read a birth date as cards have it, `YYYY-MM-DD`, year 1880 to 2100. Raises `birth_date_invalid`.

    Kept as text: lunar calendars and unknown days give months and days that no calendar has (13, 31 February, 00).
    """
    found = _BIRTH_DATE.fullmatch(text)
    if found is None or not BIRTH_YEARS[0] <= int(found[1]) <= BIRTH_YEARS[1]:
        raise BIRTH_DATE_INVALID("wrong form" if found is None else "wrong year", pointer=pointer)
    return BirthDate(text)


def birth_rank(rank: int, *, pointer: str | None = None) -> BirthRank:
    """Read a birth rank, 1 to 9: the order among those of one family born the same day. Raises `birth_rank_invalid`."""
    if not 1 <= rank <= BIRTH_RANK_MAX:
        raise BIRTH_RANK_INVALID("out of 1 to 9", pointer=pointer)
    return BirthRank(rank)


def member_number(text: str, *, pointer: str | None = None) -> MemberNumber:
    """Read the number an insurer gave a member, kept as written: no member file holds another. Raises `member_number_invalid`."""
    if not _MEMBER.fullmatch(text):
        raise MEMBER_NUMBER_INVALID("wrong form", pointer=pointer)
    return MemberNumber(text)


def rpps(text: str, *, pointer: str | None = None) -> Rpps:
    """Read an RPPS number: 11 digits, Luhn [I]. Raises `rpps_invalid`."""
    text = _compact(text)
    if not _RPPS.fullmatch(text) or not luhn.is_valid(text):
        raise RPPS_INVALID("wrong form or key", pointer=pointer)
    return Rpps(text)


def finess(text: str, *, pointer: str | None = None) -> Finess:
    """Read a FINESS number: 9 characters, Luhn, where 2A counts as 21 and 2B as 22 [I]. Raises `finess_invalid`."""
    text = _compact(text)
    if not _FINESS.fullmatch(text) or not luhn.is_valid(text.translate(_FINESS_DIGITS)):
        raise FINESS_INVALID("wrong form or key", pointer=pointer)
    return Finess(text)


def siret(text: str, *, pointer: str | None = None) -> Siret:
    """Read a SIRET number: 14 digits, Luhn, and La Poste's own rule for its offices. Raises `siret_invalid`."""
    return Siret(_standard(siret_standard.validate, text, SIRET_INVALID, pointer))


def amc(text: str, *, pointer: str | None = None) -> Amc:
    """Read an insurer's number: 8 to 10 digits, kept as written, zeros included. Raises `amc_invalid`."""
    text = _compact(text)
    if not _AMC.fullmatch(text):
        raise AMC_INVALID("expected 8 to 10 digits", pointer=pointer)
    return Amc(text)


def iban(text: str, *, pointer: str | None = None) -> Iban:
    """Read an IBAN of any country of the registry (ISO 13616), without spaces. Raises `iban_invalid`."""
    return Iban(_standard(iban_standard.validate, text, IBAN_INVALID, pointer))


def practice(text: str, *, pointer: str | None = None) -> Practice:
    """Read the place of care: a FINESS or a SIRET number, told apart by their length. Raises `practice_invalid`.

    A SIREN has the form and the key of a FINESS: it passes here, and only a directory can tell.
    """
    text = _compact(text)
    if _FINESS.fullmatch(text) and luhn.is_valid(text.translate(_FINESS_DIGITS)):
        return Practice(text)
    if len(text) == 14 and siret_standard.is_valid(text):
        return Practice(text)
    raise PRACTICE_INVALID("neither a FINESS nor a SIRET", pointer=pointer)


def account(text: str, *, pointer: str | None = None) -> Account:
    """Read an account, `scheme:value`; an `rpps` value is checked as such. Raises `account_invalid`, `rpps_invalid`."""
    found = _ACCOUNT.fullmatch(text)
    if found is None:
        raise ACCOUNT_INVALID("expected scheme:value", pointer=pointer)
    if found[1] == "rpps":
        rpps(found[2], pointer=pointer)
    return Account(text)


def _compact(text: str) -> str:
    return text.translate(_BLANKS).upper() if len(text) <= TEXT_MAX else ""


def _standard(validate: object, text: str, refused: Refusal, pointer: str | None) -> str:
    """The compact text if python-stdnum accepts it, else `refused`."""
    assert callable(validate)
    compact = _compact(text)
    try:
        if not (compact.isascii() and compact.isalnum()):
            raise ValidationError
        return str(validate(compact))
    except ValidationError:
        raise refused("wrong form or key", pointer=pointer) from None


def operator_name(text: str) -> str:
    """Somebody's name in its one form: compatible characters as one (NFKC), single spaces, nothing that cannot be seen.

    Two people are asked for where one could do harm: a name must not become another's by a space or a character of no width.
    """
    seen = "".join(each for each in normalize("NFKC", text) if each.isprintable() or each.isspace())
    return " ".join(seen.split())
