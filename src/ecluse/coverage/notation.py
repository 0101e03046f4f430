"""The short notation of guarantees, as contracts state them and tables store them.

A sum of parts: `TM:100`, `BR_INCL:150`, `BR_EXCL:30`, `FR:80`, `REST:85`, `EUR:200`, `EUR_ACT:30/5Y`, `EUR_YEAR:250`,
`BASKET:100S`, joined by `+`; or `NONE`. Limits stand in brackets behind the part they bound, `REST:85[EUR:1900/Y]`, and
behind `<=` if they bound the whole, `TM:100+EUR:450<=EUR_INCL:1700`. docs/coverage.md has the tables.
Percents and euros may have two decimals, after a point. What was read writes back to the same meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import msgspec

from ecluse.coverage.guarantee import NONE, Bound, Guarantee, Kind, Limit, Part, ledger_of
from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.money import as_euros, euros

LENGTH_MAX = 200  # the longest seen in a contract has three parts, four limits and 80 characters; the rest is noise
PARTS_MAX = 9  # one of each form: more is a mistake or an attack on the parser
LIMITS_MAX = 4  # one of each bound
MONTHS_MAX = 120  # the longest delay of renewal in law is four years
CACHED = 4096  # an insurer's tables hold some hundreds; each cached one weighs about 1 kB

BAD_GUARANTEE = refusal(
    "guarantee_invalid",
    422,
    "This is not a guarantee the hub can compute",
    fix="Write a form such as TM:100, BR_INCL:150, BR_EXCL:30, FR:80, REST:85, EUR:200, EUR_ACT:30/5Y, EUR_YEAR:250, "
    "BASKET:100S or NONE; join forms with +, bound one with [EUR:1900/Y], all with <=EUR_INCL:1700.",
)

_PERCENT = r"([0-9]{1,4}(?:\.[0-9]{1,2})?)"
_AMOUNT = r"([0-9]{1,6}(?:\.[0-9]{1,2})?)"
_NUMBER = r"([1-9][0-9]{0,2})"
_PERIOD = r"(Y|[1-9][0-9]{0,2}M)"


class _Form(msgspec.Struct, frozen=True):
    """How the words after `KIND:` look, are read and are written."""

    pattern: re.Pattern[str]
    example: str
    read: Callable[[Kind, re.Match[str]], Part]
    write: Callable[[Part], str]


def _percent_form(example: str) -> _Form:
    return _Form(
        re.compile(_PERCENT),
        example,
        lambda kind, found: Part(kind, Fraction(found[1]) / 100),
        lambda part: _hundredths(part.rate),
    )


def _amount_form(example: str) -> _Form:
    return _Form(
        re.compile(_AMOUNT),
        example,
        lambda kind, found: Part(kind, amount_cents=euros(found[1])),
        lambda part: _plain(part.amount_cents),
    )


_FORMS: dict[Kind, _Form] = {
    Kind.TM: _percent_form("TM:100"),
    Kind.BR_INCL: _percent_form("BR_INCL:150"),
    Kind.BR_EXCL: _percent_form("BR_EXCL:30"),
    Kind.FR: _percent_form("FR:80"),
    Kind.REST: _percent_form("REST:85"),
    Kind.EUR: _amount_form("EUR:200"),
    Kind.EUR_ACT: _Form(
        re.compile(f"{_AMOUNT}/{_NUMBER}Y"),
        "EUR_ACT:30/5Y",
        lambda kind, found: Part(kind, amount_cents=euros(found[1]), acts_a_year=int(found[2])),
        lambda part: f"{_plain(part.amount_cents)}/{part.acts_a_year}Y",
    ),
    Kind.EUR_YEAR: _amount_form("EUR_YEAR:250"),
    Kind.BASKET: _Form(re.compile("100S"), "BASKET:100S", lambda kind, _found: Part(kind), lambda _part: "100S"),
}


class _BoundForm(msgspec.Struct, frozen=True):
    """The same for the words after `BOUND:`."""

    pattern: re.Pattern[str]
    example: str
    read: Callable[[Bound, re.Match[str]], Limit]
    write: Callable[[Limit], str]


def _euros_bound(example: str) -> _BoundForm:
    return _BoundForm(
        re.compile(f"{_AMOUNT}(?:/{_PERIOD})?"),
        example,
        lambda bound, found: Limit(bound, amount_cents=euros(found[1]), period=found[2] or ""),
        lambda limit: _plain(limit.amount_cents) + (f"/{limit.period}" if limit.period else ""),
    )


_BOUNDS: dict[Bound, _BoundForm] = {
    Bound.EUR: _euros_bound("EUR:1900/Y"),
    Bound.EUR_INCL: _euros_bound("EUR_INCL:1700"),
    Bound.BR_INCL: _BoundForm(
        re.compile(_PERCENT),
        "BR_INCL:200",
        lambda bound, found: Limit(bound, rate=Fraction(found[1]) / 100),
        lambda limit: _hundredths(limit.rate),
    ),
    Bound.ACTS: _BoundForm(
        re.compile(f"{_NUMBER}/{_PERIOD}"),
        "ACTS:1/48M",
        lambda bound, found: Limit(bound, number=int(found[1]), period=found[2]),
        lambda limit: f"{limit.number}/{limit.period}",
    ),
}

_WORD = re.compile(r"\s*(?P<name>[A-Z_]*)(?P<colon>:?)(?P<rest>[^\[\]]*)(?P<limits>(?:\[[^\[\]]*\])*)\s*")


@lru_cache(maxsize=CACHED)
def parse(text: str) -> Guarantee:
    """Read the notation; spaces around words are allowed. Raises `guarantee_invalid` with the position from 1."""
    if len(text) > LENGTH_MAX:
        raise BAD_GUARANTEE(f"{len(text)} characters, at most {LENGTH_MAX}")
    if text.strip() == "NONE":
        return NONE
    whole, *bounds = text.split("<=")
    words = whole.split("+")
    _few(len(words), "parts", PARTS_MAX)
    parts, position = [], 1
    for word in words:
        parts.append(_part(word, position))
        position += len(word) + 1
    limits, position = [], len(whole) + 3
    for bound in bounds:
        limits.append(_limit(bound, position))
        position += len(bound) + 2
    return _countable(Guarantee(tuple(parts), _bounding(limits)))


def write(guarantee: Guarantee) -> str:
    """The shortest writing, which `parse` reads back to the same guarantee."""
    parts = [f"{part.kind}:{_FORMS[part.kind].write(part)}{_brackets(part.limits)}" for part in guarantee.parts]
    return "<=".join(["+".join(parts) or "NONE", *map(write_limit, guarantee.limits)])


def write_limit(limit: Limit) -> str:
    """One limit, as it stands in brackets or behind `<=`."""
    return f"{limit.bound}:{_BOUNDS[limit.bound].write(limit)}"


def _brackets(limits: tuple[Limit, ...]) -> str:
    return "".join(f"[{write_limit(limit)}]" for limit in limits)


def _part(word: str, position: int) -> Part:
    found = _WORD.fullmatch(word)
    start = position + len(word) - len(word.lstrip())
    if found is None:
        raise _refused(start, "brackets that do not close", "Write a limit as REST:85[EUR:1900/Y].")
    if found["name"] == "NONE":
        raise _refused(start, "NONE stands alone: it cannot be part of a sum", "Remove NONE, or write NONE only.")
    if found["name"] not in Kind.__members__:
        known = ", ".join(form.example for form in _FORMS.values())
        raise _refused(start, "no form of guarantee starts here", f"Write one of {known}, NONE.")
    kind = Kind(found["name"])
    form, rest = _FORMS[kind], found["rest"].rstrip()
    read = form.pattern.fullmatch(rest) if found["colon"] else None
    if read is None:
        raise _refused(
            position + found.start("rest"), f"this is not how {kind} goes on", f"Write it as {form.example}."
        )
    limits, place = [], position + found.start("limits") + 1
    for bound in found["limits"][1:-1].split("][") if found["limits"] else ():
        limits.append(_limit(bound, place))
        place += len(bound) + 2
    return msgspec.structs.replace(form.read(kind, read), limits=_bounding(limits))


def _limit(word: str, position: int) -> Limit:
    start = position + len(word) - len(word.lstrip())
    name, colon, rest = word.strip().partition(":")
    if name not in Bound.__members__:
        known = ", ".join(form.example for form in _BOUNDS.values())
        raise _refused(start, "no limit starts here", f"Write one of {known}.")
    form = _BOUNDS[Bound(name)]
    found = form.pattern.fullmatch(rest)
    if found is None:
        raise _refused(
            start + len(name) + len(colon), f"this is not how {name} goes on", f"Write it as {form.example}."
        )
    limit = form.read(Bound(name), found)
    if limit.period.endswith("M") and int(limit.period[:-1]) > MONTHS_MAX:
        raise _refused(start, f"more than {MONTHS_MAX} months", "Write a shorter period.")
    return limit


def _bounding(limits: list[Limit]) -> tuple[Limit, ...]:
    _few(len(limits), "limits", LIMITS_MAX)
    return tuple(limits)


def _countable(guarantee: Guarantee) -> Guarantee:
    """Each count belongs to one term: two that shared it would count everything twice."""
    counts = [(ledger_of(account), acts) for account, acts in guarantee.counts()]
    for account, acts in guarantee.counts():
        if counts.count((ledger_of(account), acts)) > 1:
            what = "acts" if acts else "euros"
            fix = "Count each thing once: over a year, or over some months."
            raise BAD_GUARANTEE(f"two terms count the {what} of {account}", fix=fix)
    return guarantee


def _few(count: int, what: str, most: int) -> None:
    if count > most:
        raise BAD_GUARANTEE(f"{count} {what}, at most {most}")


def _hundredths(rate: Fraction) -> str:
    hundredths, rest = divmod(rate.numerator * 10_000, rate.denominator)
    assert rest == 0, "a percent of the notation has at most two decimals"
    return _plain(hundredths)


def _plain(hundredths: int) -> str:
    """15050 → `"150.5"`, the shortest writing."""
    return as_euros(hundredths).rstrip("0").rstrip(".")


def _refused(position: int, what: str, fix: str) -> Refused:
    return BAD_GUARANTEE(f"at character {position}: {what}", fix=fix)
