"""One file of law: a parameter, its unit, and its values, each with the day it starts and the text it comes from.

The form is strict, because a slip here is a wrong payment: exactly the keys below, none twice, days going up, a
reference for every value, a day of last check. Whatever is wrong is refused with file and line. See docs/rules.md::

    description: Part laissée au patient pour un acte d'exemple
    unit: rate
    values:
      2020-01-01: {value: 3/10, reference: "article A"}
      2026-01-01: {value: null, reference: "abrogé par l'article B"}
    checked_on: 2026-08-01
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from fractions import Fraction

import msgspec
import yaml

from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.money import AMOUNT_CENTS_MAX, rate

FILE_CHARS_MAX = 100_000  # the longest parameter has ten values; a file beyond is not one
COUNT_MAX = 10_000  # days, months, times: law counts in tens

RULE_INVALID = refusal(
    "rule_invalid", 500, "A file of law is not well formed", fix="Correct the file; see docs/rules.md."
)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader where it was compiled: ten times faster
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "timestamp")}
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")
_METHOD = re.compile(r"[a-z][a-z0-9_]{2,60}")


class Dated(msgspec.Struct, frozen=True):
    """A value from `since` on, until the next one; None means that it is abrogated."""

    since: date
    value: int | Fraction | str | None
    reference: str


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of law: `name` is its path, `values` go up in time, a person last read the texts on `checked_on`."""

    name: str
    description: str
    unit: str
    values: tuple[Dated, ...]
    checked_on: date


class Lines:
    """A YAML file as nodes that know their line. Only tables, lists and plain values; nothing is ever constructed."""

    def __init__(self, name: str, text: str) -> None:
        """Parse `text`, the content of file `name`. Raises `rule_invalid`."""
        self.name = name
        if len(text) > FILE_CHARS_MAX:
            raise RULE_INVALID(f"{name}.yaml: more than {FILE_CHARS_MAX} characters")
        try:
            self.root = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise RULE_INVALID(f"{name}.yaml line {mark.line + 1 if mark else 1}: not YAML") from None

    def wrong(self, node: yaml.Node | None, what: str) -> Refused:
        """The refusal to raise about `node`."""
        return RULE_INVALID(f"{self.name}.yaml line {node.start_mark.line + 1 if node else 1}: {what}")

    def table(self, node: yaml.Node | None, keys: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
        """The entries of a table in the order of the file; with `keys`, exactly those."""
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, "expected a table of keys and values")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key)
            if name in found:
                raise self.wrong(key, f"the key {name} stands twice")
            if keys and name not in keys:
                raise self.wrong(key, f"the key {name} is unknown")
            found[name] = value
        if missing := [key for key in keys if key not in found]:
            raise self.wrong(node, f"{', '.join(missing)} is missing")
        return found

    def text(self, node: yaml.Node) -> str:
        """A plain value as the text that stands in the file, never empty."""
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _PLAIN or not node.value.strip():
            raise self.wrong(node, "expected a value")
        return str(node.value)

    def texts(self, node: yaml.Node) -> tuple[str, ...]:
        """A list of plain values, never empty."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.wrong(node, "expected a list")
        return tuple(self.text(each) for each in node.value)

    def day(self, node: yaml.Node) -> date:
        """A day, YYYY-MM-DD."""
        try:
            return parse_day(self.text(node))
        except Refused:
            raise self.wrong(node, "expected a day, YYYY-MM-DD") from None


def read_parameter(name: str, text: str) -> Parameter:
    """Read the file `name` (its path without `.yaml`). Raises `rule_invalid` with the file and the line."""
    lines = Lines(name, text)
    keys = lines.table(lines.root, ("description", "unit", "values", "checked_on"))
    unit = lines.text(keys["unit"])
    if unit not in UNITS:
        raise lines.wrong(keys["unit"], f"unknown unit; known are {', '.join(UNITS)}")
    values = _values(lines, keys["values"], unit)
    return Parameter(name, lines.text(keys["description"]), unit, values, lines.day(keys["checked_on"]))


def _values(lines: Lines, node: yaml.Node, unit: str) -> tuple[Dated, ...]:
    lines.table(node)  # refuses what stands twice
    assert isinstance(node, yaml.MappingNode)
    values: list[Dated] = []
    for day, entry in node.value:
        since = lines.day(day)
        if values and since <= values[-1].since:
            raise lines.wrong(day, "days must go up")
        keys = lines.table(entry, ("value", "reference"))
        values.append(Dated(since, _value(lines, keys["value"], unit), lines.text(keys["reference"])))
    if not values:
        raise lines.wrong(node, "at least one value is needed")
    return tuple(values)


def _value(lines: Lines, node: yaml.Node, unit: str) -> int | Fraction | str | None:
    if node.tag == "tag:yaml.org,2002:null":
        return None
    try:
        return UNITS[unit](lines.text(node))
    except (Refused, ValueError):
        raise lines.wrong(node, f"not a value in {unit}") from None


def _whole(largest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or int(text) > largest:
            raise ValueError(text)
        return int(text)

    return read


def _method(text: str) -> str:
    if not _METHOD.fullmatch(text):
        raise ValueError(text)
    return text


# Each unit and how its values are read. Money stands in whole cents, as everywhere else: 31,50 € is 3150.
UNITS: dict[str, Callable[[str], int | Fraction | str]] = {
    "cents": _whole(AMOUNT_CENTS_MAX),
    "rate": rate,
    "days": _whole(COUNT_MAX),
    "working_days": _whole(COUNT_MAX),
    "months": _whole(COUNT_MAX),
    "years": _whole(COUNT_MAX),
    "count": _whole(COUNT_MAX),
    "method": _method,
}
