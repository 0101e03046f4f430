"""What a contract promises for an act: a sum of parts, each within its own limits, and all of them within common ones.

Values only; `notation` reads and writes them. The unit of every number is stored with it and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from functools import cache, cached_property

import msgspec

YEAR = "Y"  # the account of a contract's year


class Kind(StrEnum):
    """The forms a part can take; the value is the word of the notation."""

    TM = "TM"
    BR_INCL = "BR_INCL"
    BR_EXCL = "BR_EXCL"
    FR = "FR"
    REST = "REST"
    EUR = "EUR"
    EUR_ACT = "EUR_ACT"
    EUR_YEAR = "EUR_YEAR"
    BASKET = "BASKET"


class Bound(StrEnum):
    """What a limit bounds: euros of the contract, euros with the AMO's, a percent of the base with the AMO, acts."""

    EUR = "EUR"
    EUR_INCL = "EUR_INCL"
    BR_INCL = "BR_INCL"
    ACTS = "ACTS"


class Limit(msgspec.Struct, frozen=True):
    """An upper bound. `account` is empty for a bound on each article, `Y` for the contract's year, `24M` for any 24 months.

    `amount_cents` serves euros, `rate` the percent, `number` the acts or articles.
    """

    bound: Bound
    amount_cents: int = 0
    rate: Fraction = Fraction(0)
    number: int = 0
    period: str = ""

    @property
    def account(self) -> str:
        """The account that counts towards it: its period, and apart from the others if the AMO's euros count too."""
        return f"{self.period}+AMO" if self.period and self.bound is Bound.EUR_INCL else self.period


class Part(msgspec.Struct, frozen=True):
    """One term of a guarantee. `rate` serves percents (150 % is 3/2), `amount_cents` euros, `acts_a_year` EUR_ACT."""

    kind: Kind
    rate: Fraction = Fraction(0)
    amount_cents: int = 0
    acts_a_year: int = 0
    limits: tuple[Limit, ...] = ()


class Guarantee(msgspec.Struct, frozen=True, dict=True):  # `dict` holds what is worked out once
    """The sum of its parts within its limits; no part at all is `NONE`."""

    parts: tuple[Part, ...]
    limits: tuple[Limit, ...] = ()

    def counts(self) -> Iterator[tuple[str, bool]]:
        """Every count that it keeps: its account, and whether it counts acts (or cents). None stands twice."""
        for part in self.parts:
            if part.kind in (Kind.EUR_ACT, Kind.EUR_YEAR):
                yield YEAR, part.kind is Kind.EUR_ACT
            yield from _counts(part.limits)
        yield from _counts(self.limits)

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The accounts that must be known before it is computed."""
        return frozenset(account for account, _ in self.counts())


def _counts(limits: tuple[Limit, ...]) -> Iterator[tuple[str, bool]]:
    return ((limit.account, limit.bound is Bound.ACTS) for limit in limits if limit.period)


@cache  # there are few accounts: a year and notation.MONTHS_MAX months, with and without the AMO
def months_of(account: str) -> int:
    """How many months an account looks back and ahead; 0 for the contract's year."""
    period = account.partition("+")[0]
    return 0 if period == YEAR else int(period.removesuffix("M"))


def ledger_of(account: str) -> str:
    """What is counted together: rows may ask for 12 months or for 24, the days that they look at are the same."""
    period, plus, amo = account.partition("+")
    return f"{period if period == YEAR else 'M'}{plus}{amo}"


NONE = Guarantee(())
