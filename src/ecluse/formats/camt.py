"""Bank statements (camt.053) and notices (camt.054), versions 02 to 08, as movements of the hub's account.

Read safely: no document type, no entity, no network, one entry at a time. Only what reconciling needs is kept: no
name and no account of anyone leaves this file, except the hub's own IBAN.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date

import msgspec
from lxml import etree

from ecluse.kernel.errors import refusal
from ecluse.payments.reconcile import Movement

STATEMENT_BYTES_MAX = 256 * 1024 * 1024  # 40 000 transfers of 1.5 KB are 60 MB: four such days in one file
MOVEMENTS_MAX = 1_000_000
_MESSAGE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.05(?:3|4)\.001\.0[2-8]\}Document")
_EUROS = re.compile(r"([0-9]{1,13})(?:\.([0-9]{0,5}))?")

STATEMENT_INVALID = refusal(
    "statement_invalid",
    400,
    "This is not a bank statement we read",
    fix="Send a camt.053 or camt.054 (versions 02 to 08), UTF-8, as the bank made it.",
)
STATEMENT_TOO_LARGE = refusal(
    "statement_too_large", 413, "This statement is too large", fix="Ask the bank for one file a day."
)


class Statement(msgspec.Struct, frozen=True):
    """What a file says: the accounts it is about, and their movements in the order of the file."""

    ibans: frozenset[str]
    movements: tuple[Movement, ...]


def read_statement(data: bytes) -> Statement:
    """Read a camt.053 or camt.054. Raises `statement_invalid` or `statement_too_large`."""
    if len(data) > STATEMENT_BYTES_MAX:
        raise STATEMENT_TOO_LARGE()
    if (
        b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\0" in data[:8]
    ):  # bombs and outside files come in by these doors
        raise STATEMENT_INVALID("it declares a document type, or is not UTF-8")
    ibans, movements = set[str](), list[Movement]()
    try:
        for element in _elements(data):
            if _name(element) == "Acct" and (iban := _text(element, "Id", "IBAN")):
                ibans.add(iban)
            elif _name(element) == "Ntry":
                movements.extend(_movements(element, len(movements) + 1))
                element.clear()
            if len(movements) > MOVEMENTS_MAX:
                raise STATEMENT_TOO_LARGE()
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise STATEMENT_INVALID(f"it cannot be read ({type(wrong).__name__})") from None
    return Statement(frozenset(ibans), tuple(movements))


def _elements(data: bytes) -> Iterator[etree._Element]:
    """The finished elements of interest, after a look at the root."""
    parser = etree.iterparse(
        io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )  # fmt: skip
    _, root = next(iter(parser))
    if not _MESSAGE.fullmatch(str(root.tag)):
        raise ValueError("another message")
    for event, element in parser:
        parent = element.getparent()
        if event == "end" and parent is not None and _name(parent) in {"Stmt", "Ntfctn"}:
            yield element


def _movements(entry: etree._Element, n: int) -> Iterator[Movement]:
    """One movement a transaction of the entry; an entry without details is one movement."""
    details = [each for block in _all(entry, "NtryDtls") for each in _all(block, "TxDtls")]
    for place, detail in enumerate(details or [entry]):
        yield _movement(entry, detail, n + place, alone=len(details) < 2)


def _movement(entry: etree._Element, detail: etree._Element, n: int, *, alone: bool) -> Movement:
    amount = _find(detail, "Amt")
    if amount is None:
        amount = _find(detail, "AmtDtls", "TxAmt", "Amt")
    if amount is None:
        if not alone:
            raise ValueError("a transaction without its amount")
        amount = _find(entry, "Amt")
    if amount is None:
        raise ValueError("an entry without its amount")
    direction = _text(detail, "CdtDbtInd") or _text(entry, "CdtDbtInd")
    if direction not in {"CRDT", "DBIT"}:
        raise ValueError("neither credit nor debit")
    return Movement(
        n=n,
        booked_on=_day(entry),
        amount_cents=_cents(amount.text or ""),
        currency=amount.get("Ccy") or "",
        credit=direction == "CRDT",
        booked=(_text(entry, "Sts", "Cd") or _text(entry, "Sts")) == "BOOK",
        end_to_end=_text(detail, "Refs", "EndToEndId")[:35],
        text=_free_text(detail),
        returned=_find(detail, "RtrInf") is not None,
        reason=(_text(detail, "RtrInf", "Rsn", "Cd") or _text(detail, "RtrInf", "Rsn", "Prtry"))[:35],
    )


def _free_text(detail: etree._Element) -> str:
    remittance = _find(detail, "RmtInf")
    if remittance is None:
        return _text(detail, "AddtlNtryInf") or _text(detail, "AddtlTxInf")
    return " ".join(str(text) for text in remittance.itertext())


def _day(entry: etree._Element) -> date:
    text = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm") or _text(entry, "ValDt", "Dt")
    return date.fromisoformat(text[:10])


def _cents(text: str) -> int:
    found = _EUROS.fullmatch(text.strip())
    if not found or (found[2] or "")[2:].strip("0"):
        raise ValueError("an amount that is not whole cents")
    return int(found[1]) * 100 + int((found[2] or "")[:2].ljust(2, "0"))


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if _name(child) == name]


def _find(element: etree._Element, *path: str) -> etree._Element | None:
    for name in path:
        children = _all(element, name)
        if not children:
            return None
        element = children[0]
    return element


def _text(element: etree._Element, *path: str) -> str:
    found = _find(element, *path)
    return (found.text or "").strip() if found is not None else ""
