"""A guarantee in French words, as a patient reads what the contract promises."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from ecluse.coverage.guarantee import Bound, Guarantee, Kind, Limit, Part, months_of
from ecluse.kernel.money import RATES_CACHED, en_euros


def guarantee_in_words(guarantee: Guarantee) -> str:
    """`TM:100+EUR:450<=EUR_INCL:1700` → "100 % du ticket modérateur, plus un forfait de 450,00 €, le tout limité à…"."""
    said = ", plus ".join(_with_limits(part) for part in guarantee.parts) or "rien pour cette ligne"
    return said + "".join(f", le tout limité à {limit_in_words(limit)}" for limit in guarantee.limits)


def _with_limits(part: Part) -> str:
    return part_in_words(part) + "".join(f", limité à {limit_in_words(limit)}" for limit in part.limits)


def part_in_words(part: Part, quantity: int = 1) -> str:
    """What one part pays, as the object of "rembourse"; euros for each article say how many there are."""
    return _PARTS[part.kind](part, quantity)


def limit_in_words(limit: Limit, quantity: int = 1) -> str:
    """A limit, as what follows "limité à"."""
    return _BOUNDS[limit.bound](limit, quantity)


def _by_article(part: Part, quantity: int) -> str:
    times = f" par acte ou article, {quantity} fois" if quantity > 1 else ""
    return f"un forfait de {en_euros(part.amount_cents)}{times}"


_PARTS: dict[Kind, Callable[[Part, int], str]] = {
    Kind.TM: lambda part, _: f"{percent(part.rate)} du ticket modérateur",
    Kind.BR_INCL: lambda part, _: f"jusqu'à {percent(part.rate)} de la base, Assurance maladie comprise",
    Kind.BR_EXCL: lambda part, _: f"{percent(part.rate)} de la base, en plus de l'Assurance maladie",
    Kind.FR: lambda part, _: f"jusqu'à {percent(part.rate)} des frais réels, Assurance maladie comprise",
    Kind.REST: lambda part, _: f"{percent(part.rate)} de ce qui reste à payer",
    Kind.EUR: _by_article,
    Kind.EUR_ACT: lambda part, _: (
        f"jusqu'à {en_euros(part.amount_cents)} par acte, {_counted(part.acts_a_year, 'acte')} par an"
    ),
    Kind.EUR_YEAR: lambda part, _: f"jusqu'à {en_euros(part.amount_cents)} par an",
    Kind.BASKET: lambda _part, _: "tout le reste d'un panier 100\u00a0% Santé",
}


def _in_euros(limit: Limit, quantity: int) -> str:
    by_article = " par acte ou article" if not limit.period and quantity > 1 else ""
    return f"{en_euros(limit.amount_cents)}{by_article}{_period(limit)}"


def _in_acts(limit: Limit, _quantity: int) -> str:
    return f"{_counted(limit.number, 'acte')} ou {_plural(limit.number, 'article')}{_period(limit)}"


_BOUNDS: dict[Bound, Callable[[Limit, int], str]] = {
    Bound.EUR: _in_euros,
    Bound.EUR_INCL: lambda limit, quantity: f"{_in_euros(limit, quantity)}, Assurance maladie comprise",
    Bound.BR_INCL: lambda limit, _: f"{percent(limit.rate)} de la base, Assurance maladie comprise",
    Bound.ACTS: _in_acts,
}


def _period(limit: Limit) -> str:
    if not limit.period:
        return ""
    months = months_of(limit.account)
    return f" sur {months} mois" if months else " par an"


def _counted(number: int, word: str) -> str:
    return f"{number} {_plural(number, word)}"


def _plural(number: int, word: str) -> str:
    return f"{word}s" if number > 1 else word


def percent(rate: Fraction) -> str:
    """3/2 → `"150 %"`, 133/200 → `"66,5 %"`; a rate that no percent of four decimals says stays a fraction."""
    return _percent(rate.numerator, rate.denominator)


@lru_cache(maxsize=RATES_CACHED)
def _percent(numerator: int, denominator: int) -> str:
    """Cached by the two integers: to hash a `Fraction` takes longer than all the rest."""
    ten_thousandths, rest = divmod(numerator * 1_000_000, denominator)
    if rest:
        return f"{numerator}/{denominator}"
    whole, decimals = divmod(ten_thousandths, 10_000)
    return f"{whole},{decimals:04d}".rstrip("0").rstrip(",") + "\u00a0%"
