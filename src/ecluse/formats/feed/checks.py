"""What every row of a member file must satisfy, as a table of SQL conditions over its columns, all text, empty when absent.

A condition is true when the row is to be *refused*. It is put to DuckDB, vectorised, and uses its functions only.
Conditions never fail on bad input (`try_cast`), and never answer NULL. Identifiers are held to what `kernel/ids.py`
accepts in its canonical form: a property test compares the two. Parameters: `$insurer`, `$products`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ecluse.formats.feed.file import Mode, RowRefusal
from ecluse.formats.feed.header import CHANGE
from ecluse.kernel.ids import BIRTH_YEARS, MEMBER_NUMBER
from ecluse.rights.model import Domain


class Check(msgspec.Struct, frozen=True):
    """One thing a row must not be: `wrong` is SQL; `modes` are the files it applies to."""

    column: str
    code: str
    wrong: str
    detail: str
    fix: str
    modes: tuple[Mode, ...] = (Mode.FULL, Mode.DELTA)

    def refusal(self, line: int) -> RowRefusal:
        """The refusal of the row at `line`."""
        return RowRefusal(line, self.column, self.code, self.detail, self.fix)


# Sex or temporary number, year, month or pseudo-month, place, order, key: kernel/ids.py tells where they come from.
_NIR = "[123478][0-9]{2}(0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9])([0-9]{2}|2[AB])[0-9]{8}"
_DEPARTMENT = "CASE nir[6:7] WHEN '2A' THEN '19' WHEN '2B' THEN '18' ELSE nir[6:7] END"
_NIR_NUMBER = f"try_cast(nir[1:5] || {_DEPARTMENT} || nir[8:13] AS BIGINT)"
_DOMAIN = f"({'|'.join(Domain)})"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_YEARS = ("1900", "2199")  # a contract before or after is a slip; 9999-12-31 is read as "no end"
_NO_END = "9999-12-31"
_NAME = MEMBER_NUMBER  # contracts are numbered like members
_SHORT = "[0-9A-Za-z]{0,8}"  # convention types have 2 characters, CSR 4; cards leave them empty at times


def _not_like(column: str, pattern: str) -> str:
    return f"NOT regexp_full_match({column}, '{pattern}')"


def _not_a_day(column: str) -> str:
    return (
        f"NOT coalesce(regexp_full_match({column}, '{_DAY}') AND try_cast({column} AS DATE) IS NOT NULL"
        f" AND {column}[1:4] BETWEEN '{_YEARS[0]}' AND '{_YEARS[1]}', false)"
    )


_ISO_DAY = "Write an ISO day, YYYY-MM-DD, from 1900 to 2199."
_KEEP_TEXT = "Write 1 to 40 letters, digits, spaces or . _ / -, beginning and ending with a letter or digit."

CHECKS = (
    Check(
        "insurer",
        "insurer_other",
        "insurer <> $insurer",
        "the row bears another insurer's number",
        "Send each insurer's rows in its own file, the number written as it was declared, zeros included.",
    ),
    Check("member_number", "member_number_invalid", _not_like("member_number", _NAME), "not a member number", _KEEP_TEXT),
    Check("nir", "nir_invalid", _not_like("nir", _NIR), "not 15 characters of a NIR", "Write 13 characters and the key."),
    Check(
        "nir",
        "nir_key_wrong",
        f"regexp_full_match(nir, '{_NIR}') AND 97 - {_NIR_NUMBER} % 97 <> try_cast(nir[14:15] AS INTEGER)",
        "the two-digit key is not that of the 13 characters",
        "Check the number against the card: a character was mistyped, or the key was lost.",
    ),
    Check(
        "birth_date",
        "birth_date_invalid",
        f"{_not_like('birth_date', _DAY)} OR birth_date[1:4] NOT BETWEEN '{BIRTH_YEARS[0]}' AND '{BIRTH_YEARS[1]}'",
        "not a birth date",
        "Write YYYY-MM-DD as on the card; months and days outside the calendar are kept.",
    ),
    Check("birth_rank", "birth_rank_invalid", _not_like("birth_rank", "[1-9]"), "not a birth rank", "Write 1 to 9."),
    Check("contract", "contract_invalid", _not_like("contract", _NAME), "not a contract number", _KEEP_TEXT),
    Check(
        "product",
        "product_unknown",
        "NOT list_contains($products, product)",
        "no guarantee table of that name is loaded for the insurer",
        "Load it first (ecluse product load), or correct the name.",
    ),
    Check(
        "domains",
        "domains_invalid",
        f"{_not_like('domains', f'{_DOMAIN}( {_DOMAIN})*')}"
        " OR len(list_distinct(string_split(domains, ' '))) <> len(string_split(domains, ' '))",
        "not a list of domains, each once, separated by one space",
        f"Write some of {' '.join(Domain)}.",
    ),
    Check("valid_from", "valid_from_invalid", _not_a_day("valid_from"), "not a day", _ISO_DAY),
    Check(
        "valid_to",
        "valid_to_invalid",
        f"valid_to NOT IN ('', '{_NO_END}') AND {_not_a_day('valid_to')}",
        "not a day",
        f"{_ISO_DAY} Leave it empty when there is no end.",
    ),
    Check(
        "valid_to",
        "dates_inverted",
        "valid_to <> '' AND coalesce(try_cast(valid_to AS DATE) < try_cast(valid_from AS DATE), false)",
        "the last day is before the first",
        "valid_to is the last day inside the period; it is valid_from at the earliest.",
    ),
    Check("convention_type", "convention_type_invalid", _not_like("convention_type", _SHORT), "not a convention type",
          "Write up to 8 letters or digits, as on the card."),
    Check("csr", "csr_invalid", _not_like("csr", _SHORT), "not a CSR", "Write up to 8 letters or digits, as on the card."),
    Check("responsible", "responsible_invalid", "responsible NOT IN ('true', 'false')", "neither true nor false",
          "Write true or false."),
    Check("priority", "priority_invalid", _not_like("priority", "[1-9]"), "not a priority",
          "Write 1 to 9; 1 pays first."),
    Check(
        CHANGE,
        "change_unexpected",
        f"{CHANGE} <> ''",
        "a full file says what is, not what changes",
        "Leave the column empty or out, or load the file as a delta.",
        (Mode.FULL,),
    ),
    Check(CHANGE, "change_invalid", f"{CHANGE} NOT IN ('set', 'end')", "neither set nor end", "Write set or end.",
          (Mode.DELTA,)),
    Check(
        "valid_to",
        "end_without_day",
        f"{CHANGE} = 'end' AND valid_to IN ('', '{_NO_END}')",
        "the row ends a right without saying when",
        "Write the last day of the right in valid_to.",
        (Mode.DELTA,),
    ),
)  # fmt: skip

# What only shows once rows stand beside each other, or beside the rights that are there.
_BESIDE = (
    Check(
        "contract",
        "row_twice",
        "",
        "a row above has the same person, contract and first day",
        "Keep one row for each person, contract and first day.",
    ),
    Check(
        "valid_from",
        "period_overlaps",
        "",
        "the period runs into another of the same person and contract",
        "End the other one before this one begins, or write one row for both.",
    ),
    Check(
        "contract",
        "nothing_to_end",
        "",
        "no right of this person has this contract and first day",
        "Write valid_from as it was sent when the right was set.",
    ),
    Check(
        "member_number",
        "member_ambiguous",
        "",
        "a row above gives this member number, birth date and rank to another NIR",
        "Tell twins apart by birth_rank, or correct the NIR of one of the rows.",
    ),
)
BESIDE = {check.code: check for check in _BESIDE}

# What is wrong with the line itself, before it has columns.
LINE_BLANK = Check("", "line_blank", "", "the line is empty", "Remove it.")
LINE_SHAPE = Check(
    "",
    "line_malformed",
    "",
    "the line has not as many values as the header, or a quote out of place",
    "One value per column; put a value that holds a comma in double quotes.",
)


def checks(mode: Mode) -> Sequence[Check]:
    """The checks of a file of this mode, in the order they are told."""
    return [check for check in CHECKS if mode in check.modes]
