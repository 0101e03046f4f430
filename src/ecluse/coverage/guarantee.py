"""What a contract promises for an act, in a short notation that is stored as it is written and never guessed.

`TM:100`, `BR_INCL:150`, `BR_EXCL:30`, `FR:80`, `EUR:200`, `EUR_ACT:30/5Y`, `EUR_YEAR:250`, `BASKET:100S`, `NONE`, and
sums with `+` (docs/coverage.md has the table). Percents and euros may have two decimals, after a point.
A guarantee read from text writes back to the same meaning: `parse(str(guarantee)) == guarantee`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

import msgspec

from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.money import as_euros, euros

NOTATION_LENGTH_MAX = 120  # the longest seen in a contract has three parts and 40 characters; the rest is noise
PARTS_MAX = 8  # one of each form: more is a mistake or an attack on the parser
NOTATIONS_CACHED = 4096  # an insurer's tables hold some hundreds; each cached one weighs about 1 kB

BAD_GUARANTEE = refusal(
    "guarantee_invalid",
    422,
    "This is not a guarantee the hub can compute",
    fix="Write a form such as TM:100, BR_INCL:150, BR_EXCL:30, FR:80, EUR:200, EUR_ACT:30/5Y, EUR_YEAR:250, "
    "BASKET:100S or NONE; join forms with +.",
)


class Kind(StrEnum):
    """The forms a part can take; the value is the word of the notation."""

    TM = "TM"
    BR_INCL = "BR_INCL"
    BR_EXCL = "BR_EXCL"
    FR = "FR"
    EUR = "EUR"
    EUR_ACT = "EUR_ACT"
    EUR_YEAR = "EUR_YEAR"
    BASKET = "BASKET"


class Part(msgspec.Struct, frozen=True):
    """One term of a guarantee. `rate` serves percents (150 % is 3/2), `amount_cents` euros, `acts_a_year` EUR_ACT."""

    kind: Kind
    rate: Fraction = Fraction(0)
    amount_cents: int = 0
    acts_a_year: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{_FORMS[self.kind].write(self)}"


class Guarantee(msgspec.Struct, frozen=True):
    """The sum of its parts; no part at all is `NONE`."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "+".join(map(str, self.parts)) or "NONE"


NONE = Guarantee(())


class _Form(msgspec.Struct, frozen=True):
    """How the words after `KIND:` look, are read and are written."""

    pattern: re.Pattern[str]
    example: str
    read: Callable[[Kind, re.Match[str]], Part]
    write: Callable[[Part], str]


def _read_percent(kind: Kind, found: re.Match[str]) -> Part:
    return Part(kind, rate=Fraction(found[1]) / 100)


def _write_percent(part: Part) -> str:
    hundredths, rest = divmod(part.rate.numerator * 10_000, part.rate.denominator)
    assert rest == 0, "a percent of the notation has at most two decimals"
    return _plain(hundredths)


def _read_amount(kind: Kind, found: re.Match[str]) -> Part:
    return Part(kind, amount_cents=euros(found[1]))


def _write_amount(part: Part) -> str:
    return _plain(part.amount_cents)


def _read_act(kind: Kind, found: re.Match[str]) -> Part:
    return Part(kind, amount_cents=euros(found[1]), acts_a_year=int(found[2]))


def _write_act(part: Part) -> str:
    return f"{_plain(part.amount_cents)}/{part.acts_a_year}Y"


def _read_basket(kind: Kind, _found: re.Match[str]) -> Part:
    return Part(kind)


def _write_basket(_part: Part) -> str:
    return "100S"


def _plain(hundredths: int) -> str:
    """15050 → `"150.5"`, the shortest writing."""
    return as_euros(hundredths).rstrip("0").rstrip(".")


_PERCENT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,2})?)")
_AMOUNT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,2})?)")
_ACT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,2})?)/([1-9][0-9]{0,2})Y")

_FORMS: dict[Kind, _Form] = {
    Kind.TM: _Form(_PERCENT, "TM:100", _read_percent, _write_percent),
    Kind.BR_INCL: _Form(_PERCENT, "BR_INCL:150", _read_percent, _write_percent),
    Kind.BR_EXCL: _Form(_PERCENT, "BR_EXCL:30", _read_percent, _write_percent),
    Kind.FR: _Form(_PERCENT, "FR:80", _read_percent, _write_percent),
    Kind.EUR: _Form(_AMOUNT, "EUR:200", _read_amount, _write_amount),
    Kind.EUR_ACT: _Form(_ACT, "EUR_ACT:30/5Y", _read_act, _write_act),
    Kind.EUR_YEAR: _Form(_AMOUNT, "EUR_YEAR:250", _read_amount, _write_amount),
    Kind.BASKET: _Form(re.compile("100S"), "BASKET:100S", _read_basket, _write_basket),
}
_COUNTED = (Kind.EUR_ACT, Kind.EUR_YEAR)  # what they used in the year is one counter each: two of a kind would share it


@lru_cache(maxsize=NOTATIONS_CACHED)
def parse(text: str) -> Guarantee:
    """Read the notation; spaces around `+` are allowed. Raises `guarantee_invalid` with the position from 1."""
    if len(text) > NOTATION_LENGTH_MAX:
        raise BAD_GUARANTEE(f"{len(text)} characters, at most {NOTATION_LENGTH_MAX}")
    if text.strip() == "NONE":
        return NONE
    words = text.split("+")
    if len(words) > PARTS_MAX:
        raise BAD_GUARANTEE(f"{len(words)} parts, at most {PARTS_MAX}")
    parts, position = [], 1
    for word in words:
        parts.append(_part(word.strip(), position + len(word) - len(word.lstrip())))
        position += len(word) + 1
    return _summable(Guarantee(tuple(parts)))


def _part(word: str, position: int) -> Part:
    name, colon, rest = word.partition(":")
    if name == "NONE":
        raise _refused(position, "NONE stands alone: it cannot be part of a sum", "Remove NONE, or write NONE only.")
    if name not in Kind.__members__:
        known = ", ".join(form.example for form in _FORMS.values())
        raise _refused(position, "no form of guarantee starts here", f"Write one of {known}, NONE.")
    kind = Kind(name)
    found = _FORMS[kind].pattern.fullmatch(rest)
    if not found:
        fix = f"Write it as {_FORMS[kind].example}."
        raise _refused(position + len(name) + len(colon), f"this is not how {kind} goes on", fix)
    return _FORMS[kind].read(kind, found)


def _summable(guarantee: Guarantee) -> Guarantee:
    for kind in _COUNTED:
        if sum(part.kind is kind for part in guarantee.parts) > 1:
            raise BAD_GUARANTEE(f"{kind} stands twice in the sum", fix=f"Write {kind} once: its yearly count is one.")
    return guarantee


def _refused(position: int, what: str, fix: str) -> Refused:
    return BAD_GUARANTEE(f"at character {position}: {what}", fix=fix)
