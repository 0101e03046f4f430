"""What a member file is, the limits it is held to, and the reasons to refuse it as a whole."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from ecluse.kernel.errors import refusal

FILE_BYTES_MAX = 16 << 30  # 33 M rows are 5 GB; past three times that, it is not one insurer's members
ROWS_MAX = 100_000_000  # more than everyone in France with a contract each: a larger file repeats itself
VALUE_CHARS_MAX = 256  # of a Parquet value, read no further: the longest that is valid, a list of domains, has fewer
LINE_BYTES_MAX = 8_192  # a full row is 150 bytes; a longer line is another kind of file, or a quote left open
COLUMNS_MAX = 64  # a wide export has thirty; more means a separator misread
REFUSALS_MAX = 10_000  # kept in detail; more say nothing that these do not, and the total is counted anyway


class Mode(StrEnum):
    """What the file says: all the rights of the insurer, or changes to them."""

    FULL = "full"
    DELTA = "delta"


class Kind(StrEnum):
    """How the file is written, known from its first bytes."""

    CSV = "csv"
    PARQUET = "parquet"


class RowRefusal(msgspec.Struct, frozen=True, array_like=True):
    """A row that cannot be taken: `line` counts from 1, header included. Never holds a value of the row."""

    line: int
    column: str
    code: str
    detail: str
    fix: str


_UTF8 = "Save the file as CSV UTF-8."
FILE_EMPTY = refusal("file_empty", 422, "The member file has no rows", fix="Send a header and at least one row.")
FILE_COMPRESSED = refusal(
    "file_compressed", 422, "Compressed files are not read", fix="Decompress the file first, or send Parquet."
)
FILE_TOO_LARGE = refusal(
    "file_too_large", 413, "The member file is too large", fix="Send one file per insurer, or a delta of what changed."
)
ENCODING_INVALID = refusal("encoding_invalid", 422, "The member file is not UTF-8", fix=_UTF8)
LINE_TOO_LONG = refusal(
    "line_too_long", 422, "A line of the member file is too long", fix="Close every quote; one row a line."
)
LINE_ENDS_MIXED = refusal(
    "line_ends_mixed", 422, "The lines do not all end alike", fix="End every line with LF, or every line with CRLF."
)
QUOTES_UNCLOSED = refusal(
    "quotes_unclosed",
    422,
    "A quote is opened and not closed on its line",
    fix="Close it; a value never holds a line end.",
)
CSV_UNREADABLE = refusal(
    "csv_unreadable", 422, "The file cannot be read as CSV", fix="Write RFC 4180: commas, double quotes doubled inside."
)
SEPARATOR_INVALID = refusal(
    "separator_invalid", 422, "The columns are not separated by commas", fix="Export with a comma as separator."
)
HEADER_MISSING = refusal(
    "header_missing",
    422,
    "The first line does not name the columns",
    fix="Begin the file with the names of its columns.",
)
COLUMN_MISSING = refusal("column_missing", 422, "A column is missing", fix="Add it; names are in docs/feeds.md.")
COLUMN_UNKNOWN = refusal(
    "column_unknown", 422, "A column has no place here", fix="Remove it from the export, or ask for --drop-unknown."
)
COLUMN_TWICE = refusal("column_twice", 422, "A column is there twice", fix="Keep one of them.")
COLUMN_TYPE = refusal("column_type", 422, "A column has the wrong Parquet type", fix="Write it as text (string).")
COLUMNS_TOO_MANY = refusal("columns_too_many", 422, "Too many columns", fix="Keep the columns of docs/feeds.md.")
FILE_MEMORY = refusal(
    "file_memory",
    422,
    "Reading the member file takes more memory than a file is given",
    fix="Write values of their usual length, and Parquet row groups of some 100,000 rows; or send CSV.",
)
PARQUET_UNREADABLE = refusal(
    "parquet_unreadable", 422, "The Parquet file cannot be read", fix="Write it again and check that it was sent whole."
)

ROWS_TOO_DENSE = refusal(
    "file_too_dense",
    422,
    "The Parquet file has more rows than its bytes can tell apart",
    fix="Write each person and contract once; up to 10,000 rows may repeat themselves. Or send CSV.",
)


class Terms(msgspec.Struct, frozen=True):
    """What a file is read against: the insurer it is for, what it says, its products, the day, and what to do with the rest."""

    insurer: str
    mode: Mode
    products: frozenset[str]
    today: date
    drop_unknown: bool = False
    shrink: bool = False


class Standing(msgspec.Struct, frozen=True):
    """How many rows give a right today (`now`), how many a week later (`then`), and of how many the last day is before that."""

    now: int = 0
    then: int = 0
    over: int = 0


class Checked(msgspec.Struct, frozen=True):
    """What reading every row told: how many there are, the refusals kept in detail, how many there are in all; of a file without
    any, the days of its rows."""

    rows: int
    refused_rows: int
    refusals: tuple[RowRefusal, ...]
    refusals_total: int
    standing: Standing = Standing()


FeedRow = tuple[str, str, int, str, str, str, str, str, str, str, str, bool, int, bool]
"""nir, birth_date, birth_rank, member_number, contract, product, domains, first day, day after the last, convention_type, csr,
responsible, priority, whether it ends the right. Days are ISO text, as they are sealed."""
