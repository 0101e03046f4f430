"""Bank files: valid against ISO's schemas, within SEPA's characters, the same bytes for the same values."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ecluse.engines.schemas import Schemas
from ecluse.formats.sepa import PAIN_001, PAIN_008, collections_file, sepa_text, transfers_file
from ecluse.kernel.errors import Refused
from ecluse.payments.transfer import Collection, Debtor, Instruction, Payee, Settlement, Transfer, checked, made_id
from tests.laws import examples

IBAN = "FR7630006000011234567890189"
ALLOWED = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")
NAMES = st.text(min_size=1, max_size=140)


def instruction(name: str = "Écluse", bic: str = "AGRIFRPP") -> Instruction:
    own = Debtor(name, IBAN, bic, "FR72ZZZ123456")
    return Instruction("run-2026-11-23-1-001", 1_795_435_200, date(2026, 11, 23), own)


def transfer(cents: int = 2795, name: str = "Pharmacie", bic: str = "") -> Transfer:
    return Transfer(made_id("rem", "run", 0, name), cents, Payee(name, IBAN, bic))


@pytest.mark.parametrize(
    ("typed", "written"),
    [("Pharmacie de l’Hôtel-Dieu", "Pharmacie de l'Hotel-Dieu"), ("Œuvre & Cie", "OEuvre + Cie"), ("a//b", "a/b"),
     ("/x/", "x"), ("东京", ".."), ("  a \t b ", "a . b"), ("///", "."), ("N° 5", "N. 5"), ("rem_1", "rem-1")],
)  # fmt: skip
def test_spelling(typed: str, written: str) -> None:
    assert sepa_text(typed) == written


@given(NAMES)
def test_every_name_can_be_written(name: str) -> None:
    written = sepa_text(name)
    assert 1 <= len(written) <= 70
    assert set(written) <= ALLOWED
    assert "//" not in written


@examples(40)
@given(
    st.lists(
        st.tuples(st.integers(1, 99_999_999_999), NAMES, st.sampled_from(["", "AGRIFRPPXXX"])), min_size=1, max_size=5
    )
)
def test_transfers_are_valid_and_add_up(drawn: list[tuple[int, str, str]]) -> None:
    transfers = [transfer(*one) for one in drawn]
    document = transfers_file(instruction(), transfers)
    Schemas().check(document, PAIN_001)
    assert document == transfers_file(instruction(), transfers)
    root = etree.fromstring(document)
    total = sum(round(100 * float(one.text)) for one in root.iter("{*}InstdAmt"))
    assert (
        {round(100 * float(one.text)) for one in root.iter("{*}CtrlSum")} == {total} == {sum(one[0] for one in drawn)}
    )
    assert {one.text for one in root.iter("{*}NbOfTxs")} == {str(len(drawn))}


@pytest.mark.parametrize("bic", ["", "AGRIFRPP"])
def test_a_bank_may_be_left_unnamed(bic: str) -> None:
    document = transfers_file(instruction(bic=bic), [transfer()])
    Schemas().check(document, PAIN_001)
    assert (b"NOTPROVIDED" in document) == (bic == "")


def test_direct_debits_are_valid() -> None:
    settlement = Settlement("Mutuelle de l’Œuvre", IBAN, "M-1", date(2020, 1, 1))
    document = collections_file(instruction(), [Collection(made_id("cff", "run", 0, "1"), 5, settlement)])
    Schemas().check(document, PAIN_008)
    assert b'<InstdAmt Ccy="EUR">0.05</InstdAmt>' in document


def test_the_schema_can_say_no() -> None:
    with pytest.raises(AssertionError):
        Schemas().check(transfers_file(instruction(), [transfer()]).replace(b"EUR", b"eur"), PAIN_001)


@pytest.mark.parametrize(
    ("own", "code"),
    [(Debtor("", IBAN), "bank_settings_invalid"), (Debtor("E", ""), "iban_invalid"),
     (Debtor("E", IBAN, "X"), "bic_invalid"), (Debtor("E", IBAN, "", "ZZ"), "bank_settings_invalid")],
)  # fmt: skip
def test_the_hubs_own_account_is_checked(own: Debtor, code: str) -> None:
    with pytest.raises(Refused, match=code):
        checked(own)
