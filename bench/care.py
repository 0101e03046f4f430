"""Synthetic care for benches: a guarantee table as insurers publish them, and bills that its rows and counts speak of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from msgspec import convert

from ecluse.claims.claim import Billed
from ecluse.claims.price import Payer
from ecluse.coverage.product import read_product
from ecluse.kernel.days import FOREVER
from ecluse.rights.model import Covered, Domain

DAY = date(2026, 11, 23)
MEMBER_SINCE = date(2021, 3, 1)
LINES_A_BILL = 3

# Rows in the order of a printed table, and the rows looked for are spread over it: few stand first.
TABLE = """product: CONFORT
label: Formule confort
responsible: true
guarantees:
  - {domains: [HOSP], acts: [FJ], guarantee: "FR:100", label: Forfait journalier}
  - {domains: [HOSP], acts: [CHP], guarantee: "EUR:60<=ACTS:90/Y", label: Chambre particulière}
  - {domains: [HOSP], when: {optam: true}, guarantee: "BR_INCL:250", label: Honoraires OPTAM}
  - {domains: [HOSP], guarantee: "BR_INCL:200", label: Honoraires}
  - {domains: [MED], acts: [CS, APC], when: {optam: true}, guarantee: "BR_INCL:200", label: Consultations OPTAM}
  - {domains: [MED], acts: [CS, APC], guarantee: "BR_INCL:180", label: Consultations}
  - {domains: [MED], acts: [OSTEO, CHIRO], guarantee: "EUR_ACT:30/5Y", label: Médecines douces}
  - {domains: [MED], acts: [PSY], guarantee: "REST:100<=EUR:400/Y", label: Psychologue}
  - {domains: [MED], guarantee: "TM:100", label: Autres soins}
  - {domains: [PHAR], acts: [VAC], guarantee: "EUR_YEAR:50", label: Vaccins non remboursés}
  - {domains: [PHAR], guarantee: "TM:100", label: Pharmacie}
  - {domains: [LABO, RADI, AUXM], guarantee: "BR_INCL:125", label: Analyses et auxiliaires}
  - {domains: [DENT], when: {basket: 100S}, guarantee: "BASKET:100S", label: Dentaire 100 % Santé}
  - {domains: [DENT], acts: [HBLD038, HBLD680], when: {basket: controlled}, count: dental,
     guarantee: "TM:100+REST:85[EUR:1900/Y]", label: Prothèses maîtrisées}
  - {domains: [DENT], acts: [HBLD038, HBLD680], count: dental, guarantee: "TM:100+REST:60[EUR:1900/Y]", label: Prothèses}
  - {domains: [DENT], acts: [TO, ORT], guarantee: "BR_INCL:300", label: Orthodontie}
  - {domains: [DENT], guarantee: "TM:100", label: Soins dentaires}
  - {domains: [OPTI], when: {basket: 100S}, guarantee: "BASKET:100S<=ACTS:1/24M", label: Lunettes 100 % Santé}
  - {domains: [OPTI], acts: [LUN], when: {equipment: [a]}, guarantee: "TM:100+EUR:320<=EUR_INCL:420<=ACTS:1/24M",
     count: glasses, label: Verres simples}
  - {domains: [OPTI], acts: [LUN], guarantee: "TM:100+EUR:600<=EUR_INCL:700<=ACTS:1/24M", count: glasses,
     label: Verres complexes}
  - {domains: [OPTI], acts: [LEN], guarantee: "EUR_YEAR:150", label: Lentilles}
  - {domains: [AUDI], guarantee: "TM:100+EUR:900<=EUR_INCL:1700<=ACTS:1/48M", each_side: true, label: Aides auditives}
"""
SECOND_TABLE = """product: RENFORT
label: Surcomplémentaire
responsible: false
guarantees:
  - {domains: [MED, DENT], guarantee: "BR_INCL:300", label: Dépassements}
  - {domains: [OPTI], guarantee: "REST:50[EUR:200/24M]", label: Optique}
"""

# One bill each: the domain, then act, expense, base, rate and stated facts of its lines.
_Line = tuple[str, int, int, str, dict[str, Any]]
BILLS: tuple[tuple[Domain, tuple[_Line, ...]], ...] = (
    (Domain.MED, (("CS", 5_000, 3_150, "70%", {"optam": True}), ("K", 6_000, 4_000, "70%", {}), ("CS", 6_500, 3_150, "70%", {}))),
    (Domain.MED, (("OSTEO", 6_000, 0, "0%", {}), ("OSTEO", 6_500, 0, "0%", {}), ("PSY", 5_000, 5_000, "60%", {}))),
    (Domain.PHAR, (("PH7", 1_250, 1_250, "65%", {}), ("PH4", 830, 830, "30%", {}), ("VAC", 2_400, 0, "0%", {}))),
    (
        Domain.DENT,
        (
            ("HBLD680", 54_000, 12_000, "60%", {"basket": "controlled"}),
            ("HBLD038", 50_000, 12_000, "60%", {"basket": "100S"}),
            ("SC", 2_892, 2_892, "60%", {}),
        ),
    ),
    (
        Domain.OPTI,
        (
            ("LUN", 39_000, 9, "60%", {"basket": "free", "equipment": "a"}),
            ("LEN", 12_000, 0, "0%", {}),
            ("LEN", 9_000, 0, "0%", {}),
        ),
    ),
    (
        Domain.AUDI,
        (
            ("PAU", 140_000, 40_000, "60%", {"side": "left", "basket": "free"}),
            ("PAU", 140_000, 40_000, "60%", {"side": "right", "basket": "free"}),
            ("PIL", 150, 150, "60%", {"side": "left"}),
        ),
    ),
)  # fmt: skip

Bill = tuple[Domain, tuple[Billed, ...], tuple[Payer, ...]]


def payers() -> tuple[Payer, Payer]:
    """The first contract and the one that pays after it."""
    tables = (("C1", TABLE), ("C2", SECOND_TABLE))
    return tuple(_payer(contract, text, rank) for rank, (contract, text) in enumerate(tables, start=1))  # type: ignore[return-value]


def _payer(contract: str, text: str, rank: int) -> Payer:
    product = read_product(text.encode())
    covered = Covered(contract, "M1", product.product, "v1", FOREVER, "SV", "0001", True, rank, MEMBER_SINCE)
    return Payer(covered, product)


def bills(count: int) -> Iterator[Bill]:
    """Bills of three lines with spread-out amounts, the same in every run; every second one has two contracts."""
    both = payers()
    for number in range(count):
        domain, lines = BILLS[number % len(BILLS)]
        day = DAY - timedelta(days=number % 200)
        made = (_billed(place, day, number * 37 % 900, line) for place, line in enumerate(lines, start=1))
        yield domain, tuple(made), both if number // len(BILLS) % 2 else both[:1]


def _billed(place: int, day: date, more_cents: int, line: _Line) -> Billed:
    act, expense, base, rate, facts = line
    priced = {"expense_cents": expense + more_cents, "base_cents": base, "amo_rate": rate}
    return convert({"line": place, "act": act, "date": day} | priced | facts, Billed)
