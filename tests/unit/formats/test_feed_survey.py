"""Bytes of a member file, before anything reads it: each way a file can be wrong as a whole, and where it says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.formats.feed.file import LINE_BYTES_MAX, Kind, Mode
from ecluse.formats.feed.header import CHANGE, COLUMNS, check_columns, read_header
from ecluse.formats.feed.survey import Survey, kind_of
from ecluse.kernel.errors import Refused

HEADER = ",".join(COLUMNS)


def survey(data: bytes, block: int = 1 << 20) -> Survey:
    read = Survey()
    for start in range(0, len(data), block):
        read.read(data[start : start + block])
    read.finish()
    return read


WHOLE = {
    "no bytes": (b"", "file_empty", "no line"),
    "header only": (b"a,b\n", "file_empty", "a header and no row"),
    "header and empty lines": (b"a,b\n\n\n", "file_empty", "a header and no row"),
    "latin-1": ("a,b\n1,2\n3,é\n".encode("latin-1"), "encoding_invalid", "line 3"),
    "null bytes": ("a,b\n1,2\n".encode("utf-16-le"), "encoding_invalid", "line 1"),
    "mixed line ends": (b"a,b\r\n1,2\r\n3,4\n5,6\r\n", "line_ends_mixed", "line 3"),
    "a lone return": (b"a,b\n1,2\r3,4\n", "line_ends_mixed", "line 2"),
    "an open quote": (b'a,b\n1,"2\n3"\n', "quotes_unclosed", "line 2"),
    "a long line": (b"a,b\n1,2\n" + b"x" * (LINE_BYTES_MAX + 1), "line_too_long", "line 3"),
    "a long line inside": (b"a,b\n" + b"x" * (LINE_BYTES_MAX + 1) + b"\n1,2\n", "line_too_long", "line 2"),
}


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", WHOLE)
def test_a_file_wrong_as_a_whole_says_where(name: str, block: int) -> None:
    data, code, where = WHOLE[name]
    with pytest.raises(Refused) as refused:
        survey(data, block)
    assert refused.value.code == code
    assert where in refused.value.detail


GOOD = {
    "plain": (b"a,b\n1,2\n", 2, []),
    "no last line end": (b"a,b\n1,2", 2, []),
    "crlf": (b"a,b\r\n1,2\r\n", 2, []),
    "crlf, no last line end": (b"a,b\r\n1,2", 2, []),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", 2, []),
    "empty lines at the end": (b"a,b\n1,2\n\n\n", 2, []),
    "an empty line inside": (b"a,b\n1,2\n\n3,4\n", 4, [3]),
    "quotes": (b'a,b\n"1,1","2"""\n', 2, []),
    "accents": ("a,b\né,à\n".encode(), 2, []),
}


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_counted(name: str, block: int) -> None:
    data, lines, blank = GOOD[name]
    read = survey(data, block)
    assert (read.lines, read.blank, read.header) == (lines, blank, "a,b")


@given(st.binary(max_size=200).map(lambda tail: b"a,b\n" + tail), st.integers(1, 60))
def test_blocks_do_not_matter(data: bytes, block: int) -> None:
    """However the bytes arrive, the survey finds the same, or refuses the same."""
    assert _told(lambda: survey(data, block)) == _told(lambda: survey(data))


def _told(run: Callable[[], Survey]) -> object:
    try:
        read = run()
    except Refused as refused:
        return refused.code
    return read.lines, read.blank, read.digest.digest()


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"", "file_empty"),
        (b"\x1f\x8b\x08", "file_compressed"),
        (b"PK\x03\x04", "file_compressed"),
        ("é,b".encode("utf-16"), "encoding_invalid"),
    ],
)
def test_what_is_no_member_file_is_known_from_its_first_bytes(start: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        kind_of(start)
    assert refused.value.code == code


def test_parquet_is_known_from_its_first_bytes() -> None:
    assert kind_of(b"PAR1\x15") is Kind.PARQUET


@pytest.mark.parametrize(
    ("line", "code", "where"),
    [
        (HEADER.replace(",", ";"), "separator_invalid", "semicolons"),
        (HEADER.replace(",", "\t"), "separator_invalid", "tabs"),
        ("0075123456,M1,179067505612357,1979-06-14", "header_missing", "none of the columns"),
        (HEADER + ",x" * 60, "columns_too_many", "74 columns"),
    ],
)
def test_a_first_line_that_is_no_header(line: str, code: str, where: str) -> None:
    with pytest.raises(Refused) as refused:
        read_header(line)
    assert refused.value.code == code
    assert where in refused.value.detail
    assert "179067505612357" not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "mode", "code", "where"),
    [
        ([name for name in COLUMNS if name != "nir"], Mode.FULL, "column_missing", "nir"),
        (list(COLUMNS), Mode.DELTA, "column_missing", CHANGE),
        ([*COLUMNS, "nir"], Mode.FULL, "column_twice", "nir"),
        ([*COLUMNS, "nom de famille"], Mode.FULL, "column_unknown", "nom de famille"),
        ([*COLUMNS, "179067505612357"], Mode.FULL, "column_unknown", "column 15"),
    ],
)
def test_columns_that_are_not_the_right_ones(names: list[str], mode: Mode, code: str, where: str) -> None:
    with pytest.raises(Refused) as refused:
        check_columns(names, mode, drop_unknown=False)
    assert refused.value.code == code
    assert where in refused.value.detail
    assert "179067505612357" not in str(refused.value)


def test_unknown_columns_can_be_dropped() -> None:
    check_columns([*COLUMNS, "nom"], Mode.FULL, drop_unknown=True)
