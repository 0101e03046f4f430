"""A small bank: reads the payment files it was given and writes the statement of the day (camt.053.001.08).

Every transfer and direct debit is booked; a few transfers come back because the payee's account is closed (reason AC04).
It knows nothing of the hub's own readers and writers: it finds elements by their names, as another house would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from sim.seeds import stream

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
CLOSED_ACCOUNT = "AC04"  # ISO 20022 external code: the account is closed
RETURNED_PER_MILLE = 15  # assumed; at least one a day, so that a return is always seen


@dataclass(frozen=True)
class Order:
    """One transfer, or one direct debit (`collected`), as the bank was told to make it."""

    reference: str
    amount: Decimal
    name: str
    iban: str
    text: str
    collected: bool

    @property
    def cents(self) -> int:
        """The amount in whole cents."""
        return int(self.amount * 100)


@dataclass(frozen=True)
class PaymentFile:
    """What a payment file says of itself, and its orders."""

    name: str
    count: int
    total: Decimal
    parts: tuple[tuple[int, Decimal], ...]
    iban: str
    orders: tuple[Order, ...]


def read_payment_file(path: Path) -> PaymentFile:
    """Read a pain.001 or a pain.008, whatever its version. Raises ValueError when a control sum is missing."""
    root = ElementTree.parse(path).getroot()
    header = first(root, "GrpHdr")
    parts, orders = [], []
    own = ""
    for block in every(root, "PmtInf"):
        own = text(first(block, "DbtrAcct" if text(first(block, "PmtMtd")) == "TRF" else "CdtrAcct"), "IBAN")
        parts.append((int(text(block, "NbOfTxs")), Decimal(text(block, "CtrlSum"))))
        orders += [order(each, collected=False) for each in every(block, "CdtTrfTxInf")]
        orders += [order(each, collected=True) for each in every(block, "DrctDbtTxInf")]
    total = Decimal(text(header, "CtrlSum"))
    return PaymentFile(path.name, int(text(header, "NbOfTxs")), total, tuple(parts), own, tuple(orders))


def order(element: ElementTree.Element, *, collected: bool) -> Order:
    """One transaction of a payment file."""
    other = "Dbtr" if collected else "Cdtr"
    return Order(
        reference=text(element, "EndToEndId"),
        amount=Decimal(text(element, "InstdAmt")),
        name=text(first(element, other), "Nm"),
        iban=text(first(element, f"{other}Acct"), "IBAN"),
        text=text(element, "Ustrd", ""),
        collected=collected,
    )


def statement(files: list[PaymentFile], seed: int, day: date) -> tuple[bytes, set[str]]:
    """The statement of `day`, and the references of the transfers that came back."""
    draw = stream(seed, "bank", day)
    made = [each for file in files for each in file.orders]
    transfers = [each for each in made if not each.collected]
    count = max(1, len(transfers) * RETURNED_PER_MILLE // 1000) if transfers else 0
    back = {each.reference for each in draw.sample(transfers, count)}
    document = ElementTree.Element("Document", xmlns=NAMESPACE)
    report = ElementTree.SubElement(document, "BkToCstmrStmt")
    now = f"{day.isoformat()}T18:00:00"
    put(report, {"GrpHdr": {"MsgId": f"BANK{day:%Y%m%d}S{seed}", "CreDtTm": now}})
    page = ElementTree.SubElement(report, "Stmt")
    put(
        page,
        {"Id": f"STMT{day:%Y%m%d}S{seed}", "CreDtTm": now, "Acct": {"Id": {"IBAN": files[0].iban if files else ""}}},
    )
    balance = sum((each.amount if each.collected else -each.amount for each in made), Decimal(0))
    balance += sum((each.amount for each in transfers if each.reference in back), Decimal(0))
    for code, amount in (("OPBD", Decimal(0)), ("CLBD", balance)):
        balance_of(page, code, amount, day)
    for each in made:
        entry(page, each, day, credit=each.collected)
    for each in transfers:
        if each.reference in back:
            entry(page, each, day, credit=True, reason=CLOSED_ACCOUNT)
    return ElementTree.tostring(document, encoding="utf-8", xml_declaration=True), back


def balance_of(page: ElementTree.Element, code: str, amount: Decimal, day: date) -> None:
    """One balance of the statement."""
    block = ElementTree.SubElement(page, "Bal")
    put(block, {"Tp": {"CdOrPrtry": {"Cd": code}}})
    money(block, abs(amount))
    put(block, {"CdtDbtInd": "CRDT" if amount >= 0 else "DBIT", "Dt": {"Dt": day.isoformat()}})


def entry(page: ElementTree.Element, made: Order, day: date, *, credit: bool, reason: str = "") -> None:
    """One movement of the statement; `reason` makes it the return of a transfer."""
    block = ElementTree.SubElement(page, "Ntry")
    money(block, made.amount)
    direction = "CRDT" if credit else "DBIT"
    put(block, {"CdtDbtInd": direction})
    if reason:
        put(block, {"RvslInd": "true"})
    put(block, {"Sts": {"Cd": "BOOK"}, "BookgDt": {"Dt": day.isoformat()}, "ValDt": {"Dt": day.isoformat()}})
    family = ("RCDT", "RRTN") if reason else ("RDDT", "ESDD") if made.collected else ("ICDT", "ESCT")
    code: Tree = {"Domn": {"Cd": "PMNT", "Fmly": {"Cd": family[0], "SubFmlyCd": family[1]}}}
    put(block, {"BkTxCd": code})
    details = ElementTree.SubElement(ElementTree.SubElement(block, "NtryDtls"), "TxDtls")
    put(details, {"Refs": {"EndToEndId": made.reference}})
    money(details, made.amount)
    put(details, {"CdtDbtInd": direction})
    if made.text:
        put(details, {"RmtInf": {"Ustrd": made.text}})
    if reason:
        put(details, {"RtrInf": {"Rsn": {"Cd": reason}}})


def money(block: ElementTree.Element, amount: Decimal) -> None:
    """An amount in euros."""
    ElementTree.SubElement(block, "Amt", Ccy="EUR").text = f"{amount:.2f}"


Tree = Mapping[str, "str | Tree"]


def put(parent: ElementTree.Element, tree: Tree) -> None:
    """Add elements named by the keys of `tree`, in order."""
    for name, value in tree.items():
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, str):
            child.text = value
        else:
            put(child, value)


def every(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """All descendants of that name, in any namespace."""
    return [each for each in element.iter() if each.tag.rpartition("}")[2] == name]


def first(element: ElementTree.Element, name: str) -> ElementTree.Element:
    """The first descendant of that name. Raises ValueError when there is none."""
    found = every(element, name)
    if not found:
        raise ValueError(f"no {name} in {element.tag}")
    return found[0]


def text(element: ElementTree.Element, name: str = "", default: str | None = None) -> str:
    """The words of the element, or of its first descendant of that name."""
    if not name:
        return (element.text or "").strip()
    found = every(element, name)
    if not found and default is not None:
        return default
    return (first(element, name).text or "").strip()
