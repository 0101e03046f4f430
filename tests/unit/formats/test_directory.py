"""Directories of bank details: read whole, refused row by row, and no value of a row is ever repeated."""

from __future__ import annotations

import pytest

from ecluse.formats.directory import BadRow, read_insurers, read_practices
from ecluse.kernel.errors import Refused

IBAN = "FR7630006000011234567890189"
PLACE = "750000010"
GOOD = f"practice,name,iban,bic\n{PLACE},Cabinet,{IBAN},\n"

FILES = {
    "practice": (f"practice,name,iban,bic\n750000011,Cabinet,{IBAN},\n", "practice", "practice_invalid"),
    "name": (f"practice,name,iban,bic\n{PLACE},,{IBAN},\n", "name", "name_invalid"),
    "iban": (f"practice,name,iban,bic\n{PLACE},Cabinet,FR7630006000011234567890188,\n", "iban", "iban_invalid"),
    "bic": (f"practice,name,iban,bic\n{PLACE},Cabinet,{IBAN},SECRETBIC1\n", "bic", "bic_invalid"),
    "short": (f"practice,name,iban,bic\n{PLACE},Cabinet\n", "", "row_length"),
    "comma in name": (f"practice,name,iban,bic\n{PLACE},Cabinet, rue,{IBAN},\n", "", "row_length"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_row_says_where_and_why(name: str) -> None:
    text, column, code = FILES[name]
    (bad,) = read_practices(text.encode()).bad
    assert (bad.line, bad.column, bad.code) == (2, column, code)
    assert bad.fix
    assert not any(value in str(bad) for value in ("Cabinet", IBAN[:20], "SECRETBIC1", PLACE))


def test_good_rows_are_read_in_any_order_of_columns() -> None:
    text = f'\ufeffiban,practice,name\n{IBAN[:4]} {IBAN[4:]},{PLACE},"Cabinet, rue"\n'
    ((line, payee),) = read_practices(text.encode()).rows.values()
    assert (line, payee.name, payee.iban, payee.bic) == (2, "Cabinet, rue", IBAN, "")


def test_a_practice_twice_is_refused() -> None:
    (bad,) = read_practices((GOOD + f"{PLACE},Autre,{IBAN},\n").encode()).bad
    assert (bad.line, bad.code) == (3, "row_duplicate")


@pytest.mark.parametrize(
    "data",
    [b"", b"practice,name,iban,bic\n", GOOD.replace(",", ";").encode(), GOOD.encode("utf-16"), "é".encode("latin-1"),
     GOOD.replace("iban", "compte").encode(), GOOD.replace("bic", "iban").encode(), (GOOD + '"').encode()],
)  # fmt: skip
def test_another_kind_of_file_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="directory_unreadable"):
        read_practices(data)


@pytest.mark.parametrize(
    ("mandate", "code"),
    [(",", None), ("M-1,2020-01-01", None), ("M-1,", "mandate_incomplete"), (",2020-01-01", "mandate_incomplete"),
     ("M_1,2020-01-01", "mandate_invalid"), ("M" * 36 + ",2020-01-01", "mandate_invalid"), ("M-1,01/01/2020", "day_invalid")],
)  # fmt: skip
def test_mandates(mandate: str, code: str | None) -> None:
    bad: tuple[BadRow, ...] = read_insurers(f"insurer,name,iban,mandate,mandate_signed_on\n0075000001,Mut,{IBAN},{mandate}\n".encode()).bad  # fmt: skip  # noqa: E501
    assert [row.code for row in bad] == ([code] if code else [])
