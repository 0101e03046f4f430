"""Guarantee tables: what one product of an insurer promises, by domain, act and day of care.

A product is read once from YAML, checked to the last key, and from then on is a value: a version is named by the digest
of its canonical form, and never changes. The first row that matches wins; no row means that nothing is paid.
"""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from ecluse.coverage.guarantee import Guarantee, parse
from ecluse.coverage.yaml_lines import BAD_PRODUCT, read_lines
from ecluse.kernel.errors import Refused, place_of
from ecluse.rights.model import Domain

ROWS_MAX = 2000  # the longest published table has under 200 rows; each look-up reads them in order
ACTS_MAX = 500  # acts named by one row

ProductId = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="Name in member feeds")]
Label = Annotated[str, Meta(min_length=1, max_length=200)]
Act = Annotated[str, Meta(pattern="^[A-Z0-9][A-Z0-9+]{0,12}$", description="Code of an act: CS, APC, HBLD038")]
Notation = Annotated[str, Meta(min_length=1, max_length=120, description="BR_INCL:150; see docs/coverage.md")]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One promise: for these domains, these acts (none named: all) and these days of care, this guarantee."""

    domains: Annotated[tuple[Domain, ...], Meta(min_length=1, max_length=len(Domain))]
    guarantee: Notation
    label: Label
    acts: Annotated[tuple[Act, ...], Meta(min_length=1, max_length=ACTS_MAX)] | None = None
    first_day: date | None = field(default=None, name="from")
    last_day: date | None = field(default=None, name="to")

    @property
    def parsed(self) -> Guarantee:
        """The guarantee as a value."""
        return parse(self.guarantee)

    def matches(self, domain: Domain, act: str, day: date) -> bool:
        """Whether this row speaks of `act` in `domain` on `day`; both its first and last day are inside."""
        return (
            domain in self.domains
            and (self.acts is None or act in self.acts)
            and (self.first_day is None or self.first_day <= day)
            and (self.last_day is None or day <= self.last_day)
        )


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A guarantee table; `responsible` as in article L871-1 du code de la sécurité sociale."""

    product: ProductId
    label: Label
    responsible: bool
    guarantees: Annotated[tuple[Row, ...], Meta(min_length=1, max_length=ROWS_MAX)]

    def guarantee(self, domain: Domain, act: str, day: date) -> Row | None:
        """The first row that speaks of `act` in `domain` on the day of care, or None: then nothing is paid."""
        return next((row for row in self.guarantees if row.matches(domain, act, day)), None)


_FIXES = (  # what msgspec says, and what the author of the file can do about it
    ("missing required field", "Add this key."),
    ("Invalid enum value", f"Write one of {', '.join(Domain)}."),
    ("", "Correct the value; quote text that YAML reads as something else, as acts: ['123']."),
)
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
        guarantee = str(parse(row.guarantee))
    except Refused as error:
        raise _at(f"{pointer}/guarantee", lines, error.detail, error.fix) from None
    if row.first_day and row.last_day and row.last_day < row.first_day:
        raise _at(f"{pointer}/to", lines, "`to` is before `from`", "Write the last day inside, or remove `to`.")
    for name, values in (("domains", row.domains), ("acts", row.acts or ())):
        if len(set(values)) < len(values):
            raise _at(f"{pointer}/{name}", lines, "the same code stands twice", "Keep it once.")
    return msgspec.structs.replace(row, guarantee=guarantee)


def _refused(message: str, lines: dict[str, int]) -> Refused:
    """A refusal from msgspec's message."""
    what, pointer = place_of(message)
    if unknown := re.search(r"unknown field `([^`]+)`", what):
        return _at(f"{pointer}/{unknown[1]}", lines, "an unknown key", "Correct or remove it.")
    return _at(pointer, lines, what[:160], next(fix for words, fix in _FIXES if words in what))


def _at(pointer: str, lines: dict[str, int], what: str, fix: str) -> Refused:
    line = lines.get(pointer) or lines.get(pointer.rpartition("/")[0]) or 1
    return BAD_PRODUCT(f"line {line}: {what}", pointer=pointer, fix=fix)
