"""Statements that are not what they say, or worse: refused, and nothing of the world outside is read."""

from __future__ import annotations

import pytest

from ecluse.formats.camt import read_statement
from ecluse.kernel.errors import Refused

HEAD = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{v}"><BkToCstmrStmt><Stmt>'
TAIL = "</Stmt></BkToCstmrStmt></Document>"
ENTRY = '<Ntry><Amt Ccy="EUR">{euros}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-24</Dt></BookgDt></Ntry>'  # noqa: E501
BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


def document(body: str, v: str = "02") -> bytes:
    return (HEAD.format(v=v) + body + TAIL).encode()


def test_an_entry_without_details_is_one_movement() -> None:
    (movement,) = read_statement(document(ENTRY.format(euros="12.5"))).movements
    assert (movement.amount_cents, movement.credit, movement.booked, movement.end_to_end) == (1250, False, True, "")


def test_several_transactions_of_one_entry_are_as_many_movements() -> None:
    details = "".join(
        f"<TxDtls><Refs><EndToEndId>x{n}</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy='EUR'>{n}.00</Amt></TxAmt></AmtDtls></TxDtls>"  # noqa: E501
        for n in (1, 2)
    )
    body = ENTRY.format(euros="3.00").replace("</Ntry>", f"<NtryDtls>{details}</NtryDtls></Ntry>")
    movements = read_statement(document(body)).movements
    assert [(one.n, one.end_to_end, one.amount_cents) for one in movements] == [(1, "x1", 100), (2, "x2", 200)]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"no xml", b"<x/>", document(ENTRY.format(euros="1.00"), v="01"), document(ENTRY.format(euros="1.00"), v="13"),
        document("<Ntry/>"), document(ENTRY.format(euros="1.005")), document(ENTRY.format(euros="-1.00")),
        document(ENTRY.format(euros="1e3")), document(ENTRY.format(euros="1.00"))[:-30],
        BOMB.encode() + document(ENTRY.format(euros="1.00")), document(ENTRY.format(euros="1")).decode().encode("utf-16"),
        document(ENTRY.format(euros="1.00").replace("2026-11-24", "2026-02-30")),
        document(ENTRY.format(euros="1.00").replace("DBIT", "BOTH")),
        document(ENTRY.format(euros="1.00").replace("</Ntry>", "<NtryDtls><TxDtls/><TxDtls/></NtryDtls></Ntry>")),
    ],
)  # fmt: skip
def test_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="statement_invalid"):
        read_statement(data)


def test_an_empty_statement_has_no_movement() -> None:
    assert read_statement(document("<Id>1</Id>")).movements == ()
