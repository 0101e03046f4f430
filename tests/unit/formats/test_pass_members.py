"""Lists of members for passes: read row by row, refused row by row, and never anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.formats.feed.file import RowRefusal
from ecluse.formats.pass_members import Wanted, read_members
from ecluse.kernel.errors import Refused

HEADER = "member_number,nir,birth_date,birth_rank,holder_key"
ROW = ["M1", "279067505612357", "1979-06-14", "1", ""]
KEY = "0f" * 32


def read(*rows: list[str], header: str = HEADER) -> list[Wanted | RowRefusal]:
    return list(read_members("\n".join([header, *(",".join(row) for row in rows)]).encode()))


def test_a_row_is_read_with_its_line() -> None:
    assert read([], ROW, [*ROW[:4], KEY]) == [
        Wanted(3, "M1", ROW[1], ROW[2], 1),
        Wanted(4, "M1", ROW[1], ROW[2], 1, bytes.fromhex(KEY)),
    ]


def test_columns_come_in_any_order_and_the_key_may_be_left_out() -> None:
    assert read(["1", "1979-06-14", ROW[1], "M1"], header="birth_rank,birth_date,nir,member_number") == [
        Wanted(2, "M1", ROW[1], ROW[2], 1)
    ]


REFUSED = {
    "a NIR with a wrong key": ({1: "279067505612358"}, "nir", "nir_invalid"),
    "a birth date in words": ({2: "14 juin"}, "birth_date", "birth_date_invalid"),
    "rank ten": ({3: "10"}, "birth_rank", "birth_rank_invalid"),
    "a rank in letters": ({3: "un"}, "birth_rank", "birth_rank_invalid"),
    "a number with a quote": ({0: "M;1"}, "member_number", "member_number_invalid"),
    "a number no member file has": ({0: " M1"}, "member_number", "member_number_invalid"),
    "a short key": ({4: KEY[:-2]}, "holder_key", "holder_key_invalid"),
    "a field too long": ({0: "M" * 65}, "", "pass_file_invalid"),
}


@pytest.mark.parametrize(("change", "column", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_row_is_refused_alone_and_never_quoted(change: dict[int, str], column: str, code: str) -> None:
    wrong = [change.get(at, value) for at, value in enumerate(ROW)]
    (refused, taken) = read(wrong, ROW)
    assert isinstance(refused, RowRefusal)
    assert (refused.line, refused.column, refused.code) == (2, column, code)
    assert isinstance(taken, Wanted)
    assert not any(value in refused.detail for value in change.values())


@pytest.mark.parametrize("header", ["", "nir,birth_date,birth_rank", HEADER + ",name", HEADER + ",nir"])
def test_other_columns_are_refused_as_a_whole(header: str) -> None:
    with pytest.raises(Refused, match="pass_file_invalid"):
        read(ROW, header=header)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_rows_refusals_or_no_list(content: bytes, headed: bool) -> None:
    try:
        for each in read_members((HEADER.encode() + b"\n" if headed else b"") + content):
            assert isinstance(each, Wanted | RowRefusal)
    except Refused as refused:
        if refused.code != "pass_file_invalid":
            raise
