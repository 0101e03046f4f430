"""The dated tables of `law/`: read once, strictly, and known by the digest of their bytes.

A slip in a table would be a wrong decision, so an unknown key, a level out of range or rows out of order do not load.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal, Protocol, TypeVar

import msgspec

from ecluse.kernel.errors import refusal

DAY_BEFORE_LAW = refusal(
    "breach_day_invalid", 422, "No rule of the breach room was in force on that day", fix="Check the year."
)

RiskLevel = Literal["none", "risk", "high"]
RISKS: tuple[RiskLevel, ...] = ("none", "risk", "high")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of a table: no key but those it declares."""


class Dated(Protocol):
    """What has a first day of validity."""

    @property
    def since(self) -> date:
        """Its first day."""


D = TypeVar("D", bound=Dated)


def in_force(rows: Sequence[D], day: date) -> D:
    """The last of these rows (oldest first) that had begun on `day`. Raises `breach_day_invalid` before the first."""
    begun = [each for each in rows if each.since <= day]
    if not begun:
        raise DAY_BEFORE_LAW(f"{day} is before {rows[0].since}")
    return begun[-1]


class Class(Row, frozen=True):
    """A class of data: harm its reader can do (0 to 4), ENISA's score of its context (1 to 4)."""

    harm: int
    dpc: int
    label: str


class Category(Row, frozen=True, rename={"facets": "is", "kind": "class"}):
    """A category of personal data; `harm` and `dpc` are those of its class unless it has its own."""

    kind: str
    label: str
    harm: int = -1
    dpc: int = -1
    facets: frozenset[str] = frozenset()


class Categories(Row, frozen=True):
    """The table of categories."""

    classes: dict[str, Class]
    categories: dict[str, Category]


class Say(Row, frozen=True):
    """A sentence and the text it rests on."""

    say: str
    source: str


class Recipient(Row, frozen=True):
    """Who may have the data: `likelihood` of harm 0 to 3; `hostile` wants it, `open` is anybody, `bound` would destroy it."""

    likelihood: int
    say: str
    source: str
    hostile: bool = False
    open: bool = False
    bound: bool = False


class Consequence(Row, frozen=True):
    """An effect on people that was seen or is expected."""

    severity: int
    likelihood: int
    say: str = ""
    source: str = ""


class Duty(Row, frozen=True):
    """From which level of risk each duty holds, from the day `since` on."""

    since: date
    notify_authority_from: RiskLevel
    communicate_persons_from: RiskLevel
    source: str


class Matrix(Row, frozen=True):
    """levels[likelihood][severity]."""

    levels: tuple[tuple[RiskLevel, ...], ...]
    source: str


class Words(Row, frozen=True):
    """How levels are said."""

    likelihood: tuple[str, ...]
    severity: tuple[str, ...]
    risk: dict[RiskLevel, str]


class Scale(Row, frozen=True):
    """Numbers of people above which something changes."""

    noted_over: int
    large_over: int


class Exposed(Row, frozen=True):
    """Days from which data that were open to others are so for long."""

    long_days: float


class Outage(Row, frozen=True):
    """Hours up to which a loss of availability is short, or so brief that care does not feel it."""

    short_h: float
    brief_h: float


class Risk(Row, frozen=True):
    """The rules of risk.toml."""

    duties: tuple[Duty, ...]
    table: Matrix
    words: Words
    scale: Scale
    exposed: Exposed
    outage: Outage
    recipients: dict[str, Recipient]
    consequences: dict[str, Consequence]
    rules: dict[str, Say]
    missing: dict[str, str]


T = TypeVar("T")


def packaged(name: str) -> bytes:
    """The bytes of one table of `law/`."""
    return (files("ecluse.breach") / "law" / name).read_bytes()


def load(name: str, kind: type[T]) -> T:
    """One table, read into `kind`."""
    return msgspec.toml.decode(packaged(name), type=kind)


def law() -> dict[str, bytes]:
    """Every table, by the name of its file, in that order."""
    found = sorted((files("ecluse.breach") / "law").iterdir(), key=lambda entry: entry.name)
    return {each.name: each.read_bytes() for each in found if each.name.endswith(".toml")}


@cache
def version() -> str:
    """The digest of every table: it goes with each decision, so that one can say by which rules it was taken."""
    whole = sha256()
    for name, content in law().items():
        whole.update(name.encode() + b"\0" + content + b"\0")
    return whole.hexdigest()


@cache
def risk_table() -> Risk:
    """risk.toml."""
    return load("risk.toml", Risk)


@cache
def category_table() -> dict[str, Category]:
    """categories.toml, each category with the harm and dpc that hold for it."""
    table = load("categories.toml", Categories)
    return {name: _complete(each, table.classes[each.kind]) for name, each in table.categories.items()}


@cache
def class_table() -> dict[str, Class]:
    """The classes a category may be of."""
    return load("categories.toml", Categories).classes


def of_class(name: str) -> Category:
    """A category that is not in the table, as its class alone says it."""
    kind = class_table()[name]
    return Category(name, kind.label, kind.harm, kind.dpc)


def _complete(category: Category, kind: Class) -> Category:
    harm = kind.harm if category.harm < 0 else category.harm
    dpc = kind.dpc if category.dpc < 0 else category.dpc
    return msgspec.structs.replace(category, harm=harm, dpc=dpc)
