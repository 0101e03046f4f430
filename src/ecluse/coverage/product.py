"""Guarantee tables: what one product of an insurer promises, by domain, act, stated facts and day of care.

A product is read once from YAML, checked to the last key, and from then on is a value: a version is named by the digest
of its canonical form, and never changes. The first row that matches wins; no row means that nothing is paid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from ecluse.coverage.facts import AGE_YEARS_MAX, NOTHING_STATED, Basket, Equipment, Facts, Pathway, Renewal
from ecluse.coverage.guarantee import Guarantee
from ecluse.coverage.notation import LENGTH_MAX, parse, write
from ecluse.coverage.yaml_lines import BAD_PRODUCT, read_lines
from ecluse.kernel.days import months_after
from ecluse.kernel.errors import Refused, place_of
from ecluse.kernel.patterns import END
from ecluse.rights.model import Domain

ROWS_MAX = 2000  # the longest published table has under 200 rows; each look-up reads them in order
ACTS_MAX = 500  # acts named by one row
WAITING_MONTHS_MAX = 24  # the longest delay seen in a contract is a year

ProductId = Annotated[
    str, Meta(pattern=rf"^[A-Za-z0-9][A-Za-z0-9_.-]{{0,63}}{END}", description="Name in member feeds")
]
Label = Annotated[str, Meta(min_length=1, max_length=200)]
Act = Annotated[str, Meta(pattern=rf"^[A-Z0-9][A-Z0-9+]{{0,12}}{END}", description="Code of the act: CS, APC, HBLD038")]
Notation = Annotated[
    str, Meta(min_length=1, max_length=LENGTH_MAX, description="BR_INCL:150, REST:85[EUR:1900/Y]; see docs/coverage.md")
]
Age = Annotated[int, Meta(ge=0, le=AGE_YEARS_MAX)]
Count = Annotated[
    str, Meta(pattern=rf"^[a-z][a-z0-9_]{{0,31}}{END}", description="Rows of the same name share their accounts")
]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The facts a row asks for, all of them. A fact that is not stated does not hold. Ages are years, both inside."""

    optam: bool | None = None
    network: bool | None = None
    basket: Basket | None = None
    equipment: Annotated[tuple[Equipment, ...], Meta(min_length=1, max_length=len(Equipment))] | None = None
    renewal: Renewal | None = None
    pathway: Pathway | None = None
    age_from: Age | None = None
    age_to: Age | None = None

    def holds(self, facts: Facts) -> bool:
        """Whether every fact asked for is stated so."""
        return (
            (self.optam is None or facts.optam is self.optam)
            and (self.network is None or facts.network is self.network)
            and (self.basket is None or facts.basket is self.basket)
            and (self.equipment is None or facts.equipment in self.equipment)
            and (self.renewal is None or facts.renewal is self.renewal)
            and (self.pathway is None or facts.pathway is self.pathway)
            and (self.age_from is None or (facts.age_years is not None and facts.age_years >= self.age_from))
            and (self.age_to is None or (facts.age_years is not None and facts.age_years <= self.age_to))
        )


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """One promise: for these domains, acts (none named: all), facts and days of care, this guarantee.

    `count` names the accounts that rows share; without it they are the row's own. `each_side` keeps them apart for left
    and right, and then asks for a side. `waiting_months` run from the first day of the member's unbroken rights.
    """

    domains: Annotated[tuple[Domain, ...], Meta(min_length=1, max_length=len(Domain))]
    guarantee: Notation
    label: Label
    acts: Annotated[tuple[Act, ...], Meta(min_length=1, max_length=ACTS_MAX)] | None = None
    first_day: date | None = field(default=None, name="from")
    last_day: date | None = field(default=None, name="to")
    when: When | None = None
    count: Count | None = None
    each_side: bool = False
    waiting_months: Annotated[int, Meta(ge=0, le=WAITING_MONTHS_MAX)] = 0

    @cached_property
    def parsed(self) -> Guarantee:
        """The guarantee as a value."""
        return parse(self.guarantee)

    @cached_property
    def counted_as(self) -> tuple[str, ...]:
        """The words that name its accounts: those of its count, or what it speaks of."""
        return (f"#{self.count}",) if self.count else (" ".join(self.domains), " ".join(self.acts or ()))

    def matches(self, domain: Domain, act: str, day: date, facts: Facts = NOTHING_STATED) -> bool:
        """Whether this row speaks of `act` in `domain` on `day`; both its first and last day are inside."""
        return (
            domain in self.domains
            and (self.acts is None or act in self.acts)
            and self.holds_on(day)
            and (self.when is None or self.when.holds(facts))
            and not (self.each_side and facts.side is None)
        )

    def holds_on(self, day: date) -> bool:
        """Whether this row speaks of care of `day`."""
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day <= self.last_day)

    def opens_on(self, since: date | None) -> date | None:
        """The first day after the waiting period of a member covered `since`; None if there is nothing to wait for."""
        return months_after(since, self.waiting_months) if since and self.waiting_months else None


class Year(StrEnum):
    """What a contract's year is: the calendar's, or from the day of membership to its anniversary."""

    CALENDAR = "calendar"
    MEMBERSHIP = "membership"


