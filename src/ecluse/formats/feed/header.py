"""The first line of a member file: which columns it has, and what is said when they are not the right ones.

Names of unknown columns are told back only when they look like names: a file without header has a person on its first line.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

from ecluse.formats.feed.file import (
    COLUMN_MISSING,
    COLUMN_TWICE,
    COLUMN_UNKNOWN,
    COLUMNS_MAX,
    COLUMNS_TOO_MANY,
    HEADER_MISSING,
    SEPARATOR_INVALID,
    Mode,
)

CHANGE = "change"
COLUMNS = (
    "insurer",
    "member_number",
    "nir",
    "birth_date",
    "birth_rank",
    "contract",
    "product",
    "domains",
    "valid_from",
    "valid_to",
    "convention_type",
    "csr",
    "responsible",
    "priority",
)
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", ":": "colons"}
_LIKE_A_NAME = re.compile(r"[^\W\d]{1,20}(?:[_ -][^\W\d]{1,20}){0,3}")


def read_header(line: str) -> tuple[str, ...]:
    """The column names of a CSV's first line. Raises `separator_invalid`, `header_missing`, `columns_too_many`."""
    names = _split(line, ",")
    if not _known(names):
        _refuse_separator(line)
        raise HEADER_MISSING("none of the columns is on the first line")
    if len(names) > COLUMNS_MAX:
        raise COLUMNS_TOO_MANY(f"{len(names)} columns, at most {COLUMNS_MAX}")
    return tuple(names)


def check_columns(names: Sequence[str], mode: Mode, *, drop_unknown: bool) -> None:
    """That every column needed is there once, and no other. Raises `column_missing`, `…_twice`, `…_unknown`."""
    if len(names) > COLUMNS_MAX:
        raise COLUMNS_TOO_MANY(f"{len(names)} columns, at most {COLUMNS_MAX}")
    counted = Counter(names)
    needed = (*COLUMNS, CHANGE) if mode is Mode.DELTA else COLUMNS
    if missing := [name for name in needed if name not in counted]:
        raise COLUMN_MISSING(f"missing: {', '.join(missing)}")
    if twice := [name for name in (*COLUMNS, CHANGE) if counted[name] > 1]:
        raise COLUMN_TWICE(f"there twice: {', '.join(twice)}")
    unknown = [_told(name, place) for place, name in enumerate(names, 1) if name not in (*COLUMNS, CHANGE)]
    if unknown and not drop_unknown:
        raise COLUMN_UNKNOWN(f"not taken: {', '.join(unknown[:10])}")


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _known(names: Sequence[str]) -> int:
    return sum(name in (*COLUMNS, CHANGE) for name in names)


def _refuse_separator(line: str) -> None:
    for separator, called in _SEPARATORS.items():
        if _known(_split(line, separator)) > 1:
            raise SEPARATOR_INVALID(f"found {called} on the first line")


def _told(name: str, place: int) -> str:
    return name if _LIKE_A_NAME.fullmatch(name) else f"column {place}"
