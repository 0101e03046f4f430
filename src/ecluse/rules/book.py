"""The rule book: which value of law is in force on a day, and which text says so.

There is no default and no "latest": a day before the first value, or after the last was abrogated, is refused. The book
is a value: its `version` is the digest of its files, and goes with whatever was computed from it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from ecluse.kernel.errors import refusal
from ecluse.rules.family import Family, read_families
from ecluse.rules.parameter import Lines, Parameter, read_parameter

ACTS = "acts"  # the file that names the base tariffs of each act
FAMILIES = "amo_families"  # the file that names the rates of each family of care
RATES = "amo_rates/"  # the branch of the rates of the compulsory scheme

RULE_UNKNOWN = refusal("rule_unknown", 404, "No such rule in the book", fix="Run `ecluse rules list` for the names.")
RULE_NOT_IN_FORCE = refusal(
    "rule_not_in_force", 422, "No value of law on that day", fix="Check the day of care, or complete the rule's file."
)


class Rule(msgspec.Struct, frozen=True):
    """One value of law on a day: since when, and the text it comes from. `value` is in `unit`."""

    name: str
    value: int | Fraction | str
    unit: str
    since: date
    reference: str

    @property
    def cents(self) -> int:
        """The value of a rule in cents."""
        assert self.unit == "cents"
        assert isinstance(self.value, int)
        return self.value

    @property
    def rate(self) -> Fraction:
        """The value of a rule that is a rate."""
        assert isinstance(self.value, Fraction)
        return self.value

    @property
    def count(self) -> int:
        """The value of a rule that counts: days, working days, months, times."""
        assert self.unit != "cents"
        assert isinstance(self.value, int)
        return self.value


class Act(msgspec.Struct, frozen=True):
    """An act of the nomenclature: its code, its French name, and the names of the base tariffs that may apply to it."""

    code: str
    label: str
    tariffs: tuple[str, ...]


class RuleBook:
    """Parameters by name and day. Reading takes about a microsecond: it is done for every line of a claim."""

    __slots__ = ("_in_force", "_of_act", "_of_domain", "_rates", "acts", "parameters", "version")

    def __init__(
        self,
        parameters: Iterable[Parameter],
        acts: Iterable[Act] = (),
        families: Iterable[Family] = (),
        version: str = "",
    ) -> None:
        """Hold `parameters`, the `acts` priced and the `families` reimbursed by them; `version` names the contents."""
        self.parameters = {each.name: each for each in parameters}
        self.acts = {each.code: each for each in acts}
        self._of_act, self._of_domain = _by_act_and_domain(families)
        self.version = version
        self._in_force = {name: _timeline(each) for name, each in self.parameters.items()}
        self._rates = self._rates_by_day()

    def on(self, day: date, name: str) -> Rule:
        """The rule `name` in force on `day`. Raises `rule_not_in_force`, or `rule_unknown` if it is not in the book."""
        rule = self.find(day, name)
        if rule is None:
            raise RULE_NOT_IN_FORCE(f"{name} has no value on {day}")
        return rule

    def find(self, day: date, name: str) -> Rule | None:
        """As `on`, with None where no value is in force: for those whose question is whether there is one."""
        timeline = self._in_force.get(name)
        if timeline is None:
            raise RULE_UNKNOWN(f"{name[:80]!r} is not in the book")
        index = bisect_right(timeline[0], day)
        return timeline[1][index - 1] if index else None

    def highest_base_cents(self, act: str, day: date) -> Rule | None:
        """The highest base tariff in force for `act` on `day`; None if there is none (`acts` says which it knows)."""
        known = self.acts.get(act)
        if known is None:
            return None
        in_force = [rule for name in known.tariffs if (rule := self.find(day, name))]
        return max(in_force, key=lambda rule: rule.cents, default=None)

    def amo_rates(self, day: date) -> frozenset[Fraction]:
        """Every rate at which the compulsory scheme pays some kind of care on `day`."""
        days, sets = self._rates
        index = bisect_right(days, day)
        return sets[index - 1] if index else frozenset()

    def families(self, domain: str, act: str) -> tuple[Family, ...]:
        """The families that `act` may be of when it is billed in `domain`; none if neither is known.

        Those of the domain that name the act; if there are none, all of the domain, and those of others that name it.
        """
        named, all_of_domain = self._of_act.get(act, ()), self._of_domain.get(domain, ())
        return tuple(each for each in named if domain in each.domains) or (*all_of_domain, *named)

    def stale(self, before: date) -> list[Parameter]:
        """The parameters last checked by a person before that day, the oldest first."""
        old = (each for each in self.parameters.values() if each.checked_on < before)
        return sorted(old, key=lambda each: (each.checked_on, each.name))

    def _rates_by_day(self) -> tuple[list[date], list[frozenset[Fraction]]]:
        names = [name for name in self.parameters if name.startswith(RATES)]
        days = sorted({dated.since for name in names for dated in self.parameters[name].values})
        return days, [
            frozenset(rule.rate for name in names if (rule := self.find(day, name)) is not None) for day in days
        ]


def read_book(texts: Mapping[str, str]) -> RuleBook:
    """The book of these files, by name without `.yaml`; no disk is read. Raises `rule_invalid` with file and line."""
    values = sorted(texts.items())
    parameters = {name: read_parameter(name, text) for name, text in values if name not in (ACTS, FAMILIES)}
    acts = list(_acts(texts[ACTS], parameters)) if ACTS in texts else []
    families = read_families(FAMILIES, texts[FAMILIES], parameters) if FAMILIES in texts else ()
    return RuleBook(parameters.values(), acts, families, _digest(texts))


@cache
def open_book() -> RuleBook:
    """The book that comes with the program: France, read once. Raises `rule_invalid`."""
    return read_book(dict(_packaged(files("ecluse.rules") / "fr", "")))


def _packaged(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            yield from _packaged(each, f"{prefix}{each.name}/")
        elif each.name.endswith(".yaml"):
            yield prefix + each.name.removesuffix(".yaml"), each.read_text(encoding="utf-8")


def _timeline(parameter: Parameter) -> tuple[list[date], list[Rule | None]]:
    rules = [
        None if each.value is None else Rule(parameter.name, each.value, parameter.unit, each.since, each.reference)
        for each in parameter.values
    ]
    return [each.since for each in parameter.values], rules


def _by_act_and_domain(families: Iterable[Family]) -> tuple[dict[str, tuple[Family, ...]], ...]:
    of_act: dict[str, tuple[Family, ...]] = {}
    of_domain: dict[str, tuple[Family, ...]] = {}
    for family in families:
        for found, names in ((of_act, family.acts), (of_domain, family.domains)):
            found.update({name: (*found.get(name, ()), family) for name in names})
    return of_act, of_domain


def _acts(text: str, parameters: Mapping[str, Parameter]) -> Iterator[Act]:
    lines = Lines(ACTS, text)
    for code, node in lines.table(lines.root).items():
        keys = lines.table(node, ("label", "tariffs"))
        act = Act(code, lines.text(keys["label"]), lines.texts(keys["tariffs"]))
        for name in act.tariffs:
            if name not in parameters or parameters[name].unit != "cents":
                raise lines.wrong(keys["tariffs"], f"{name} is not a parameter in cents")
        yield act


def _digest(texts: Mapping[str, str]) -> str:
    whole = sha256()
    for name, text in sorted(texts.items()):
        whole.update(f"{name}\0{text}\0".encode())
    return whole.hexdigest()