class Found(msgspec.Struct, frozen=True):
    """What a table says of a line: the row that pays, and the rows before it that do not pay yet, with their day."""

    row: Row | None
    waiting: tuple[tuple[Row, date], ...] = ()


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """A guarantee table; `responsible` as in article L871-1 du code de la sécurité sociale; `source` for a published one."""

    product: ProductId
    label: Label
    responsible: bool
    guarantees: Annotated[tuple[Row, ...], Meta(min_length=1, max_length=ROWS_MAX)]
    year: Year = Year.CALENDAR
    source: Annotated[str, Meta(max_length=500)] = ""

    @cached_property
    def by_domain(self) -> Mapping[Domain, tuple[Row, ...]]:
        """The rows that speak of each domain, in their order."""
        return {domain: tuple(row for row in self.guarantees if domain in row.domains) for domain in Domain}

    def find(
        self, domain: Domain, act: str, day: date, facts: Facts = NOTHING_STATED, since: date | None = None
    ) -> Found:
        """The first row that speaks of the line and is past its waiting period; none: then nothing is paid."""
        waiting: list[tuple[Row, date]] = []
        for row in self.by_domain[domain]:
            if not row.matches(domain, act, day, facts):
                continue
            opens_on = row.opens_on(since)
            if opens_on is None or opens_on <= day:
                return Found(row, tuple(waiting))
            waiting.append((row, opens_on))
        return Found(None, tuple(waiting))


_FIXES = (  # what msgspec says, and what the author of the file can do about it
    ("missing required field", "Add this key."),
    ("", "Correct the value; quote text that YAML reads as something else, as acts: ['123']."),
)
_WORDS = {
    "domains": Domain,
    "basket": Basket,
    "equipment": Equipment,
    "renewal": Renewal,
    "pathway": Pathway,
    "year": Year,
}
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Product)


def read_product(data: bytes) -> Product:
    """Read a product file. Raises `product_invalid` with the line, the pointer and what to correct."""
    values, lines = read_lines(data)
    try:
        product = msgspec.convert(values, Product)
    except msgspec.ValidationError as error:
        raise _refused(str(error), lines) from None
    rows = tuple(_checked(row, f"/guarantees/{index}", lines) for index, row in enumerate(product.guarantees))
    return msgspec.structs.replace(product, guarantees=rows)


def canonical(product: Product) -> bytes:
    """The product as JSON with sorted keys and no defaults: the same table always gives the same bytes."""
    return _ENCODER.encode(product)


def from_canonical(data: bytes) -> Product:
    """The product again, from bytes that `canonical` gave (they are ours: not checked a second time)."""
    return _DECODER.decode(data)


def version(product: Product) -> str:
    """The name of this version: SHA-256 of its canonical form, in hexadecimal."""
    return sha256(canonical(product)).hexdigest()


def schema() -> dict[str, Any]:
    """The JSON Schema of a product file, for editors and insurers' own checks."""
    return msgspec.json.schema(Product)


def _checked(row: Row, pointer: str, lines: dict[str, int]) -> Row:
    """The row with its guarantee in the shortest writing, so that a version is of the meaning."""
    try:
        guarantee = write(parse(row.guarantee))
    except Refused as error:
        raise _at(f"{pointer}/guarantee", lines, error.detail, error.fix) from None
    if row.first_day and row.last_day and row.last_day < row.first_day:
        raise _at(f"{pointer}/to", lines, "`to` is before `from`", "Write the last day inside, or remove `to`.")
    if row.when and (row.when.age_from or 0) > (AGE_YEARS_MAX if row.when.age_to is None else row.when.age_to):
        raise _at(f"{pointer}/when/age_to", lines, "`age_to` is below `age_from`", "Write the last age inside.")
    if row.each_side and not parse(guarantee).accounts:
        raise _at(f"{pointer}/each_side", lines, "the guarantee counts nothing", "Remove each_side, or add a limit.")
    if row.count and not parse(guarantee).accounts:
        raise _at(f"{pointer}/count", lines, "the guarantee counts nothing", "Remove count, or add a limit.")
    for name, values in (("domains", row.domains), ("acts", row.acts or ())):
        if len(set(values)) < len(values):
            raise _at(f"{pointer}/{name}", lines, "the same code stands twice", "Keep it once.")
    return msgspec.structs.replace(row, guarantee=guarantee)


def _refused(message: str, lines: dict[str, int]) -> Refused:
    """A refusal from msgspec's message."""
    what, pointer = place_of(message)
    if unknown := re.search(r"unknown field `([^`]+)`", what):
        return _at(f"{pointer}/{unknown[1]}", lines, "an unknown key", "Correct or remove it.")
    if "Invalid enum value" in what:
        words = next(_WORDS[key] for key in reversed(pointer.split("/")) if key in _WORDS)
        return _at(pointer, lines, what[:160], f"Write one of {', '.join(words)}.")
    return _at(pointer, lines, what[:160], next(fix for words, fix in _FIXES if words in what))


def _at(pointer: str, lines: dict[str, int], what: str, fix: str) -> Refused:
    line = lines.get(pointer) or lines.get(pointer.rpartition("/")[0]) or 1
    return BAD_PRODUCT(f"line {line}: {what}", pointer=pointer, fix=fix)
