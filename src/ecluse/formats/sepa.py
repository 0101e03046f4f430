"""ISO 20022 files for the bank: pain.001.001.09 (transfers) and pain.008.001.08 (direct debits), as SEPA restricts them.

Sources: EPC132-08 (credit transfer) and EPC130-08 (core direct debit), customer-to-bank guidelines; characters of
EPC217-08. The same values give the same bytes: nothing here reads a clock or draws an id. The schemas are the
engine's (`Schemas` port).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from lxml import etree

from ecluse.kernel.money import as_euros, euros
from ecluse.payments.transfer import Collection, Debtor, Instruction, Payee, Transfer, bank_reference, reference_in

PAIN_001 = "pain.001.001.09"
PAIN_008 = "pain.008.001.08"
_PAYEE = (
    ("Cdtr", "Nm"),
    ("CdtrAcct", "Id", "IBAN"),
    ("CdtrAgt", "FinInstnId", "BICFI"),
)  # of a transfer: name, IBAN, BIC
NAME_MAX = 70  # the scheme's limit, below the 140 of the schema
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")
_SPELT = str.maketrans(
    {
        "œ": "oe",
        "Œ": "OE",
        "æ": "ae",
        "Æ": "AE",
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "’": "'",
        "‘": "'",
        "«": "'",
        "»": "'",
        "–": "-",
        "—": "-",
        "&": "+",
        "€": "EUR",
        "_": "-",
    }
)

Node: TypeAlias = "tuple[str, str | Sequence[Node]]"


def sepa_text(text: str) -> str:
    """`text` in SEPA's characters, never empty, `NAME_MAX` at most: accents go, what has no equivalent becomes a full stop."""
    bare = unicodedata.normalize("NFKD", text.translate(_SPELT))
    kept = "".join(one if one in _ALLOWED else "." for one in bare if not unicodedata.combining(one))
    while "//" in kept:  # EPC217-08: no double slash, none at either end
        kept = kept.replace("//", "/")
    return " ".join(kept.split()).strip("/ ")[:NAME_MAX].rstrip("/ ") or "."


def transfers_file(instruction: Instruction, transfers: Sequence[Transfer]) -> bytes:
    """A pain.001.001.09 that asks for `transfers`, one remittance each; its sums and counts are those of its lines."""
    total = as_euros(sum(one.amount_cents for one in transfers))
    own = instruction.own
    payment: list[Node] = [
        *_opening(instruction, "TRF", len(transfers), total),
        ("ReqdExctnDt", [("Dt", instruction.day.isoformat())]),
        ("Dbtr", [("Nm", sepa_text(own.name))]),
        ("DbtrAcct", _account(own.iban)),
        ("DbtrAgt", _agent(own.bic)),
        ("ChrgBr", "SLEV"),
    ]
    lines = (_transfer(one) for one in transfers)
    return _message(PAIN_001, "CstmrCdtTrfInitn", _header(instruction, len(transfers), total), payment, lines)


def _transfer(transfer: Transfer) -> Node:
    reference = bank_reference(transfer.remittance)
    return ("CdtTrfTxInf", [
        ("PmtId", [("EndToEndId", reference)]),
        ("Amt", [("InstdAmt", as_euros(transfer.amount_cents))]),
        *([("CdtrAgt", _agent(transfer.payee.bic))] if transfer.payee.bic else []),
        ("Cdtr", [("Nm", sepa_text(transfer.payee.name))]),
        ("CdtrAcct", _account(transfer.payee.iban)),
        ("RmtInf", [("Ustrd", f"TIERS PAYANT {reference}")]),
    ])  # fmt: skip


def as_written(payee: Payee) -> Payee:
    """A payee as a file has it."""
    return Payee(sepa_text(payee.name), payee.iban, payee.bic)


def read_transfers(document: bytes) -> list[Transfer]:
    """The transfers of a file that `transfers_file` made. Raises `ValueError` on anything else."""
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as broken:
        raise ValueError from broken
    within = f"{{urn:iso:std:iso:20022:tech:xsd:{PAIN_001}}}"
    transfers = []
    for each in root.iter(f"{within}CdtTrfTxInf"):
        remittance = reference_in(each.findtext(f"{within}PmtId/{within}EndToEndId", ""))
        if remittance is None:
            raise ValueError
        name, iban, bic = (each.findtext("/".join(within + tag for tag in path), "") for path in _PAYEE)
        cents = euros(each.findtext(f"{within}Amt/{within}InstdAmt", ""))
        transfers.append(Transfer(remittance, cents, Payee(name, iban, bic)))
    return transfers


