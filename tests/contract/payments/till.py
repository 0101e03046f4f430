"""A hub with claims to pay, on the real engines; what a bank would answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import Any

from stdnum import luhn

from ecluse.app import directory, entering, payments, statements
from ecluse.app import lost_runs as lost
from ecluse.app.payments import Till
from ecluse.doors.http import remittances
from ecluse.engines.files import Folder
from ecluse.engines.keys.file import open_keys
from ecluse.engines.keys.keyring import Opening
from ecluse.engines.schemas import Schemas
from ecluse.engines.sql.ledger import balances, book
from ecluse.journal.entry import Entry
from ecluse.payments.ledger import accepted, cancelled
from ecluse.payments.transfer import Debtor
from tests.stores import Books, chosen, now, open_stores

OWN = "FR7630006000011234567890189"
PAYEE = "FR1420041010050500013M02606"
DAY = date(2026, 11, 23)  # a Monday
INSURERS = ("0075000001", "0075000002")


def at_once(use_case: Callable[..., Any]) -> Callable[..., Any]:
    """A use case for tests that have no event loop."""

    @wraps(use_case)
    def ended(*given: Any, **named: Any) -> Any:
        return now(use_case(*given, **named))

    return ended


run_payments, write_again, show = map(at_once, (payments.run_payments, payments.write_again, payments.show))
load_practices, load_insurers = map(at_once, (directory.load_practices, directory.load_insurers))
load_statement = at_once(statements.load_statement)
taken = at_once(payments.taken)
enter_run, lost_runs = at_once(entering.enter_run), at_once(lost.lost_runs)
own_remittance, own_remittances = map(at_once, (remittances.own_remittance, remittances.own_remittances))

DEBTOR = Debtor("Écluse", OWN, "AGRIFRPP", "FR72ZZZ123456")


def practice(n: int) -> str:
    body = f"75{n:06d}"
    return body + luhn.calc_check_digit(body)


class Noon:
    """A clock that stands at noon of `DAY`, or where it is put."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class House:
    """A hub's payments without its doors."""

    def __init__(self, place: Path, url: str) -> None:
        (place / "keys").mkdir(exist_ok=True)
        self.place = place
        self.clock = Noon()
        self.keys = open_keys(Opening("keys/hub.keys", place), new=True)
        self.stores = open_stores(url, place, self.keys)
        self.payments, self.directory = self.stores.payments, self.stores.directory
        self.books = Books(url, place)
        self.one, self.all, self.change = self.books.one, self.books.all, self.books.change
        self.told: list[Entry] = []  # to the journal
        self.till = Till(
            self.clock, self.keys, self.payments, self.directory, Folder(place / "out"), Schemas(), DEBTOR, self._tell
        )
        self._claims = 0

    async def _tell(self, entry: Entry) -> None:
        self.told.append(entry)

    def know(self, *practices: int) -> None:
        rows = "".join(f"{practice(n)},Cabinet n° {n},{PAYEE},\n" for n in practices)
        load_practices(self.keys, self.directory, f"practice,name,iban,bic\n{rows}".encode())

    def know_insurers(self) -> None:
        rows = f"{INSURERS[0]},Mutuelle de l’Œuvre,{PAYEE},M-1,2020-01-01\n{INSURERS[1]},Prévoyance & Cie,{PAYEE},,\n"
        load_insurers(self.keys, self.directory, f"insurer,name,iban,mandate,mandate_signed_on\n{rows}".encode())

    def accept(
        self,
        place: int,
        cents: int,
        insurer: int = 0,
        on: date = DAY,
        pay_by: str = "2026-12-02",
        person: bytes = b"",
    ) -> str:
        self._claims += 1
        claim, amc = f"clm_{self._claims:020d}", INSURERS[insurer]
        row = (claim, practice(place), f"F-{self._claims}", b"", amc, person, cents, on.isoformat(), pay_by, b"")
        self.change(
            "INSERT INTO claim (id, practice, invoice, body, insurer, person, state, amc_cents, received_on, pay_by, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?, 'accepted', ?, ?, ?, ?)",
            *row,
        )
        self.book(accepted(claim, amc, practice(place), cents))
        return claim

    def cancel(self, claim: str) -> None:
        row = self.one("SELECT insurer, practice, amc_cents FROM claim WHERE id = ?", claim)
        self.change("UPDATE claim SET state = 'cancelled' WHERE id = ?", claim)
        self.book(cancelled(claim, *row))

    def book(self, entry) -> None:
        now(self.books.database.write(lambda tx: book(tx, [entry], 0)))

    def state(self, claim: str) -> str:
        return self.one("SELECT state FROM claim WHERE id = ?", claim)[0]

    def balances(self) -> dict[str, int]:
        return now(balances(self.books.database.reads))

    def files(self) -> dict[str, bytes]:
        out = self.place / "out"
        files = [path for path in sorted(out.rglob("*")) if path.is_file() and path.name != ".turn"]
        return {str(path.relative_to(out)): path.read_bytes() for path in files}

    def close(self) -> None:
        now(self.stores.close())
        now(self.books.close())


@contextlib.contextmanager
def house(place: Path, url: str | None = None) -> Iterator[House]:
    made = House(place, url or chosen())
    try:
        yield made
    finally:
        made.close()


def statement(*entries: str, version: str = "02", message: str = "053", iban: str = OWN) -> bytes:
    outer, inner = ("BkToCstmrStmt", "Stmt") if message == "053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    head = f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{message}.001.{version}">'
    account = f"<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"
    body = "".join(entries)
    return f"{head}<{outer}><{inner}><Id>1</Id>{account}{body}</{inner}></{outer}></Document>".encode()


def entry(
    reference: str = "", euros: str = "0.00", *, credit: bool = False, reason: str = "", text: str = "", status: str = "BOOK",
    on: str = "2026-11-24", version: str = "02", currency: str = "EUR",
) -> str:  # fmt: skip
    direction = "CRDT" if credit else "DBIT"
    amount = f'<Amt Ccy="{currency}">{euros}</Amt>'
    said = f"<Sts>{status}</Sts>" if version < "08" else f"<Sts><Cd>{status}</Cd></Sts>"
    refs = f"<Refs><EndToEndId>{reference}</EndToEndId></Refs>" if reference else ""
    own = (
        f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"
        if version < "08"
        else f"{amount}<CdtDbtInd>{direction}</CdtDbtInd>"
    )
    back = f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>" if reason else ""
    free = f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf>" if text else ""
    return (
        f"<Ntry>{amount}<CdtDbtInd>{direction}</CdtDbtInd>{said}<BookgDt><Dt>{on}</Dt></BookgDt>"
        f"<NtryDtls><TxDtls>{refs}{own}{free}{back}</TxDtls></NtryDtls></Ntry>"
    )
