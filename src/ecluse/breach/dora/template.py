"""The 76 fields of a DORA report (Implementing Regulation (EU) 2025/302): what each holds, and when it is mandatory."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import field
from stdnum import lei

from ecluse.breach.tables import Row, load

TEXT_MAX = 30_000  # characters of one field; more is a document, not a report
STAGES = ("initial", "intermediate", "final")
Type = Literal[
    "text",
    "email",
    "phone",
    "lei",
    "leis",
    "choice",
    "choices",
    "boolean",
    "instant",
    "integer",
    "percentage",
    "money",
    "duration",
    "currency",
    "countries",
]


class When(Row, frozen=True):
    """A field is mandatory if another one is filled (or holds one of `has`), or if a fact is stated."""

    field: str = ""
    has: tuple[str, ...] = ()
    fact: str = ""


class Field(Row, frozen=True, rename={"kind": "type", "since": "from"}):
    """One field of annexes I and II."""

    name: str
    kind: Type
    since: Literal["initial", "intermediate", "final"]
    choices: tuple[str, ...] = ()
    when: When | None = None
    merge: Literal["", "union", "sum", "longest", "list"] = ""


class Template(Row, frozen=True):
    """dora_template.toml."""

    since: date
    source: str
    fields: dict[str, Field]


@cache
def template() -> Template:
    """The template, in the order of annex I."""
    return load("dora_template.toml", Template)


def mandatory(code: str, stage: str, values: Mapping[str, Any], stated: frozenset[str]) -> bool:
    """Whether field `code` must be there in a report of that stage, given the other fields and what is stated."""
    row = template().fields[code]
    if STAGES.index(row.since) > STAGES.index(stage):
        return False
    return row.when is None or _holds(row.when, values, stated)


def _holds(when: When, values: Mapping[str, Any], stated: frozenset[str]) -> bool:
    if when.fact:
        return when.fact in stated
    held = values.get(when.field)
    if not when.has:
        return held is not None
    return bool(set(when.has) & set(held if isinstance(held, list) else [held]))


class Wrong(msgspec.Struct, frozen=True):
    """A value that a field does not take, and why."""

    code: str
    problem: str


def read_value(code: str, value: Any) -> Any:
    """The value as it is sent. Returns a `Wrong` where the field does not take it."""
    row = template().fields[code]
    read = _READERS[row.kind]
    try:
        return read(row, value)
    except (ValueError, TypeError, ArithmeticError) as error:
        return Wrong(code, str(error))


def _text(_row: Field, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT_MAX:
        raise ValueError(f"a text of 1 to {TEXT_MAX} characters")
    return value.strip()


def _matching(pattern: str, what: str) -> Callable[[Field, Any], str]:
    def read(row: Field, value: Any) -> str:
        text = _text(row, value)
        if not re.fullmatch(pattern, text):
            raise ValueError(what)
        return text

    return read


def _lei(_row: Field, value: Any) -> str:
    if not isinstance(value, str) or not lei.is_valid(value):
        raise ValueError("a LEI (ISO 17442): 20 characters whose last two are their check")
    return str(lei.compact(value))


def _leis(row: Field, value: Any) -> str:
    return ";".join(_lei(row, each.strip()) for each in _text(row, value).split(";"))


def _choice(row: Field, value: Any) -> str:
    found = next(
        (each for each in row.choices if isinstance(value, str) and each.lower() == value.strip().lower()), None
    )
    if found is None:
        raise ValueError(f"one of: {'; '.join(row.choices)}")
    return found


def _choices(row: Field, value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of at least one choice")
    return list(dict.fromkeys(_choice(row, each) for each in value))


def _boolean(_row: Field, value: Any) -> str:
    found = {True: "Yes", False: "No"}.get(value) if isinstance(value, bool) else value
    if found not in ("Yes", "No"):
        raise ValueError("true, false, Yes or No")
    return str(found)


def _instant(_row: Field, value: Any) -> str:
    text = value if isinstance(value, str) else ""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant with its offset (RFC 3339)")
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _integer(_row: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number, not below zero")
    return value


def _percentage(_row: Field, value: Any) -> float:
    rounded = _decimal(value).quantize(Decimal("0.1"), ROUND_HALF_UP)
    if len(str(rounded).replace(".", "").lstrip("0")) > 5:
        raise ValueError("a percentage of at most five figures, one of them after the comma")
    return float(rounded)


def _money(_row: Field, value: Any) -> float:
    """In thousands of units, to the thousandth: EUR 2 500 is 2.5."""
    return float(_decimal(value).quantize(Decimal("0.001"), ROUND_HALF_UP))


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e12:
        raise ValueError("a number, not below zero")
    return Decimal(str(value))


def _countries(_row: Field, value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(re.fullmatch(r"[A-Z]{2}", str(each)) for each in value):
        raise ValueError("a list of countries, two capital letters each (ISO 3166)")
    return list(dict.fromkeys(value))


_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "email": _matching(r"[^@\s;]+@[^@\s;]+\.[^@\s;]+", "an e-mail address"),
    "phone": _matching(r"\+[0-9][0-9 .()-]{5,24}", "a telephone number with its international prefix, as +33…"),
    "lei": _lei,
    "leis": _leis,
    "choice": _choice,
    "choices": _choices,
    "boolean": _boolean,
    "instant": _instant,
    "integer": _integer,
    "percentage": _percentage,
    "money": _money,
    "duration": _matching(r"[0-9]{2,4}:(?:[01][0-9]|2[0-3]):[0-5][0-9]", "DD:HH:MM"),
    "currency": _matching(r"[A-Z]{3}", "a currency, three capital letters (ISO 4217)"),
    "countries": _countries,
}


def as_duration(hours: float) -> str:
    """Hours as DD:HH:MM; minutes that have begun count."""
    minutes = -int(-hours * 60 // 1)
    return f"{minutes // 1440:02d}:{minutes % 1440 // 60:02d}:{minutes % 60:02d}"


def minutes(duration: str) -> int:
    """DD:HH:MM as minutes."""
    days, hours, rest = (int(each) for each in duration.split(":"))
    return days * 1440 + hours * 60 + rest


class Filled(msgspec.Struct, frozen=True):
    """Fields read: those that hold, those that do not, and mandatory ones that are not there."""

    fields: dict[str, Any]
    missing: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = field(default_factory=tuple)


def fill(values: Mapping[str, Any], stage: str, stated: frozenset[str]) -> Filled:
    """Read the fields of a report of that stage; a code that the template does not have is wrong."""
    read: dict[str, Any] = {}
    wrong = [Wrong(code, "no such field in the template") for code in values if code not in template().fields]
    for code in template().fields:
        if code in values and values[code] is not None:
            value = read_value(code, values[code])
            if isinstance(value, Wrong):
                wrong.append(value)
            else:
                read[code] = value
    faulty = {each.code for each in wrong}
    missing = [
        code
        for code in template().fields
        if code not in read and code not in faulty and mandatory(code, stage, read, stated)
    ]
    return Filled(read, tuple(missing), tuple(wrong))