def collections_file(instruction: Instruction, collections: Sequence[Collection]) -> bytes:
    """A pain.008.001.08 that collects `collections` under their mandates; the hub's own account has a creditor identifier."""
    assert instruction.own.creditor_id
    total = as_euros(sum(one.amount_cents for one in collections))
    own = instruction.own
    payment: list[Node] = [
        *_opening(instruction, "DD", len(collections), total, ("LclInstrm", [("Cd", "CORE")]), ("SeqTp", "RCUR")),
        ("ReqdColltnDt", instruction.day.isoformat()),
        ("Cdtr", [("Nm", sepa_text(own.name))]),
        ("CdtrAcct", _account(own.iban)),
        ("CdtrAgt", _agent(own.bic)),
        ("ChrgBr", "SLEV"),
        ("CdtrSchmeId", _creditor(own)),
    ]
    lines = (_collection(one) for one in collections)
    return _message(PAIN_008, "CstmrDrctDbtInitn", _header(instruction, len(collections), total), payment, lines)


def _collection(collection: Collection) -> Node:
    settlement, reference = collection.settlement, bank_reference(collection.call)
    assert settlement.mandate
    assert settlement.mandate_signed_on
    mandate: list[Node] = [("MndtId", settlement.mandate), ("DtOfSgntr", settlement.mandate_signed_on.isoformat())]
    return ("DrctDbtTxInf", [
        ("PmtId", [("EndToEndId", reference)]),
        ("InstdAmt", as_euros(collection.amount_cents)),
        ("DrctDbtTx", [("MndtRltdInf", mandate)]),
        ("DbtrAgt", _agent("")),
        ("Dbtr", [("Nm", sepa_text(settlement.name))]),
        ("DbtrAcct", _account(settlement.iban)),
        ("RmtInf", [("Ustrd", f"APPEL DE FONDS {reference}")]),
    ])  # fmt: skip


def _header(instruction: Instruction, count: int, total: str) -> Node:
    made_at = datetime.fromtimestamp(instruction.made_at_ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ("GrpHdr", [
        ("MsgId", bank_reference(instruction.id)),
        ("CreDtTm", made_at),
        ("NbOfTxs", str(count)),
        ("CtrlSum", total),
        ("InitgPty", [("Nm", sepa_text(instruction.own.name))]),
    ])  # fmt: skip


def _opening(instruction: Instruction, method: str, count: int, total: str, *more: Node) -> list[Node]:
    return [
        ("PmtInfId", bank_reference(instruction.id)),
        ("PmtMtd", method),
        ("BtchBookg", "false"),  # one line of the statement a transfer: that is how it is read back
        ("NbOfTxs", str(count)),
        ("CtrlSum", total),
        ("PmtTpInf", [("SvcLvl", [("Cd", "SEPA")]), *more]),
    ]


def _account(iban: str) -> Sequence[Node]:
    return [("Id", [("IBAN", iban)])]


def _agent(bic: str) -> Sequence[Node]:
    """The bank, or the scheme's word for one left unnamed: a SEPA payment needs the IBAN only."""
    identified: Node = ("BICFI", bic) if bic else ("Othr", [("Id", "NOTPROVIDED")])
    return [("FinInstnId", [identified])]


def _creditor(own: Debtor) -> Sequence[Node]:
    other: Node = ("Othr", [("Id", own.creditor_id), ("SchmeNm", [("Prtry", "SEPA")])])
    return [("Id", [("PrvtId", [other])])]


def _message(name: str, root: str, header: Node, payment: Sequence[Node], lines: Iterable[Node]) -> bytes:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{name}"
    document = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})  # type: ignore[dict-item]  # lxml-stubs forget the default namespace
    body = etree.SubElement(document, f"{{{namespace}}}{root}")
    _grow(body, header, f"{{{namespace}}}")
    information = etree.SubElement(body, f"{{{namespace}}}PmtInf")
    for node in payment:
        _grow(information, node, f"{{{namespace}}}")
    for node in lines:
        _grow(information, node, f"{{{namespace}}}")
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8")


def _grow(parent: etree._Element, node: Node, namespace: str) -> None:
    tag, content = node
    element = etree.SubElement(parent, namespace + tag)
    if tag == "InstdAmt":
        element.set("Ccy", "EUR")
    if isinstance(content, str):
        element.text = content
        return
    for child in content:
        _grow(element, child, namespace)
