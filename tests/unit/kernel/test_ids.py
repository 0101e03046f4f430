"""Identifiers: what is read, in which canonical form, and what is refused; python-stdnum is the oracle of the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.fr import nir as oracle

from ecluse.kernel import ids
from ecluse.kernel.errors import Refused

DIGITS = "0123456789"
PSEUDO_MONTHS = [20, *range(30, 43), *range(50, 100)]
MONTHS = [f"{month:02d}" for month in [*range(1, 13), *PSEUDO_MONTHS]]
PLACES = ["37261", "2A004", "2B033", "91352", "96111", "97105", "98818", "99126"]


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=count, max_size=count)


@st.composite
def nirs(draw: st.DrawFn) -> str:
    number = draw(st.sampled_from("123478")) + draw(digits(2)) + draw(st.sampled_from(MONTHS))
    number += draw(st.sampled_from(PLACES)) + draw(digits(3))
    return number + oracle.calc_check_digits(number)


READ: list[tuple[Callable[..., Any], Any, Any]] = [
    (ids.nir, "295109912611193", "295109912611193"),  # born abroad, python-stdnum's own example
    (ids.nir, "2 95 10 99 126 111 93", "295109912611193"),
    (ids.nir, "2\u00a095\u202f10 99\t126 111 93 ", "295109912611193"),  # pasted from a letter, with no-break spaces
    (ids.nir, "253072b07300470", "253072B07300470"),  # Corsica
    (ids.nir, "253072A07300443", "253072A07300443"),
    (ids.birth_date, "1979-06-14", "1979-06-14"),
    (ids.birth_date, "1951-13-00", "1951-13-00"),  # lunar month, unknown day
    (ids.birth_date, "1951-02-31", "1951-02-31"),
    (ids.birth_rank, 1, 1),
    (ids.birth_rank, 9, 9),
    (ids.rpps, "100 0000 0009", "10000000009"),
    (ids.finess, "750712184", "750712184"),
    (ids.finess, "2a0000014", "2A0000014"),
    (ids.finess, "2B0000020", "2B0000020"),
    (ids.siret, "732 829 320 00074", "73282932000074"),
    (ids.siret, "35600000000048", "35600000000048"),  # La Poste, head office: Luhn
    (ids.siret, "35600000049837", "35600000049837"),  # La Poste, an office: sum of the digits
    (ids.amc, "00751234", "00751234"),
    (ids.amc, "0075123456", "0075123456"),
    (ids.iban, "fr76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189"),
    (ids.practice, "750712184", "750712184"),
    (ids.practice, "732 829 320 00074", "73282932000074"),
    (ids.account, "rpps:10000000009", "rpps:10000000009"),
    (ids.account, "psc:A1b2-c3", "psc:A1b2-c3"),
]

REFUSED: list[tuple[Callable[..., Any], Any, str]] = [
    (ids.nir, "295109912611194", "nir_invalid"),  # wrong key
    (ids.nir, "2951099126111", "nir_invalid"),  # no key
    (ids.nir, "595109912611193", "nir_invalid"),  # no such first digit
    (ids.nir, "253072C07300443", "nir_invalid"),  # no such département
    (ids.nir, "٢95109912611193", "nir_invalid"),  # a digit, of another script
    (ids.nir, "295109912611193\n", "nir_invalid"),
    (ids.nir, " " * 100_000 + "295109912611193", "nir_invalid"),
    (ids.nir, "", "nir_invalid"),
    (ids.birth_date, "14/06/1979", "birth_date_invalid"),
    (ids.birth_date, "1979-6-14", "birth_date_invalid"),
    (ids.birth_date, "1879-06-14", "birth_date_invalid"),
    (ids.birth_date, "2101-06-14", "birth_date_invalid"),
    (ids.birth_rank, 0, "birth_rank_invalid"),
    (ids.birth_rank, 10, "birth_rank_invalid"),
    (ids.rpps, "10000000008", "rpps_invalid"),
    (ids.rpps, "1000000000", "rpps_invalid"),
    (ids.finess, "750712185", "finess_invalid"),
    (ids.finess, "3A0000014", "finess_invalid"),  # the letter is for Corsica only
    (ids.siret, "73282932000079", "siret_invalid"),
    (ids.siret, "7328293200007A", "siret_invalid"),
    (ids.amc, "1234567", "amc_invalid"),
    (ids.amc, "12345678901", "amc_invalid"),
    (ids.amc, "7512345M", "amc_invalid"),
    (ids.iban, "FR7630006000011234567890188", "iban_invalid"),
    (ids.iban, "XX7630006000011234567890189", "iban_invalid"),
    (ids.practice, "73282932", "practice_invalid"),
    (ids.practice, "73282932000079", "practice_invalid"),
    (ids.account, "10000000008", "account_invalid"),
    (ids.account, "rpps:", "account_invalid"),
    (ids.account, "RPPS:10000000008", "account_invalid"),
    (ids.account, "rpps:10000000008", "rpps_invalid"),
    (ids.account, "psc:" + "a" * 49, "account_invalid"),
]


@pytest.mark.parametrize(("read", "text", "canonical"), READ)
def test_reads(read: Callable[..., Any], text: Any, canonical: Any) -> None:
    assert read(text) == canonical
    assert read(read(text)) == canonical


@pytest.mark.parametrize(("read", "text", "code"), REFUSED)
def test_refuses_with_its_own_code_and_never_quotes_the_value(read: Callable[..., Any], text: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text, pointer="/field")
    assert refused.value.code == code
    assert refused.value.pointer == "/field"
    if isinstance(text, str) and len(text.strip(" ")) > len("rpps:"):
        assert text.strip(" ") not in str(refused.value)


@given(nirs())
def test_every_well_formed_number_with_its_key_is_a_nir(number: str) -> None:
    assert ids.nir(number) == oracle.validate(number)
    assert ids.nir_key(number[:13]) == number[13:]


@given(nirs(), st.integers(0, 14), st.sampled_from(DIGITS))
def test_one_wrong_digit_is_always_seen(number: str, position: int, digit: str) -> None:
    assume(number[position] != digit)
    with pytest.raises(Refused):
        ids.nir(number[:position] + digit + number[position + 1 :])


@given(st.text(DIGITS + "AB ", max_size=20))
def test_whatever_is_accepted_the_oracle_accepts(text: str) -> None:
    try:
        read = ids.nir(text)
    except Refused:
        return
    assert oracle.is_valid(read)


@given(st.sampled_from(["00", *(f"{month}" for month in (13, 19, 21, 29, 43, 49))]), digits(8))
def test_months_that_mean_nothing_are_refused_though_the_key_is_right(month: str, rest: str) -> None:
    number = "179" + month + rest
    with pytest.raises(Refused):
        ids.nir(number + oracle.calc_check_digits(number))


@given(digits(10))
def test_rpps_keys_are_luhn(number: str) -> None:
    key = luhn.calc_check_digit(number)
    assert ids.rpps(number + key)
    with pytest.raises(Refused):
        ids.rpps(number + str((int(key) + 1) % 10))


@pytest.mark.parametrize(
    "written",
    ["a. martin", " a.  martin\t", "a. martin\u200b", "\u2060a. mar\u00adtin", "ａ. martin", "a.\u00a0martin"],
)
def test_somebodys_name_is_one_name_however_it_is_written(written: str) -> None:
    assert ids.operator_name(written) == "a. martin"
