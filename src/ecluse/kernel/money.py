"""Money is a whole number of euro cents in an `int`; rates are exact fractions. This file holds the only rounding.

Rounding is half up to the cent: 10.75 € × 70 % = 7.525 € is published as 7.53 € (docs/rules.md, "Arrondi").
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from ecluse.kernel.errors import refusal

AMOUNT_CENTS_MAX = 100_000_000  # one million euros: nothing in care costs more, a slipped decimal point does

RATES_CACHED = 1024  # a dozen in life; more only from hostile askers

BAD_RATE = refusal("rate_invalid", 400, "This is not a rate", fix='Write "70%" or "7/10".')
BAD_AMOUNT = refusal("amount_invalid", 400, "This is not an amount", fix='Write euros with two decimals, as "31.50".')

# `re.ASCII`, because `\d` and `int` also take the digits of every other script.
_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,4})?) ?%", re.ASCII)
_FRACTION = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)
_EUROS = re.compile(r"(\d{1,7})(?:\.(\d{1,2}))?", re.ASCII)


def share_cents(amount_cents: int, rate: Fraction) -> int:
    """`rate` of `amount_cents`, rounded half up to the cent."""
    numerator, denominator = amount_cents * rate.numerator, rate.denominator  # far faster than a product of Fractions
    assert numerator >= 0, "money rounded here is never negative"
    return (2 * numerator + denominator) // (2 * denominator)


@lru_cache(maxsize=RATES_CACHED)
def rate(text: str) -> Fraction:
    """Read `"70%"`, `"66.5%"` or `"7/10"`. Raises `rate_invalid`."""
    if found := _PERCENT.fullmatch(text.strip()):
        return Fraction(found[1]) / 100
    found = _FRACTION.fullmatch(text.strip())
    if found and int(found[2]):
        return Fraction(int(found[1]), int(found[2]))
    raise BAD_RATE(f"{text[:20]!r} is not a rate")


def euros(text: str) -> int:
    """Read `"31.50"` euros as 3150 cents. Raises `amount_invalid`."""
    found = _EUROS.fullmatch(text.strip())
    if not found:
        raise BAD_AMOUNT(f"{text[:20]!r} is not an amount in euros")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def as_euros(cents: int) -> str:
    """3150 → `"31.50"`, as files for machines write it."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def en_euros(cents: int) -> str:
    """3150 → `"31,50 €"`, as people read it in French, with no-break spaces."""
    if 0 <= cents < 100_000:  # most amounts of care; reasons are made of these
        return f"{cents // 100},{cents % 100:02d}\u00a0€"
    whole, rest = divmod(abs(cents), 100)
    digits = f"{whole:,}".replace(",", "\u202f") if whole > 999 else whole
    return f"{'-' if cents < 0 else ''}{digits},{rest:02d}\u00a0€"
