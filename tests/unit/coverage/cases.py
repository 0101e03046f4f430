"""The cases of tests/cases/coverage, written for jurists, read into what `price` takes.

Amounts are euros with two decimals. `given` describes the line (its own keys), the contract (a `guarantee` or the name of
a `product` file, and its own keys), and may hold several `lines` or `contracts`, which change what stands beside them, and
what was `used` before. `expect` is one split, or one for each line.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec.structs import fields, replace

from ecluse.claims.claim import Billed, Priced
from ecluse.claims.price import Payer, price, priceable
from ecluse.coverage.accounts import Dated, account_name
from ecluse.coverage.facts import Facts
from ecluse.coverage.line import Line, Used
from ecluse.coverage.product import Product, Row, Year, canonical, read_product
from ecluse.kernel.money import euros
from ecluse.rights.model import Covered, Domain
from ecluse.rules.book import open_book

FOLDER = Path(__file__).parents[2] / "cases"
SUBJECTS = sorted(path for path in (FOLDER / "coverage").glob("*.yaml") if path.stem != "forms")  # forms: the edges
BOOK = open_book()
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays a text


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A case as its file holds it: these keys and no other."""

    name: str
    day: date
    given: dict[str, Any]
    expect: Expected | tuple[Expected, ...]
    because: str
    source: str


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who pays what of a line. `pays` is what each contract pays; `consumed` what is added to each account."""

    amo: str
    amc: str
    patient: str
    pays: tuple[str, ...] | None = None
    consumed: dict[str, Consumed] | None = None


class Consumed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Acts and euros of one account, named by its period: `Y`, `24M`, `Y+AMO`."""

    acts: int = 0
    euros: str = "0"


class Stated(Facts, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The line: expense, base and rate of the AMO, and the facts that are stated of it. `on` is another day of care."""

    expense: str
    base: str = "0"
    rate: str = "0%"
    act: str = "CS"
    on: date | None = None
    quantity: int = 1
    price_limit: str | None = None


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contract: a notation, or a product file of tests/cases/products; `since` is the day of membership."""

    guarantee: str = "NONE"
    product: str = ""
    responsible: bool = True
    year: Year = Year.CALENDAR
    each_side: bool = False
    waiting_months: int = 0
    since: date | None = None


class Before(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was used of an account on a day, by claims that are not in the case; no account named: there is only one."""

    on: date
    acts: int = 0
    euros: str = "0"
    account: str = ""


class Case(msgspec.Struct, frozen=True):
    """What is priced, under which contracts, after what."""

    written: Written
    domain: Domain
    lines: tuple[tuple[Billed, Line], ...]
    payers: tuple[Payer, ...]
    kept: dict[str, list[Dated]]

    def priced(self) -> tuple[Priced, ...]:
        return price(self.domain, self.lines, lambda _day: self.payers, self.kept)

    @property
    def expected(self) -> tuple[Expected, ...]:
        expect = self.written.expect
        return expect if isinstance(expect, tuple) else (expect,)


@cache
def cases() -> tuple[tuple[str, Case], ...]:
    """Every case, with the subject that its file is named by; read once."""
    return tuple(
        (path.stem, _case(msgspec.convert(raw, Written, strict=False)))
        for path in SUBJECTS
        for raw in yaml.load(path.read_text(encoding="utf-8"), LOADER)
    )


def _case(written: Written) -> Case:
    given = dict(written.given)
    domain = Domain(given.pop("domain", "MED"))
    lines, contracts, used = given.pop("lines", [{}]), given.pop("contracts", [{}]), given.pop("used", [])
    stated, contract = _keys(given, Stated), _keys(given, Contract)
    assert not given, f"{written.name}: unknown keys {sorted(given)}"
    billed = tuple(
        _billed(number, msgspec.convert(stated | line, Stated, strict=False), written.day)
        for number, line in enumerate(lines, start=1)
    )
    payers = tuple(
        _payer(number, domain, msgspec.convert(contract | each, Contract, strict=False))
        for number, each in enumerate(contracts, start=1)
    )
    return Case(written, domain, billed, payers, _kept(domain, billed[0][0], payers[0], used))


def _keys(given: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: given.pop(name) for name in _names(kind) if name in given}


@cache
def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _billed(number: int, stated: Stated, day: date) -> tuple[Billed, Line]:
    facts = {name: getattr(stated, name) for name in _names(Facts)}
    billed = Billed(
        line=number,
        act=stated.act,
        date=stated.on or day,
        expense_cents=euros(stated.expense),
        base_cents=euros(stated.base),
        amo_rate=stated.rate,
        quantity=stated.quantity,
        **facts,
    )
    line = priceable(billed, number - 1, BOOK)
    limit = None if stated.price_limit is None else euros(stated.price_limit)
    return billed, replace(line, price_limit_cents=limit)


def _payer(number: int, domain: Domain, contract: Contract) -> Payer:
    product = _product_file(contract.product) if contract.product else _product(domain, contract)
    forever = date(9999, 1, 1)
    covered = Covered(
        f"C{number}", "M1", product.product, "v", forever, "SV", "0001", product.responsible, number, contract.since
    )
    return Payer(covered, product)


@cache
def _product_file(name: str) -> Product:
    return read_product((FOLDER / "products" / f"{name}.yaml").read_bytes())


def _product(domain: Domain, contract: Contract) -> Product:
    """A table of one row, through the reader that checks it."""
    row = Row(
        (domain,),
        contract.guarantee,
        "Garantie",
        each_side=contract.each_side,
        waiting_months=contract.waiting_months,
    )
    return read_product(canonical(Product("P", "P", contract.responsible, (row,), contract.year)))


def _kept(domain: Domain, billed: Billed, payer: Payer, used: list[dict[str, str]]) -> dict[str, list[Dated]]:
    """What was used before, of the accounts that the first line reads."""
    kept: dict[str, list[Dated]] = {}
    for each in msgspec.convert(used, tuple[Before, ...], strict=False):
        row = payer.product.find(domain, billed.act, billed.date, billed, payer.covered.since).row
        assert row is not None, "nothing can be used where no row matches"
        account = each.account or min(row.parsed.accounts)
        name = account_name(payer.covered, row, account, billed.side)
        kept.setdefault(name, []).append((each.on, Used(each.acts, euros(each.euros))))
    return kept
